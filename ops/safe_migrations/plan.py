"""Migration plans: the steps of each migration, their effects on tables, and violations."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState

from crm.db.grammar import ast, enums
from ops.safe_migrations import recommendations
from ops.safe_migrations.lock_levels import Effect, Lock, Work
from ops.safe_migrations.parser import UNKNOWN, read_statements, runs_in_transaction
from ops.safe_migrations.recommendations import Recommendation
from ops.safe_migrations.repeatable import is_repeatable
from ops.safe_migrations.rules import HARMLESS, NOT_IN_TRANSACTION, RULES
from ops.safe_migrations.schema_facts import SchemaFacts, update_facts
from ops.safe_migrations.sql_capture import capture
from ops.safe_migrations.statements import classify

PYTHON = Effect(Lock.ROW_EXCLUSIVE, Work.ROWS, recommendations.PYTHON)


@dataclass(frozen=True)
class Step:
    """One operation with its effects on tables that others may use."""

    description: str
    effects: tuple[Effect, ...]
    repeatable: bool = True


@dataclass(frozen=True)
class MigrationPlan:
    """One migration, applied or reversed."""

    app: str
    name: str
    backwards: bool
    atomic: bool
    steps: tuple[Step, ...]

    @property
    def label(self) -> str:
        return f"{self.app}.{self.name}"


@dataclass(frozen=True)
class Violation:
    """A step that would block others, with the recommendation. The table is empty if it is not known."""

    plan: MigrationPlan
    step: Step
    table: str
    recommendation: Recommendation


def plan_migration(
    migration: Migration,
    state: ProjectState,
    facts: SchemaFacts,
    created: set[str],
    *,
    backwards: bool = False,
    alias: str = DEFAULT_DB_ALIAS,
) -> MigrationPlan:
    """Plan one migration from the state before it. `facts` is updated step by step.

    Tables that it or an earlier migration creates are left out: they are not in use yet. It adds its own to `created`.
    """
    steps, atomic = [], migration.atomic is not False
    for captured in capture(migration, state, backwards=backwards, alias=alias):
        facts.state = captured.before
        effects, repeatable = [PYTHON] if captured.scripts is None else [], True
        for script in captured.scripts or ():
            in_transaction = atomic or runs_in_transaction(script)
            for statement in read_statements([script], facts.constraints):
                effects += find_effects(statement, facts, in_transaction=in_transaction)
                repeatable = repeatable and is_repeatable(captured.operation, statement)
                update_facts(statement, facts)
                if table := find_created_table(statement):
                    created.add(table)
        description = captured.operation.describe()
        shown = dict.fromkeys(effect for effect in effects if effect.table not in created)
        steps.append(Step(f"Undo: {description}" if backwards else description, tuple(shown), repeatable))
    return MigrationPlan(migration.app_label, migration.name, backwards, atomic, tuple(steps))


def find_violations(plan: MigrationPlan, large: Container[str]) -> Iterator[Violation]:
    """Yield refusals for `large` and unknown tables, and warnings for all."""
    held = False
    for step in plan.steps:
        if not (plan.atomic or step.repeatable) and len(plan.steps) > 1:
            yield Violation(plan, step, "", recommendations.NOT_REPEATABLE)
        for effect in step.effects:
            recommendation = effect.recommendation
            fails = recommendation is not None and recommendation.fails
            in_use = not effect.table or effect.table in large or fails
            refused = recommendation is not None and recommendation.refused and in_use
            if held and not refused and in_use and effect.work is not Work.MOMENT:
                yield Violation(plan, step, effect.table, recommendations.HELD)
            elif recommendation and (refused or not recommendation.refused):
                yield Violation(plan, step, effect.table, recommendation)
            held = held or (plan.atomic and effect.lock.blocks_writers and in_use)


def find_effects(statement: ast.Node | None, facts: SchemaFacts, *, in_transaction: bool = False) -> Iterator[Effect]:
    """Yield the effects of a parsed statement; None means one that can't be parsed."""
    for key, table in classify(statement, facts) if statement else [("unreadable", "")]:
        if key in HARMLESS:
            continue
        rule = RULES.get(key)
        if rule is None:
            rule, table = RULES["unreadable"], ""
        fails = in_transaction and key in NOT_IN_TRANSACTION
        recommendation = recommendations.IN_TRANSACTION if fails else rule.recommendation
        yield Effect(rule.lock, rule.work, recommendation, "" if table == UNKNOWN else table)


def find_created_table(statement: ast.Node | None) -> str:
    """Return the table that a statement creates, or an empty text.

    IF NOT EXISTS, a temporary table or another schema may leave a large table of the same name.
    """
    match statement:
        case (
            ast.CreateStmt(if_not_exists=False, relation=table)
            | ast.CreateTableAsStmt(
                if_not_exists=False, objtype=enums.ObjectType.OBJECT_TABLE, into=ast.IntoClause(rel=table)
            )
            | ast.SelectStmt(intoClause=ast.IntoClause(rel=table))
        ) if not table.schemaname and table.relpersistence != "t":
            return table.relname
    return ""
