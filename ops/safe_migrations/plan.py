"""What is going to run: each migration with its steps, and what each step does to which table."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState

from ops.safe_migrations import recommendations
from ops.safe_migrations.lock_analysis import find_created_table, find_effects, learn
from ops.safe_migrations.lock_levels import Effect, Lock, Work
from ops.safe_migrations.recommendations import Advice
from ops.safe_migrations.schema_facts import Known
from ops.safe_migrations.sql import split_statements
from ops.safe_migrations.sql_capture import record

UNREADABLE = Effect("", Lock.ROW_EXCLUSIVE, Work.ROWS, recommendations.UNREADABLE)


@dataclass(frozen=True)
class Step:
    """One operation. Its effects are those on tables that others may be using."""

    says: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Stage:
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
class Objection:
    """Why a step should not be done that way on this table."""

    stage: Stage
    step: Step
    table: str
    advice: Advice


def plan_stages(
    migrations: Iterable[tuple[Migration, bool, ProjectState]], known: Known, *, alias: str = DEFAULT_DB_ALIAS
) -> Iterator[Stage]:
    """What these migrations do, each given with whether it is taken back and the state before it, in the order in which
    they run. Tables that one of them makes are nobody's yet, and left out. `known` becomes what stands after them."""
    created: set[str] = set()
    for migration, backwards, state in migrations:
        yield plan_stage(migration, state, known, created, backwards=backwards, alias=alias)


def plan_stage(
    migration: Migration,
    state: ProjectState,
    known: Known,
    created: set[str],
    *,
    backwards: bool = False,
    alias: str = DEFAULT_DB_ALIAS,
) -> Stage:
    """What one migration does. It adds the tables that it makes to `created`."""
    steps = []
    for recorded in record(migration, state, backwards=backwards, alias=alias):
        known.state = recorded.after if backwards else recorded.before
        effects = [UNREADABLE] if recorded.sql is None else []
        for statement in split_statements(recorded.sql or "", constraints=known.constraints):
            effects += find_effects(statement, known)
            learn(statement, known)
            if table := find_created_table(statement):
                created.add(table)
        says = recorded.operation.describe()
        shown = dict.fromkeys(effect for effect in effects if effect.table not in created)
        steps.append(Step(f"Undo: {says}" if backwards else says, tuple(shown)))
    return Stage(migration.app_label, migration.name, backwards, migration.atomic is not False, tuple(steps))


def find_objections(stage: Stage, large: Container[str]) -> Iterator[Objection]:
    """What speaks against running it while others use the tables. Of tables that are not `large`, warnings alone."""
    held = False
    for step in stage.steps:
        for effect in step.effects:
            refused = effect.advice is not None and effect.advice.refused and effect.table in large
            slow = effect.work is not Work.MOMENT and effect.table in large
            if held and not refused and (slow or effect == UNREADABLE):
                yield Objection(stage, step, effect.table, recommendations.HELD)
            elif effect.advice and (refused or not effect.advice.refused):
                yield Objection(stage, step, effect.table, effect.advice)
            held = held or (stage.atomic and effect.lock.blocks_writers and effect.table in large)
