"""Objections: kept equal to the labels of each call's latest analysis."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from analytics.models import CallAnalysis, CallObjection
from analytics.rollups.objections import count_wrong_objections
from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from tests.conftest import postgres_only
from tests.factories import CallAnalysisFactory, CallFactory

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 3, 2, 16, tzinfo=UTC)
LABELS = ["price", " Price ", "PRICE", "timing", "trust", " ", "", "x" * 300]


def rows():
    """Read (call, label, analyzed_at) of each objection."""
    with all_tenants():
        return set(CallObjection.objects.values_list("call", "label", "analyzed_at"))


def expected():
    """Compute the objections from the analyses in Python, row by row."""
    with all_tenants():
        latest = {analysis.call_id: analysis for analysis in CallAnalysis.objects.order_by("analyzed_at", "pk")}
    return {
        (call, label.strip().lower()[:255], analysis.analyzed_at)
        for call, analysis in latest.items()
        if isinstance(analysis.objections, list)
        for label in analysis.objections
        if label.strip()
    }


def make_calls(company, count):
    return CallFactory.create_batch(count, company=company, contact=None)


def analyse(call, rng, **values):
    return CallAnalysisFactory(
        call=call,
        objections=rng.choices(LABELS, k=rng.randrange(4)),
        analyzed_at=MOMENT + timedelta(hours=rng.randrange(4)),
        **values,
    )


@pytest.mark.parametrize("seed", range(3))
def test_objections_match_the_latest_analyses_after_random_writes(seed, acme, globex):
    rng = random.Random(seed)  # noqa: S311  # no secret
    calls = [*make_calls(acme, 3), *make_calls(globex, 3)]

    def sample():
        ids = list(CallAnalysis.objects.values_list("pk", flat=True))
        return CallAnalysis.objects.filter(pk__in=rng.sample(ids, min(len(ids), rng.choice([1, 3]))))

    def insert_in_bulk():
        analyses = [
            CallAnalysis(company_id=call.company_id, call=call, objections=rng.choices(LABELS, k=2), analyzed_at=MOMENT)
            for call in rng.sample(calls, 4)
        ]
        CallAnalysis.objects.bulk_create(analyses)

    def write_an_object():
        with connection.cursor() as cursor:
            for pk in sample().values_list("pk", flat=True):
                cursor.execute("UPDATE call_analysis SET objections = %s WHERE id = %s", ['{"price": 1}', pk])

    def move_to_another_call():
        call = rng.choice(calls)
        sample().update(call=call, company=call.company_id)

    def delete_call():
        deleted = calls.pop(rng.randrange(len(calls)))
        Call.objects.get(pk=deleted.pk).delete()
        calls.extend(make_calls(deleted.company, 1))

    changes = [
        insert_in_bulk, write_an_object, move_to_another_call, delete_call,
        lambda: analyse(rng.choice(calls), rng),
        lambda: sample().update(objections=rng.choices(LABELS, k=2)),
        lambda: sample().update(analyzed_at=F("analyzed_at") - timedelta(hours=2)),
        lambda: sample().update(summary="Not an objection."),
        lambda: sample().delete(),
    ]  # fmt: skip
    for _ in range(50):
        with all_tenants():
            rng.choice(changes)()
        assert rows() == expected()
    assert count_wrong_objections(company=acme) == count_wrong_objections(company=globex) == 0


def test_analysis_without_objections_replaces_those_of_the_previous_one(acme):
    [call] = make_calls(acme, 1)
    CallAnalysisFactory(call=call, objections=["price"], analyzed_at=MOMENT)
    later = CallAnalysisFactory(call=call, objections=[], analyzed_at=MOMENT + timedelta(hours=1))
    assert rows() == set()
    with tenant(acme.pk):
        later.delete()
    assert rows() == {(call.pk, "price", MOMENT)}


def test_rebuild_rollups_repairs_objections(acme, capsys):
    [call] = make_calls(acme, 1)
    CallAnalysisFactory(call=call, objections=["price", "trust"], analyzed_at=MOMENT)
    call_command("rebuild_rollups", "--check")
    with tenant(acme.pk):
        CallObjection.objects.filter(label="price").delete()
    with pytest.raises(CommandError, match="1 days, calls or campaigns differ"):
        call_command("rebuild_rollups", "--check")
    call_command("rebuild_rollups")
    assert "2 objections" in capsys.readouterr().out
    assert rows() == expected()


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_latest_of_concurrent_analyses_counts(acme):
    calls = make_calls(acme, 2)

    def write(seed):
        rng = random.Random(seed)  # noqa: S311  # no secret
        try:
            for _ in range(30):
                analyse(rng.choice(calls), rng)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=3) as pool:
        for writer in [pool.submit(partial(write, seed)) for seed in range(3)]:
            writer.result()
    assert rows() == expected()


@postgres_only
def test_truncate_deletes_objections(acme, globex):
    for company in (acme, globex):
        CallAnalysisFactory(call=make_calls(company, 1)[0])
    with tenant(acme.pk), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE call_analysis")
    assert rows() == set()
