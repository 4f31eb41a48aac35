"""PgBouncer in transaction mode in front of the first cluster."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2

from drill.observations import Skipped, require, wait_until
from drill.product import USERNAME
from drill.scene import Scene
from drill.texts import count_processed, make_event
from drill.webhooks import post_event
from tests.pgbouncer import PROGRAM, pgbouncer
from tests.postgres_server import APP_ROLE, DATABASE

EVENTS = 10
POOL_SIZE = 2  # fewer than the connections of the web server and the worker
CLIENTS, REQUESTS = 8, 200
SETTINGS = "current_setting('crm.company_id', true), current_setting('crm.all_companies', true)"


def work_through_pooler(scene: Scene) -> str:
    """Start PgBouncer with two server connections, and a web server and a worker that use it alone."""
    product = scene.pooled = scene.install("pooled", url=start_pooler(scene), direct_url=scene.live.direct_url)
    product.start_web()
    product.start_worker()
    product.wait_until_ready()
    product.sign_in()
    listed = product.call_api("GET", "contacts").status_code
    events = [make_event(scene, "Through the pooler") for _ in range(EVENTS)]
    answers = [post_event(product, event).status_code for event in events]
    require((listed, set(answers)) == (200, {200}), f"GET contacts {listed}, webhook events {answers}")
    wait_until(lambda: count_processed(scene.primary, events) == EVENTS, "all webhook events are processed")
    return f"GET contacts {listed}; {EVENTS} webhook events accepted and processed"


def keep_companies_apart(scene: Scene) -> str:
    """Ask as the managers of two companies at once; then look at what the shared connections have kept."""
    product = scene.pooled
    managers = {username: product.sign_in_as(username) for username in (USERNAME, f"{USERNAME}2")}
    own = {
        username: set(scene.primary.fetch(
            "SELECT contacts.id FROM contacts JOIN users USING (company_id) WHERE username = %s", username
        ))
        for username in managers
    }  # fmt: skip

    def see_contacts(number: int) -> bool:
        username = [*managers][number % 2]
        answer = product.call_api("GET", "contacts", headers=managers[username])
        seen = {(contact["id"],) for contact in answer.json()["results"]}
        return bool(seen) and seen <= own[username]

    with ThreadPoolExecutor(CLIENTS) as pool:
        right = sum(pool.map(see_contacts, range(REQUESTS)))
    kept = [fetch_pooled(scene, f"SELECT {SETTINGS}, (SELECT count(*) FROM contacts)")[0] for _ in range(CLIENTS)]
    mode, clients, servers = pool_of(scene)
    saw = (
        f"{right} of {REQUESTS} answers with the own company's contacts alone; {clients} clients shared {servers}"
        f" connections ({mode}), which kept no company and show {max(row[-1] for row in kept)} contacts"
    )
    left = {(company or "", everyone or "", contacts) for company, everyone, contacts in kept}
    require((right, left, mode) == (REQUESTS, {("", "", 0)}, "transaction"), saw)
    require(clients > servers and servers <= POOL_SIZE, saw)
    return saw


def migrate_directly(scene: Scene) -> str:
    """Run `migrate_safely` with the owner's DIRECT_DATABASE_URL beside the pooler."""
    done = scene.pooled.manage_as_owner("migrate_safely").splitlines()[-1]
    scene.pooled.stop()
    return done


def refuse_migrate(scene: Scene) -> str:
    """Run `migrate` through the pooler without DIRECT_DATABASE_URL."""
    refusal = scene.pooled.manage("migrate", status=1).splitlines()[-1]
    require("DIRECT_DATABASE_URL" in refusal, refusal)
    return refusal


def fetch_pooled(scene: Scene, sql: str, *, database: str = DATABASE) -> list[tuple[Any, ...]]:
    """Return the rows of a statement that a new client sends through the pooler."""
    with closing(psycopg2.connect(host=str(scene.pooler), user=APP_ROLE, dbname=database)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()


def pool_of(scene: Scene) -> tuple[str, int, int]:
    """Return the pool mode, and the numbers of connected clients and of the server connections that they share."""
    mode = {row[0]: row[1] for row in fetch_pooled(scene, "SHOW CONFIG", database="pgbouncer")}["pool_mode"]
    clients, servers = (
        sum(1 for row in fetch_pooled(scene, f"SHOW {kind}", database="pgbouncer") if row[2] == DATABASE)
        for kind in ("CLIENTS", "SERVERS")
    )
    return mode, clients, servers


def start_pooler(scene: Scene) -> str:
    """Start PgBouncer. Returns its URL; raises Skipped where it isn't installed."""
    if PROGRAM is None:
        raise Skipped("pgbouncer isn't installed")
    pooler = pgbouncer(server=scene.primary.folder, role=APP_ROLE, pool_size=POOL_SIZE)
    scene.pooler = scene.stack.enter_context(pooler)
    return f"postgres://{APP_ROLE}@/{scene.pooler}/{DATABASE}"


STEPS = (work_through_pooler, keep_companies_apart, migrate_directly, refuse_migrate)
