"""What the migration files would do to tables in use: for CI, without a database."""

from collections.abc import Container, Iterator

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from ops.safe_migrations.plan import Violation, find_violations, plan_migration
from ops.safe_migrations.schema_facts import SchemaFacts

# However long we run, these stay small: a row is a company, a person who works there, or an account of theirs.
SMALL_TABLES = {"companies", "users", "phone_lines", "provider_accounts", "webhook_secrets"}


class _AllBut:
    """Every name but these."""

    def __init__(self, names: Container[str]) -> None:
        self.names = names

    def __contains__(self, name: object) -> bool:
        return bool(name) and name not in self.names


def check_files(apps: set[str]) -> Iterator[Violation]:
    """Objections to the migrations of these apps, with each table taken for large that isn't always small.

    An app's initial ones are fine, since nobody uses its tables yet. A constraint that is added where it is missing is
    taken to stand: only the database knows.
    """
    graph = MigrationLoader(None).graph
    order = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    state, facts = ProjectState(), SchemaFacts(constraints=_AllBut(()))
    for key in order:
        migration = graph.nodes[key]
        if key[0] in apps and not migration.initial:
            created: set[str] = set()
            plan = plan_migration(migration, state, facts, created)
            yield from find_violations(plan, _AllBut(SMALL_TABLES | created))
        state = migration.mutate_state(state, preserve=False)
