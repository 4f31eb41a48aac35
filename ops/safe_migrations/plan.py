"""Migration plans: the steps of each migration, their effects on tables, and violations."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState

from ops.safe_migrations import recommendations
from ops.safe_migrations.lock_analysis import find_created_table, find_effects
from ops.safe_migrations.lock_levels import Effect, Lock, Work
from ops.safe_migrations.parser import read_statements
from ops.safe_migrations.recommendations import Recommendation
from ops.safe_migrations.schema_facts import SchemaFacts, update_facts
from ops.safe_migrations.sql_capture import capture

PYTHON = Effect("", Lock.ROW_EXCLUSIVE, Work.ROWS, recommendations.PYTHON)


@dataclass(frozen=True)
class Step:
    """One operation with its effects on tables that others may use."""

    description: str
    effects: tuple[Effect, ...]


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


def plan_migrations(
    migrations: Iterable[tuple[Migration, bool, ProjectState]], facts: SchemaFacts, *, alias: str = DEFAULT_DB_ALIAS
) -> Iterator[MigrationPlan]:
    """Plan migrations in the order in which they run, each given with its direction and the state before it.

    Tables that one of them creates are left out: they are not in use yet. `facts` is updated step by step.
    """
    created: set[str] = set()
    for migration, backwards, state in migrations:
        yield plan_migration(migration, state, facts, created, backwards=backwards, alias=alias)


def plan_migration(
    migration: Migration,
    state: ProjectState,
    facts: SchemaFacts,
    created: set[str],
    *,
    backwards: bool = False,
    alias: str = DEFAULT_DB_ALIAS,
) -> MigrationPlan:
    """Plan one migration, and add the tables that it creates to `created`."""
    steps = []
    for captured in capture(migration, state, backwards=backwards, alias=alias):
        facts.state = captured.after if backwards else captured.before
        effects = [PYTHON] if captured.scripts is None else []
        for statement in read_statements(captured.scripts or (), facts.constraints):
            effects += find_effects(statement, facts)
            update_facts(statement, facts)
            if table := find_created_table(statement):
                created.add(table)
        description = captured.operation.describe()
        shown = dict.fromkeys(effect for effect in effects if effect.table not in created)
        steps.append(Step(f"Undo: {description}" if backwards else description, tuple(shown)))
    return MigrationPlan(migration.app_label, migration.name, backwards, migration.atomic is not False, tuple(steps))


def find_violations(plan: MigrationPlan, large: Container[str]) -> Iterator[Violation]:
    """Yield refusals for `large` and unknown tables, and warnings for all."""
    held = False
    for step in plan.steps:
        for effect in step.effects:
            recommendation, in_use = effect.recommendation, not effect.table or effect.table in large
            refused = recommendation is not None and recommendation.refused and in_use
            if held and not refused and in_use and effect.work is not Work.MOMENT:
                yield Violation(plan, step, effect.table, recommendations.HELD)
            elif recommendation and (refused or not recommendation.refused):
                yield Violation(plan, step, effect.table, recommendation)
            held = held or (plan.atomic and effect.lock.blocks_writers and in_use)
