"""Checks of the migration files for CI, without a database."""

from collections.abc import Container, Iterator

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from ops.safe_migrations.plan import Violation, find_violations, plan_migration
from ops.safe_migrations.schema_facts import SchemaFacts

# These stay small: a row is a company, its user, its phone line, its account or its secret, or a provider.
SMALL_TABLES = {"companies", "users", "phone_lines", "provider_accounts", "webhook_secrets", "provider_health"}


class AllNamesExcept:
    """Every name except these."""

    def __init__(self, names: Container[str]) -> None:
        self.names = names

    def __contains__(self, name: object) -> bool:
        return name not in self.names


def check_files(apps: set[str]) -> Iterator[Violation]:
    """Yield the violations in these apps' migrations, with every table large except the small ones.

    An app's initial migrations have none: its tables are not in use yet. A constraint that is added only if missing
    counts as existing, since no database can be asked.
    """
    graph = MigrationLoader(None).graph
    order = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    state, facts = ProjectState(), SchemaFacts(constraints=AllNamesExcept(()))
    for key in order:
        migration = graph.nodes[key]
        if key[0] in apps:
            created: set[str] = set()
            plan = plan_migration(migration, state, facts, created)  # facts: policies and triggers, too
            if not migration.initial:
                yield from find_violations(plan, AllNamesExcept(SMALL_TABLES | created))
        state = migration.mutate_state(state, preserve=False)
