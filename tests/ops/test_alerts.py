"""The alert rules of deploy/prometheus, evaluated against the product's own /metrics."""

import json
import math
import operator
import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from cryptography.fernet import Fernet
from django.test import override_settings
from django.utils.timezone import now
from prometheus_client.parser import text_string_to_metric_families

from config.request_metrics import DURATIONS
from crm.worker import job_names
from messaging.providers.errors import UnknownOutcome
from messaging.services.outbound.provider_health import OUTAGE_AFTER, call_provider
from tests import factories
from tests.promtool import PROMTOOL, check_rules, failed_expectations

FILE = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "alerts.yml"
RULES = {rule["alert"]: rule["expr"] for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]}
TOKEN = "one-that-only-prometheus-knows"
COMPARISON = re.compile(r"(increase\()?(\w+)(?:\{(.*?)\})?(?:\[\w+\]\))? (>|==) (\d+)")
SHARE = re.compile(r"sum\(rate\((\w+)\{(.*)\}\[5m\]\)\) / sum\(rate\(\1\[5m\]\)\) > ([\d.]+)")
QUANTILE = re.compile(r"histogram_quantile\(([\d.]+), sum by \(le\) \(rate\((\w+)\[5m\]\)\)\) > (\d+)")
ABSENT = re.compile(r"absent\((\w+)\)")
COMPARE = {">": operator.gt, "==": operator.eq}


@pytest.fixture
def read_samples(client, db, settings):
    settings.METRICS_TOKEN = TOKEN
    settings.STORAGES = settings.STORAGES | {"files": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}

    def read():
        text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    return read


def matches(labels, matcher):
    name, negated, value = re.fullmatch(r'(\w+)(!?)="(.*)"', matcher).groups()
    return (labels[name] == value) != bool(negated)


def increases(metric, start, after):
    """Return the increase of each of the metric's samples, with the sample's labels."""
    return [
        (sample.labels, sample.value - start.get((sample.name, *sample.labels.items()), 0))
        for sample in after
        if sample.name == metric
    ]


def share_exceeds(found, start, after):
    metric, matcher, limit = found.groups()
    rows = increases(metric, start, after)
    part = sum(value for labels, value in rows if matches(labels, matcher))
    return part > float(limit) * sum(value for _, value in rows)


def quantile_exceeds(found, start, after):
    """Return whether the quantile lies in a bucket above the limit, which is the bound of a bucket."""
    quantile, metric, limit = found.groups()
    rows = increases(metric, start, after)
    total, within = (
        sum(value for labels, value in rows if float(labels["le"]) == bound) for bound in (math.inf, float(limit))
    )
    return within < float(quantile) * total


def firing(before, after):
    """Return the alerts whose expression is true now. `before` is the scrape that increases are measured from."""
    start = {(sample.name, *sample.labels.items()): sample.value for sample in before}
    found = set()
    for alert, expression in RULES.items():
        for pattern, exceeds in ((SHARE, share_exceeds), (QUANTILE, quantile_exceeds)):
            if (request_rule := pattern.fullmatch(expression)) and exceeds(request_rule, start, after):
                found.add(alert)
        if missing := ABSENT.fullmatch(expression):
            if not [sample for sample in after if sample.name == missing[1]]:
                found.add(alert)
            continue
        if "rate(" in expression:
            continue
        for part in expression.split(" or "):
            increase, metric, labels, comparison, limit = COMPARISON.fullmatch(part).groups()
            for sample in after:
                if sample.name != metric or not all(matches(sample.labels, one) for one in filter(None, [labels])):
                    continue
                value = sample.value
                if increase:
                    value -= start[sample.name, *sample.labels.items()]
                if COMPARE[comparison](value, float(limit)):
                    found.add(alert)
    return found


@pytest.fixture
def worker(db):
    return factories.WorkerHeartbeatFactory(jobs=job_names())


def fail_calls(count):
    def fail():
        raise UnknownOutcome("No answer.")

    for _ in range(count):
        with pytest.raises(UnknownOutcome):
            call_provider(provider="openphone", call=fail)


def serve(*, good, status="2xx", others, seconds=0.1):
    """Count requests: good ones, and others with this status and duration."""
    for number in range(good + others):
        labels = ("api/v1/contacts", "GET", "2xx" if number < good else status)
        DURATIONS.labels(*labels).observe(0.1 if number < good else seconds)


def queue(acme, **values):
    values = {"kind": "reply", "run_at": now() + timedelta(seconds=10)} | values
    return factories.MessageFactory(contact__company=acme, direction="outgoing", status="queued", **values)


def store_with_lost_key(acme):
    with override_settings(SECRETS_KEYS=[Fernet.generate_key().decode()]):
        factories.WebhookSecretFactory(company=acme)


def lose_worker(acme, worker):
    worker.seen_at = now() - timedelta(minutes=5)
    worker.save()


