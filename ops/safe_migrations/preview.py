"""Plan of the next `migrate` on a database."""

from collections.abc import Iterator

from django.db import connections
from django.db.migrations import Migration
from django.db.migrations.exceptions import AmbiguityError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from ops.safe_migrations.plan import MigrationPlan, plan_migrations
from ops.safe_migrations.schema_facts import SchemaFacts
from ops.safe_migrations.table_stats import read_facts


class NoSuchMigration(ValueError):
    """The arguments do not name an app with migrations, or exactly one of its migrations."""


def preview(*, app: str = "", name: str = "", alias: str) -> list[MigrationPlan]:
    """Return the plans of `migrate app name` in order. The defaults are the app's latest migration, and all apps.

    Raises:
        NoSuchMigration, IrreversibleError
    """
    executor = MigrationExecutor(connections[alias])
    executor.loader.check_consistent_history(connections[alias])
    plan = executor.migration_plan(_find_targets(executor.loader, app, name))
    facts = read_facts(alias) if connections[alias].vendor == "postgresql" else SchemaFacts()
    return list(plan_migrations(_with_states(executor.loader, plan), facts, alias=alias))


def _find_targets(loader: MigrationLoader, app: str, name: str) -> list[tuple[str, str | None]]:
    if not app:
        return list(loader.graph.leaf_nodes())
    if app not in loader.migrated_apps:
        apps = ", ".join(sorted(loader.migrated_apps))
        raise NoSuchMigration(f"{app!r} isn't an app with migrations. Choose one of {apps}.")
    if not name:
        return list(loader.graph.leaf_nodes(app))
    if name == "zero":
        return [(app, None)]
    try:
        return [(app, loader.get_migration_by_prefix(app, name).name)]
    except (KeyError, AmbiguityError) as error:
        names = ", ".join(sorted(key[1] for key in loader.graph.nodes if key[0] == app))
        raise NoSuchMigration(f"{name!r} must match one migration of {app}. Choose one of {names}.") from error


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
