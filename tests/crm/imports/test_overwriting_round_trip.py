"""Exported contacts, imported again by an import that may overwrite everything."""

import pytest

from crm.services.imports.writing import WRITTEN
from tests import factories
from tests.api.test_exports import URL, content_of, kim
from tests.crm.imports.runs import contents, counts, run

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["kim"]  # a fixture


def test_exported_contacts_are_unchanged(acme, manager_api, kim, tmp_path):
    for name in ("=1+1", "'quoted'", "two  spaces", "Null", "O'Brien, Jr", "n/a"):
        factories.ContactFactory(company=acme, last_name=name, address=f"{name}\nat the back", city=name)
    before = contents()
    text = content_of(manager_api.get(URL)).decode()
    everything = [*WRITTEN, "field:number", "field:date", "field:yes_no", "field:text"]
    source = run(acme, tmp_path, text, overwrite=everything)
    assert source.mapping["preset"] == "own_export"
    assert counts(source) == {"rows": 7, "unchanged": 7}
    after = contents()
    assert {table for table in after if after[table] != before[table]} == {"contact_list_entries"}
