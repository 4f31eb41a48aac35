"""What is going to run: each migration with its steps, and what each step does to which table."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState

from ops.safe_migrations import recommendations
from ops.safe_migrations.lock_analysis import find_created_table, find_effects, update_facts
from ops.safe_migrations.lock_levels import Effect, Lock, Work
from ops.safe_migrations.recommendations import Advice
from ops.safe_migrations.schema_facts import SchemaFacts
from ops.safe_migrations.sql import split_statements
from ops.safe_migrations.sql_capture import record

UNREADABLE = Effect("", Lock.ROW_EXCLUSIVE, Work.ROWS, recommendations.UNREADABLE)


@dataclass(frozen=True)
class Step:
    """One operation. Its effects are those on tables that others may be using."""

    description: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class MigrationPlan:
    """One migration, applied or taken back."""

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
    """Why a step should not be done that way on this table."""

    plan: MigrationPlan
    step: Step
    table: str
    advice: Advice


def plan_migrations(
    migrations: Iterable[tuple[Migration, bool, ProjectState]], facts: SchemaFacts, *, alias: str = DEFAULT_DB_ALIAS
) -> Iterator[MigrationPlan]:
    """What these migrations do, each given with whether it is taken back and the state before it, in the order in which
    they run. Tables that one of them makes are nobody's yet, and left out. `facts` becomes what stands after them."""
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
    """What one migration does. It adds the tables that it makes to `created`."""
    steps = []
    for recorded in record(migration, state, backwards=backwards, alias=alias):
        facts.state = recorded.after if backwards else recorded.before
        effects = [UNREADABLE] if recorded.sql is None else []
        for statement in split_statements(recorded.sql or "", constraints=facts.constraints):
            effects += find_effects(statement, facts)
            update_facts(statement, facts)
            if table := find_created_table(statement):
                created.add(table)
        description = recorded.operation.describe()
        shown = dict.fromkeys(effect for effect in effects if effect.table not in created)
        steps.append(Step(f"Undo: {description}" if backwards else description, tuple(shown)))
    return MigrationPlan(migration.app_label, migration.name, backwards, migration.atomic is not False, tuple(steps))


def find_violations(plan: MigrationPlan, large: Container[str]) -> Iterator[Violation]:
    """What speaks against running it while others use the tables. Of tables that are not `large`, warnings alone."""
    held = False
    for step in plan.steps:
        for effect in step.effects:
            refused = effect.advice is not None and effect.advice.refused and effect.table in large
            slow = effect.work is not Work.MOMENT and effect.table in large
            if held and not refused and (slow or effect == UNREADABLE):
                yield Violation(plan, step, effect.table, recommendations.HELD)
            elif effect.advice and (refused or not effect.advice.refused):
                yield Violation(plan, step, effect.table, effect.advice)
            held = held or (plan.atomic and effect.lock.blocks_writers and effect.table in large)
