"""Health and readiness checks for load balancers."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse


def healthz(_request: HttpRequest) -> JsonResponse:
    """Report that the process is alive. Checks nothing else: a database outage must not restart every server."""
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """Report whether the database is reachable and fully migrated; else 503 with the missing migrations."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return JsonResponse({"status": "no database", "reason": type(error).__name__}, status=503)
    if missing:
        names = [f"{migration.app_label}.{migration.name}" for migration, _ in missing]
        return JsonResponse({"status": "migrations missing", "migrations": names}, status=503)
    return JsonResponse({"status": "ready"})