SITUATIONS = {
    "nothing is wrong": (lambda acme, worker: None, set()),
    "the worker was stopped": (lambda acme, worker: worker.delete(), {"WorkerStopped"}),
    "the worker was killed": (lose_worker, {"WorkerStopped", "WorkerLost"}),
    "one job has no worker": (
        lambda acme, worker: type(worker).objects.update(jobs=worker.jobs[1:]),
        {"WorkerStopped"},
    ),
    "one delivery is dead": (
        lambda acme, worker: factories.WebhookEventFactory(company=acme, status="dead"),
        {"DeliveryDead"},
    ),
    "a delivery fails": (
        lambda acme, worker: factories.WebhookEventFactory(company=acme, tries=1),
        {"DeliveriesFailing"},
    ),
    "a delivery is old": (
        lambda acme, worker: factories.WebhookEventFactory(company=acme, created_at=now() - timedelta(seconds=90)),
        {"DeliveriesWait"},
    ),
    "two calls had no answer": (lambda acme, worker: fail_calls(OUTAGE_AFTER - 1), set()),
    "the provider is down": (lambda acme, worker: fail_calls(OUTAGE_AFTER), {"ProviderDown"}),
    "the provider has been down for long": (lambda acme, worker: fail_calls(21), {"ProviderDown", "ProviderFails"}),
    "a line is paused": (
        lambda acme, worker: factories.PhoneLineFactory(company=acme, paused_until=now() + timedelta(hours=1)),
        {"LinePaused"},
    ),
    "a reply is retried for an hour": (
        lambda acme, worker: queue(acme, created_at=now() - timedelta(hours=1)),
        {"TextsWait"},
    ),
    "a long campaign runs": (
        lambda acme, worker: queue(acme, kind="campaign", created_at=now() - timedelta(hours=1)),
        set(),
    ),
    "a reminder waits for the morning": (
        lambda acme, worker: queue(
            acme, kind="reminder", created_at=now() - timedelta(hours=1), run_at=now() + timedelta(hours=8)
        ),
        set(),
    ),
    "a message is held": (lambda acme, worker: factories.HeldMessageFactory(contact__company=acme), {"TextsHeld"}),
    "a mail could not be sent": (lambda acme, worker: factories.MailFactory(state="failed"), {"MailsFail"}),
    "a mail is tried again": (lambda acme, worker: factories.MailFactory(attempts=3), set()),
    "a file can't be moved": (
        lambda acme, worker: factories.StoredObjectFactory(company=acme, error="No space left."),
        {"FileMovesFail"},
    ),
    "a secret's key is missing": (lambda acme, worker: store_with_lost_key(acme), {"SecretsUnreadable"}),
    "one request in a hundred fails": (lambda acme, worker: serve(good=99, others=1, status="5xx"), set()),
    "two requests in a hundred fail": (lambda acme, worker: serve(good=98, others=2, status="5xx"), {"RequestsFail"}),
    "refused requests are no failures": (lambda acme, worker: serve(good=50, others=50, status="4xx"), set()),
    "one request in a hundred is slow": (lambda acme, worker: serve(good=99, others=1, seconds=2), set()),
    "one request in ten is slow": (lambda acme, worker: serve(good=90, others=10, seconds=2), {"RequestsSlow"}),
    "a message fails by an internal error": (lambda acme, worker: queue(acme, tries=1), {"InternalErrors"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_situation_raises_its_alerts(situation, read_samples, acme, worker):
    arise, expected = SITUATIONS[situation]
    before = read_samples()
    arise(acme, worker)
    after = read_samples()
    assert firing(before, after) == expected
    if PROMTOOL:
        judged = {expression: alert in expected for alert, expression in RULES.items()}
        assert failed_expectations(judged, before, after) == ""


def test_database_or_web_server_that_is_down_raises_an_alert():
    assert firing([], []) == {"MetricsMissing"}


@pytest.mark.skipif(not PROMTOOL, reason="promtool isn't installed")
def test_prometheus_loads_the_rules_and_the_expressions_of_the_dashboard():
    assert check_rules(yaml.safe_load(FILE.read_text())) == ""
    dashboard = json.loads((FILE.parents[1] / "grafana" / "dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    rules = [
        {"record": f"panel_{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions)
    ]
    assert check_rules({"groups": [{"name": "dashboard", "rules": rules}]}) == ""


def test_every_rule_has_a_situation_or_is_tested_elsewhere(db):
    tested = set().union(*(alerts for _, alerts in SITUATIONS.values()))
    assert RULES.keys() - tested == {"IndexBroken", "MetricsMissing"}


def test_every_rule_asks_for_existing_metrics(read_samples, worker):
    serve(good=1, others=0)
    names = {sample.name for sample in read_samples()} | {"crm_indexes_invalid", "crm_indexes_missing"}
    asked = {metric for rule in RULES.values() for metric in re.findall(r"crm_\w+", rule)}
    assert asked <= names
