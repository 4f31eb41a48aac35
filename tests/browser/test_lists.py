"""The lists and the forms of the admin: each fits its window, and can be used by everybody."""

import pytest
from django.urls import reverse

from crm.admin.base.model_admin import RowAdmin
from tests.browser.conftest import overflows, serious_findings
from tests.config.test_admin_pages import FACTORIES, OURS, model_admin_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LOOKS = [("light", 1280), ("dark", 390)]
TABLE_OVERFLOWS = "(table => !!table && table.scrollWidth > table.clientWidth)(document.querySelector('.results'))"


def path_of(name, view, *args):
    opts = model_admin_of(name).opts
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{view}", args=args)


@pytest.fixture
def rows(transactional_db):
    """A row of each table, by the name of its model."""
    return {name: FACTORIES[name]() for name in OURS}


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_list_fits_the_window_and_can_be_used_by_everybody(scheme, width, open_page, rows, live_server):
    page = open_page("/admin/", width=width, scheme=scheme)
    faults = {}
    for name in OURS:
        page.goto(live_server.url + path_of(name, "changelist"))
        found = serious_findings(page)
        if overflows(page) or page.evaluate(TABLE_OVERFLOWS):
            found["overflows"] = True
        if found:
            faults[name] = found
    assert faults == {}


def test_every_form_fits_the_window_and_can_be_used_by_everybody(open_page, rows, live_server):
    page = open_page("/admin/")
    faults = {}
    for name in OURS:
        urls = [path_of(name, "change", rows[name].pk)]
        if type(model_admin_of(name)).has_add_permission is RowAdmin.has_add_permission:
            urls.append(path_of(name, "add"))
        for url in urls:
            page.goto(live_server.url + url)
            page.wait_for_load_state("load")
            found = serious_findings(page)
            if overflows(page):
                found["overflows"] = True
            if found:
                faults[url] = found
    assert faults == {}
