"""The messy list of the benchmarks, read as a whole."""

from collections import Counter

import pytest

from benchmarks.messy_contacts import FAULTS, UNCLOSED, write_messy_contacts
from crm.services.imports.reading.files import open_table
from crm.services.imports.reading.mapping import validate_mapping
from crm.services.imports.reading.outcomes import Person
from crm.services.imports.reading.people import people_of
from crm.services.imports.reading.suggestions import choose_mapping
from tests.crm.imports.reading.accepted import accept_suggestions

ROWS = 10_000


@pytest.fixture
def messy(tmp_path):
    made = write_messy_contacts(tmp_path / "messy.csv", rows=ROWS, seed=1)
    return open_table(tmp_path / "messy.csv", "messy.csv"), made


def test_messy_list_has_each_fault(messy):
    _, made = messy
    assert {name for name in [*FAULTS, UNCLOSED] if not made[name]} == set()


def test_rows_of_the_messy_list_add_up(messy):
    table, made = messy
    mapping = validate_mapping(accept_suggestions(choose_mapping(table.header, sample=table.sample())))
    outcomes = [people_of(cells, mapping) for _, cells in table.rows()]
    assert len(outcomes) == ROWS
    assert all(len(people) == 1 for people in outcomes)
    read = Counter(type(people[0]) for people in outcomes)
    assert ROWS - read[Person] == made["rejected"]
    assert (
        len({people[0].numbers[0].phone for people in outcomes if isinstance(people[0], Person)})
        == made["distinct numbers"]
    )
