"""Clusters, demo data, and the product's processes."""

from drill.clusters import OWNER, Cluster
from drill.product import COMPANY
from drill.scene import Scene
from drill.webhooks import SECRET
from tests.postgres_server import APP_ROLE
from tests.provider_server import KEY, ProviderServer

SEED = ["--companies", "2", "--contacts", "60", "--calls", "400", "--days", "90"]


def start_clusters(scene: Scene) -> str:
    """Start two clusters, each with an owner, an application role and a backup role."""
    scene.provider = scene.stack.enter_context(ProviderServer(requests_per_second=1000))
    scene.primary, scene.second = scene.start_cluster(Cluster()), scene.start_cluster(Cluster())
    scene.live = scene.install("live", url=scene.primary.url_of(APP_ROLE), direct_url=scene.primary.url_of(OWNER))
    return f"PostgreSQL {scene.primary.fetch('SHOW server_version')[0][0]}, two clusters"


def migrate(scene: Scene) -> str:
    """Run `migrate_safely` on the first cluster, then `grant_app_role crm --apply`."""
    scene.live.manage_as_owner("migrate_safely")
    scene.live.manage_as_owner("grant_app_role", APP_ROLE, "--apply")
    tables = scene.primary.count("pg_tables WHERE schemaname = 'public'")
    return f"{scene.primary.count('django_migrations')} migrations applied, {tables} tables"


def make_demo(scene: Scene) -> str:
    """Run `seed_demo`, `webhook_secret --add -` and `provider_account --set-key -`."""
    # Production refuses it, and it makes temporary tables, which the application role may not.
    scene.live.manage("seed_demo", *SEED, ENVIRONMENT="development", DATABASE_URL=scene.live.direct_url)
    scene.live.manage("webhook_secret", COMPANY, "openphone", "--add", "-", given=SECRET)
    scene.live.manage("provider_account", COMPANY, "openphone", "--set-key", "-", given=KEY)
    for provider_id, number in scene.primary.fetch("SELECT provider_id, number FROM phone_lines"):
        scene.provider.openphone.add_line(provider_id, number)
    tables = ("companies", "contacts", "calls", "message_threads")
    return ", ".join(f"{scene.primary.count(table)} rows in {table}" for table in tables)


def start_web(scene: Scene) -> str:
    """Start gunicorn with production's settings, and sign in."""
    scene.live.start_web()
    seconds = scene.live.wait_until_ready()
    scene.live.sign_in()
    return f"/readyz 200 after {seconds:.1f} s; the manager is signed in"


STEPS = (start_clusters, migrate, make_demo, start_web)
