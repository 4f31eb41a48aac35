"""Health checks, documentation and the OpenAPI document."""

import pytest
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder


def test_health_checks_succeed(client, db):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_missing_migration_fails_readiness(client, db):
    MigrationRecorder.Migration.objects.filter(app="crm", name="0002_performance_indexes").delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["migrations"] == ["crm.0002_performance_indexes"]


def test_openapi_document_is_valid(db, tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


@pytest.mark.parametrize("url", ["/api/schema", "/api/docs"])
def test_documentation_is_public(url, client, db):
    assert client.get(url).status_code == 200
