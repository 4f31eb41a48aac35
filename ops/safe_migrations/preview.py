"""The plan of a `migrate` to come, on the database as it stands."""

from collections.abc import Iterator

from django.db import connections
from django.db.migrations import Migration
from django.db.migrations.exceptions import AmbiguityError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from ops.safe_migrations.plan import MigrationPlan, plan_migrations
from ops.safe_migrations.schema_facts import SchemaFacts
from ops.safe_migrations.table_stats import read_known


class NoSuchMigration(ValueError):
    """The arguments name no app with migrations, or not exactly one of its migrations."""


def preview(*, app: str = "", name: str = "", alias: str) -> list[MigrationPlan]:
    """What `migrate app name` would run now, in this order. Without a name to the app's latest, without an app all.

    Raises:
        NoSuchMigration, IrreversibleError
    """
    executor = MigrationExecutor(connections[alias])
    executor.loader.check_consistent_history(connections[alias])
    plan = executor.migration_plan(_find_targets(executor.loader, app, name))
    facts = read_known(alias) if connections[alias].vendor == "postgresql" else SchemaFacts()
    return list(plan_migrations(_with_states(executor.loader, plan), facts, alias=alias))


def _find_targets(loader: MigrationLoader, app: str, name: str) -> list[tuple[str, str | None]]:
    if not app:
        return list(loader.graph.leaf_nodes())
    if app not in loader.migrated_apps:
        facts = ", ".join(sorted(loader.migrated_apps))
        raise NoSuchMigration(f"There is no app {app!r} with migrations; there are {facts}.")
    if not name:
        return list(loader.graph.leaf_nodes(app))
    if name == "zero":
        return [(app, None)]
    try:
        return [(app, loader.get_migration_by_prefix(app, name).name)]
    except (KeyError, AmbiguityError) as error:
        facts = ", ".join(sorted(key[1] for key in loader.graph.nodes if key[0] == app))
        raise NoSuchMigration(f"{name!r} begins no, or more than one, migration of {app}: {facts}.") from error


def _with_states(
    loader: MigrationLoader, plan: list[tuple[Migration, bool]]
) -> Iterator[tuple[Migration, bool, ProjectState]]:
    state = loader.project_state([key for key in loader.applied_migrations if key in loader.graph.nodes])
    for migration, backwards in plan:
        if backwards:
            yield migration, True, loader.project_state((migration.app_label, migration.name), at_end=False)
        else:
            yield migration, False, state
            state = migration.mutate_state(state, preserve=False)
