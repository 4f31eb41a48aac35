"""Exported contacts that are imported again."""

import pytest

from tests import factories
from tests.api.test_exports import URL, content_of, kim  # noqa: F401  # a fixture
from tests.conftest import signed_in
from tests.crm.imports.runs import contents, counts, run

pytestmark = pytest.mark.django_db(transaction=True)


def known(tables):
    """Return all but the list of contacts that each import makes."""
    return {table: rows for table, rows in tables.items() if table != "contact_list_entries"}


def test_import_of_an_export_changes_nothing(manager, acme, kim, tmp_path):  # noqa: F811
    for name in ("=1+1", "-", "'tis", "@home"):
        factories.ContactFactory(company=acme, first_name=name)
    before = known(contents())
    source = run(acme, tmp_path, content_of(signed_in(manager).get(URL)).decode())
    assert (source.state, counts(source)) == ("done", {"rows": 5, "unchanged": 5})
    assert known(contents()) == before
