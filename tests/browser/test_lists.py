"""The lists and the forms of the admin: each fits its window, and can be used by everybody."""

import pytest
from django.urls import reverse

from crm.admin.base.model_admin import RowAdmin
from tests.browser.conftest import faults_of_paths
from tests.config.test_admin_pages import FACTORIES, OURS, model_admin_of

# Of the many pages that Django's own templates make, each scheme and each width once.
LOOKS = [("light", 1280), ("dark", 390)]
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def path_of(name, view, *args):
    opts = model_admin_of(name).opts
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{view}", args=args)


@pytest.fixture
def rows(transactional_db):
    """A row of each table, by the name of its model."""
    return {name: FACTORIES[name]() for name in OURS}


def test_every_list_fits_the_window_and_can_be_used_by_everybody(open_page, rows):
    assert faults_of_paths(open_page("/admin/"), [path_of(name, "changelist") for name in OURS], looks=LOOKS) == {}


def test_every_form_fits_the_window_and_can_be_used_by_everybody(open_page, rows):
    added = [name for name in OURS if type(model_admin_of(name)).has_add_permission is RowAdmin.has_add_permission]
    forms = [path_of(name, "change", row.pk) for name, row in rows.items()]
    assert faults_of_paths(open_page("/admin/"), [*forms, *(path_of(name, "add") for name in added)], looks=LOOKS) == {}
