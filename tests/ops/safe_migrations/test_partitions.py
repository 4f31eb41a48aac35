"""Partitioned tables: what earlier statements of the files say about them, and their sizes."""

import pytest

from ops.index_health.catalog import CatalogTable
from ops.management.commands.migrate_safely import measure
from ops.safe_migrations import recommendations as use
from ops.safe_migrations.formatting import Size
from ops.safe_migrations.parser import read_statements
from ops.safe_migrations.plan import find_effects
from ops.safe_migrations.schema_facts import SchemaFacts, update_facts

SPLIT = "CREATE TABLE split (n int, at date) PARTITION BY LIST (n)"
REST = "CREATE TABLE rest PARTITION OF split DEFAULT"
YEARS = "CREATE TABLE rest PARTITION OF split DEFAULT PARTITION BY RANGE (at)"
YEAR = "CREATE TABLE year PARTITION OF rest FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
NEW = "CREATE TABLE new PARTITION OF split FOR VALUES IN (1)"


def scanned_by_last(*scripts):
    """Return the tables whose rows the last statement checks for a new partition."""
    facts, effects = SchemaFacts(), []
    for statement in read_statements(scripts, ()):
        effects = list(find_effects(statement, facts))
        update_facts(statement, facts)
    return {effect.table for effect in effects if effect.recommendation is use.DEFAULT_PARTITION}


@pytest.mark.parametrize(
    ("scripts", "tables"),
    [
        ([SPLIT, NEW], set()),
        ([SPLIT, REST, NEW], {"rest"}),
        ([SPLIT, YEARS, YEAR, NEW], {"rest", "year"}),
        ([SPLIT, "CREATE TABLE rest (n int)", "ALTER TABLE split ATTACH PARTITION rest DEFAULT", NEW], {"rest"}),
        ([SPLIT, REST, "ALTER TABLE split DETACH PARTITION rest", NEW], set()),
        ([SPLIT, REST, "DROP TABLE rest", NEW], set()),
        ([SPLIT, REST, "ALTER TABLE split ATTACH PARTITION new FOR VALUES IN (1)"], {"rest"}),
    ],
    ids=lambda value: "; ".join(value) if isinstance(value, list) else None,
)
def test_new_partition_reads_the_default_one_that_earlier_statements_made(scripts, tables):
    assert scanned_by_last(*scripts) == tables


def test_part_of_an_index_is_attached_for_a_moment():
    facts = SchemaFacts()
    scripts = [SPLIT, REST, "CREATE INDEX whole ON ONLY split (n)", "CREATE INDEX piece ON rest (n)"]
    for statement in read_statements(scripts, ()):
        update_facts(statement, facts)
    [attach] = read_statements(["ALTER INDEX whole ATTACH PARTITION piece"], ())
    [effect] = find_effects(attach, facts)
    assert (effect.table, effect.recommendation) == ("rest", None)


def test_partitioned_table_is_as_large_as_its_partitions():
    tables = {
        "split": CatalogTable("split", rows=5, bytes=0, partitions=("new", "rest")),
        "new": CatalogTable("new", rows=10, bytes=100),
        "rest": CatalogTable("rest", partitions=("year",)),
        "year": CatalogTable("year", rows=20, bytes=200),
    }
    assert {name: measure(name, tables) for name in tables} == {
        "split": Size(30, 300), "new": Size(10, 100), "rest": Size(20, 200), "year": Size(20, 200)
    }  # fmt: skip
