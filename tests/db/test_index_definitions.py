"""Definitions of indexes in one wording."""

import pytest

from crm.db.index_definitions import read_storage_parameters, reword_definition, split_condition

SAME = {
    "casts after a dump and a restore": (
        "((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
        "((status)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))",
    ),
    "negated casts after a dump and a restore": (
        "((status)::text <> ALL ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
        "((status)::text <> ALL (ARRAY['a'::text, 'b'::text]))",
    ),
    "a list of one": ("(a = ANY (ARRAY['x'::text]))", "(a = 'x'::text)"),
    "a list in another order": ("(a = ANY (ARRAY[1, 2]))", "(a = ANY (ARRAY[2, 1, 1]))"),
    "NOT of a list": ("(NOT (a = ANY (ARRAY[1, 2])))", "(a <> ALL (ARRAY[2, 1]))"),
    "NOT of an equality": ("(NOT ((number)::text = ''::text))", "((number)::text <> ''::text)"),
    "NOT of NULL": ("(NOT (a IS NULL))", "(a IS NOT NULL)"),
    "NOT of a combination": ("(NOT ((a IS NULL) OR b))", "((a IS NOT NULL) AND (NOT b))"),
    "NOT of NOT": ("(NOT (NOT b))", "b"),
    "terms in another order": ("(a AND (b AND (c > 1)))", "((c > 1) AND b AND a)"),
    "the constant first": ("(5 < amount)", "(amount > 5)"),
    "a number with a cast": ("(id > '5'::bigint)", "(id > 5)"),
    "a truth compared": ("((booked = true) AND (paid <> true))", "(booked AND (NOT paid))"),
    "a name of the catalogue": ("(pg_catalog.lower(a) = 'x'::pg_catalog.text)", "(lower(a) = 'x'::text)"),
}
OTHER = {
    "another value": ("(a = 'x'::text)", "(a = 'y'::text)"),
    "another list": ("(a = ANY (ARRAY[1, 2]))", "(a = ANY (ARRAY[1, 3]))"),
    "the other way round": ("(a < 5)", "(5 < a)"),
    "AND for OR": ("(a AND b)", "(a OR b)"),
    "NULL": ("(a IS NULL)", "(a IS NOT NULL)"),
    "a cast that cuts a text": ("(a = 'xyz'::character varying(2))", "(a = 'xyz'::text)"),
    "a cast of a column": ("((number)::text = '5'::text)", "(number = '5'::text)"),
    "upper case in a value": ("(a = 'X'::text)", "(a = 'x'::text)"),
}


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME.keys())
def test_conditions_that_mean_the_same_are_equal(first, second):
    assert reword_definition(f"USING btree (a) WHERE {first}") == reword_definition(f"USING btree (a) WHERE {second}")
    assert split_condition(first) == split_condition(second)


@pytest.mark.parametrize(("first", "second"), OTHER.values(), ids=OTHER.keys())
def test_conditions_that_differ_stay_different(first, second):
    assert reword_definition(f"USING btree (a) WHERE {first}") != reword_definition(f"USING btree (a) WHERE {second}")
    assert split_condition(first) != split_condition(second)


@pytest.mark.parametrize(
    "definition",
    [
        "USING btree (b, a)",
        "USING btree (a DESC, b)",
        "USING hash (a)",
        "USING btree (a varchar_pattern_ops, b)",
        'USING btree (a COLLATE "C", b)',
        "USING btree (a, b) INCLUDE (c)",
        "UNIQUE USING btree (a, b)",
        "UNIQUE USING btree (a, b) NULLS NOT DISTINCT",
        "USING btree (a, b) WHERE b",
        "USING btree (lower(a), b)",
    ],
)
def test_definitions_that_differ_stay_different(definition):
    assert reword_definition(definition) != reword_definition("USING btree (a, b)")
    if "NULLS" in definition:
        assert reword_definition(definition) != reword_definition("UNIQUE USING btree (a, b)")


def test_key_with_other_casts_is_equal():
    first, second = "COALESCE(a, ''::character varying)", "COALESCE(a, (''::text)::character varying)"
    assert reword_definition(f"USING btree ({first})") == reword_definition(f"USING btree ({second})")


def test_storage_parameters_do_not_belong_to_the_definition():
    with_them = "USING btree (a) WITH (fillfactor='70', deduplicate_items=off) WHERE b"
    assert reword_definition(with_them) == reword_definition("USING btree (a) WHERE b")
    assert read_storage_parameters(with_them) == {"fillfactor": "70", "deduplicate_items": "off"}
    assert read_storage_parameters("USING btree (a) WHERE b") == {}


def test_text_that_is_no_sql_stays_as_it_is():
    assert reword_definition("(a) WHERE a GLOB 'x'") == "(a) WHERE a GLOB 'x'"
    assert split_condition("a GLOB 'x'") == {"a GLOB 'x'"}
    assert split_condition("") == frozenset()
