"""Plan of the next `migrate` on a database."""

from django.db import connections
from django.db.migrations.exceptions import AmbiguityError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from ops.safe_migrations.plan import MigrationPlan, plan_migration
from ops.safe_migrations.schema_facts import SchemaFacts, read_facts


class NoSuchMigration(ValueError):
    """The arguments do not name an app with migrations, or exactly one of its migrations."""


def preview(*, app: str = "", name: str = "", alias: str) -> list[MigrationPlan]:
    """Return the plans of `migrate app name` in order. The defaults are the app's latest migration, and all apps.

    Raises:
        NoSuchMigration, IrreversibleError
    """
    executor = MigrationExecutor(connections[alias])
    executor.loader.check_consistent_history(connections[alias])
    loader, plans, created = executor.loader, [], set[str]()
    facts = read_facts(alias) if connections[alias].vendor == "postgresql" else SchemaFacts()
    latest = loader.project_state([key for key in loader.applied_migrations if key in loader.graph.nodes])
    for migration, backwards in executor.migration_plan(_find_targets(loader, app, name)):
        state = latest
        if backwards:
            state = loader.project_state((migration.app_label, migration.name), at_end=False)
        plans.append(plan_migration(migration, state, facts, created, backwards=backwards, alias=alias))
        if not backwards:
            latest = migration.mutate_state(latest, preserve=False)
    return plans


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
