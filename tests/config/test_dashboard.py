"""The Grafana dashboard against the metrics that the server has."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection  # noqa: F401  # for the mark
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import postgres_only

TOKEN = "one-that-only-prometheus-knows"
LABEL = re.compile(r"\b(?:by|on) \(([^)]*)\)|(\w+)(?:=~?)\"|\{\{(\w+)\}\}")


@pytest.fixture(scope="module")
def dashboard():
    return json.loads(Path(django_settings.BASE_DIR, "deploy", "grafana", "dashboard.json").read_text())


@pytest.fixture
def samples(client, db, settings):
    """The samples of `/metrics`, after one request."""
    settings.METRICS_TOKEN = TOKEN
    client.get("/nowhere")
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def panels_of(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets_of(dashboard):
    return [target for panel in panels_of(dashboard) for target in panel["targets"]]


def test_dashboard_has_the_parts_that_grafana_reads(dashboard):
    assert dashboard["schemaVersion"] >= 36
    assert (dashboard["uid"], dashboard["title"]) == ("home-services-crm", "Home-services CRM")
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    rows = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert rows == ["Requests", "Errors", "Webhook events", "Texts", "Workers", "Indexes and tables"]


def test_panels_name_what_they_show_and_do_not_overlap(dashboard):
    occupied = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & occupied, panel["title"]
        assert place["x"] + place["w"] <= 24
        occupied |= cells
    for panel in panels_of(dashboard):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"


def test_expressions_are_balanced(dashboard):
    for target in targets_of(dashboard):
        for opening, closing in ("()", "[]", "{}"):
            assert target["expr"].count(opening) == target["expr"].count(closing), target["expr"]


@postgres_only
def test_expressions_name_metrics_and_labels_that_exist(dashboard, samples):
    labels_of = {}
    for sample in samples:
        labels_of.setdefault(sample.name, set()).update(sample.labels)
    for target in targets_of(dashboard):
        names = set(re.findall(r"\bcrm_\w+", target["expr"]))
        assert names, target["expr"]
        assert names <= labels_of.keys(), target["expr"]
        used = " ".join("".join(found) for found in LABEL.findall(target["expr"] + target["legendFormat"]))
        labels = set(re.findall(r"\w+", used))
        assert labels <= set.union(*(labels_of[name] for name in names)), target["expr"]
