"""What a statement does to the tables that are there before it."""

import re
from collections.abc import Iterator

from ops.safe_migrations.lock_levels import Effect, Lock, Work
from ops.safe_migrations.rules import ACTIONS, ALTER_TABLE, CREATE_TABLE, NOT_NULL_CHECK, STATEMENTS, VALIDATE, Rule
from ops.safe_migrations.schema_facts import SchemaFacts
from ops.safe_migrations.sql import read_name, split_actions

TEXT = r"(?:varchar|character varying)\((\d+)\)"
NUMBER = r"numeric\((\d+), ?(\d+)\)"


def find_effects(statement: str, facts: SchemaFacts) -> Iterator[Effect]:
    """Of one statement, as `split_statements` gives it. None for what locks no table that others use."""
    if altered := re.match(ALTER_TABLE, statement, re.IGNORECASE):
        table = read_name(altered, "table")
        for action in split_actions(altered["actions"]):
            yield from _effects_of_action(table, action, facts)
    elif matched := _first(STATEMENTS, statement):
        rule, found = matched
        index = read_name(found, "index")
        yield Effect(read_name(found, "table") or facts.table_of(index), rule.lock, rule.work, rule.advice, index)


def find_created_table(statement: str) -> str:
    """The table that it makes, or an empty text."""
    found = re.match(CREATE_TABLE, statement, re.IGNORECASE)
    return read_name(found, "table") if found else ""


def update_facts(statement: str, facts: SchemaFacts) -> None:
    """Keep what later statements depend on: which columns constraints keep from being NULL after this one."""
    if not (altered := re.match(ALTER_TABLE, statement, re.IGNORECASE)):
        return
    table = read_name(altered, "table")
    for action in split_actions(altered["actions"]):
        if added := re.match(NOT_NULL_CHECK, action, re.IGNORECASE):
            facts.not_null_checks[read_name(added, "constraint")] = (table, read_name(added, "column"))
            if not action.upper().endswith("NOT VALID"):
                facts.never_null.add((table, read_name(added, "column")))
        elif (validated := re.match(VALIDATE, action, re.IGNORECASE)) and (
            column := facts.not_null_checks.get(read_name(validated, "constraint"))
        ):
            facts.never_null.add(column)


def _first(rules: list[Rule], text: str) -> tuple[Rule, re.Match[str]] | None:
    for rule in rules:
        if found := re.match(rule.pattern, text, re.IGNORECASE):
            return rule, found
    return None


def _effects_of_action(table: str, action: str, facts: SchemaFacts) -> Iterator[Effect]:
    matched = _first(ACTIONS, action)
    if matched is None:
        return
    rule, found = matched
    column = (table, read_name(found, "column"))
    harmless = "type" in found.groupdict() and _widens(facts.type_of(*column), found["type"])
    harmless = harmless or (rule.work is Work.SCAN and column in facts.never_null)
    yield Effect(table, rule.lock) if harmless else Effect(table, rule.lock, rule.work, rule.advice)
    if other := read_name(found, "other"):
        # Its triggers are made; the rows that are checked are those of the referring table.
        yield Effect(other, Lock.SHARE_ROW_EXCLUSIVE)


def _widens(old: str, new: str) -> bool:
    """Whether every value of the old type is one of the new type as it is stored."""
    if old == new:
        return True
    before, after = re.fullmatch(TEXT, old), re.fullmatch(TEXT, new)
    if before and (after or new in ("text", "varchar")):
        return after is None or int(after[1]) >= int(before[1])
    before, after = re.fullmatch(NUMBER, old), re.fullmatch(NUMBER, new)
    return bool(before and after and before[2] == after[2] and int(after[1]) >= int(before[1]))
