"""Documentation and the OpenAPI document."""

import pytest
from django.core.management import call_command
from yaml import safe_load

from crm.api.base.schema import TenantSchemaGenerator
from crm.api.schema_view import render_document


@pytest.mark.slow
def test_openapi_document_is_valid(db, tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


@pytest.mark.slow
def test_api_document_is_made_once_for_each_format(client, db, monkeypatch):
    render_document.cache_clear()
    made = []
    get_schema = TenantSchemaGenerator.get_schema
    monkeypatch.setattr(TenantSchemaGenerator, "get_schema", lambda *a, **kw: made.append(1) or get_schema(*a, **kw))
    for _ in range(2):
        json = client.get("/api/schema?nonsense=1", headers={"Accept": "application/vnd.oai.openapi+json"})
        yaml = client.get("/api/schema?version=2")
    assert len(made) == 2
    assert "max-age" in json["Cache-Control"]
    assert json["Content-Type"].startswith("application/vnd.oai.openapi+json")
    assert safe_load(yaml.content) == json.json()


@pytest.mark.parametrize("url", ["/api/schema", "/api/docs"])
def test_documentation_is_public(url, client, db):
    assert client.get(url).status_code == 200
