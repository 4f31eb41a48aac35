"""Tests of the classification of statements, without a server."""

import pytest

from ops.safe_migrations import recommendations
from ops.safe_migrations.file_checks import AllNamesExcept
from ops.safe_migrations.parser import read_statements
from ops.safe_migrations.plan import find_created_table, find_effects
from ops.safe_migrations.rules import HARMLESS, RULES
from ops.safe_migrations.schema_facts import SchemaFacts, update_facts
from ops.safe_migrations.statements import classify
from tests.ops.safe_migrations.scratch_tables import FIRST, OTHER, PARTITIONS, REFERENCES, SPLIT, TABLE, USES
from tests.ops.safe_migrations.statement_table import NOT_RUN, ROWS, SCHEMA, UNREADABLE

STATEMENTS = SCHEMA | ROWS | NOT_RUN
MISSING_KEY = (
    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'k' AND conrelid = 't'::regclass) THEN"
    " ALTER TABLE t ADD CONSTRAINT k UNIQUE (a); END IF; END $$"
)


class TableFacts(SchemaFacts):
    """Facts of the tables in `statement_table`."""

    def __init__(self):
        super().__init__(
            never_null={(TABLE, "sure"), (TABLE, "id"), (TABLE, "counted"), ("scratch_keyless", "id")},
            required={(TABLE, "id")},
            collations={(TABLE, "latin"): "C"},
            domains={"scratch_positive"},
            views={"scratch_window"},
            uses=set(USES),
            references=set(REFERENCES),
            partitions=PARTITIONS,
        )

    def type_of(self, table, column):
        return {"number": "integer", "price": "numeric(8, 2)"}.get(column, "varchar(20)")

    def table_of(self, index):
        return {"scratch_split_n": SPLIT, "scratch_whole": SPLIT, "scratch_piece": FIRST}.get(index, TABLE)


def effects_of(script, facts=None, constraints=()):
    facts = facts or TableFacts()
    return [effect for parsed in read_statements([script], constraints) for effect in find_effects(parsed, facts)]


@pytest.mark.parametrize(("script", "matches"), STATEMENTS.items(), ids=STATEMENTS)
def test_statement_falls_under_its_rules(script, matches):
    found = [match for parsed in read_statements([script], ()) for match in classify(parsed, TableFacts())]
    assert sorted(found) == sorted(matches)


def test_every_rule_has_a_statement():
    covered = {key for matches in STATEMENTS.values() for key, _ in matches}
    assert covered == (RULES.keys() - {"unreadable"}) | HARMLESS


@pytest.mark.parametrize("script", UNREADABLE)
def test_unknown_statement_is_refused(script):
    assert recommendations.UNREADABLE in [effect.recommendation for effect in effects_of(script)]


@pytest.mark.parametrize(("constraints", "keys"), [(["other"], 1), (["k"], 0)])
def test_key_that_is_added_where_missing_depends_on_the_constraints(constraints, keys):
    unique = [e for e in effects_of(MISSING_KEY, constraints=constraints) if e.recommendation == recommendations.UNIQUE]
    assert len(unique) == keys


@pytest.mark.parametrize(
    ("earlier", "recommendation"),
    [
        ("", None),
        ("ALTER TABLE t ALTER a DROP NOT NULL", recommendations.SET_NOT_NULL),
        ("ALTER TABLE t RENAME COLUMN a TO b; ALTER TABLE t ADD COLUMN a integer", recommendations.SET_NOT_NULL),
        ("ALTER TABLE t ALTER a DROP NOT NULL; ALTER TABLE t ALTER a SET NOT NULL", None),
    ],
)
def test_set_not_null_reads_no_row_of_a_column_that_is_not_null(earlier, recommendation):
    facts = SchemaFacts(never_null={("t", "a")})
    for statement in read_statements([earlier], ()):
        update_facts(statement, facts)
    assert effects_of("ALTER TABLE t ALTER a SET NOT NULL", facts)[0].recommendation == recommendation


@pytest.mark.parametrize(
    ("domain", "recommendation"),
    [
        ("CREATE DOMAIN d AS integer", None),
        ("CREATE DOMAIN d AS integer CHECK (value > 0)", recommendations.VALUE_PER_ROW),
        ("CREATE DOMAIN d AS integer; ALTER DOMAIN d SET NOT NULL", recommendations.VALUE_PER_ROW),
        ("CREATE DOMAIN b AS integer CHECK (value > 0); CREATE DOMAIN d AS b", recommendations.VALUE_PER_ROW),
    ],
)
def test_column_of_a_domain_rewrites_the_table_if_the_domain_has_a_constraint(domain, recommendation):
    facts = SchemaFacts()
    for statement in read_statements([domain], ()):
        update_facts(statement, facts)
    assert effects_of("ALTER TABLE t ADD COLUMN a d", facts)[0].recommendation == recommendation


def test_block_with_another_condition_is_read_whatever_constraints_exist():
    [effect] = effects_of("DO $$ BEGIN IF true THEN TRUNCATE t; END IF; END $$", constraints=AllNamesExcept(()))
    assert effect.table == "t"


def test_name_that_only_a_block_knows_is_an_unknown_table():
    [effect] = effects_of("DO $$ BEGIN EXECUTE format('TRUNCATE %I', name); END $$")
    assert effect.table == ""


@pytest.mark.parametrize(
    ("script", "table"),
    [
        ("CREATE TABLE made (id bigint)", "made"),
        ("CREATE TABLE IF NOT EXISTS made (id bigint)", ""),
        ("CREATE TABLE made AS SELECT 1", "made"),
        ("SELECT 1 INTO made", "made"),
        ("CREATE TEMPORARY TABLE made (id bigint)", ""),
        ("CREATE TABLE other.made (id bigint)", ""),
        (f"CREATE INDEX ON {OTHER} (id)", ""),
    ],
)
def test_only_a_table_that_is_surely_new_counts_as_created(script, table):
    [statement] = read_statements([script], ())
    assert find_created_table(statement) == table
