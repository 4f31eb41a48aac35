"""Objections as rows: always those of each call's latest analysis, whoever wrote."""

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
    """What is there: (call, label, analyzed_at)."""
    with all_tenants():
        return set(CallObjection.objects.values_list("call", "label", "analyzed_at"))


def expected():
    """What should be there, found the plain way: row by row, in Python."""
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


def analyse(call, chance, **values):
    return CallAnalysisFactory(
        call=call,
        objections=chance.choices(LABELS, k=chance.randrange(4)),
        analyzed_at=MOMENT + timedelta(hours=chance.randrange(4)),
        **values,
    )


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_rows_are_those_of_the_latest_analyses(seed, acme, globex):
    chance = random.Random(seed)  # noqa: S311  # no secret
    calls = [*make_calls(acme, 3), *make_calls(globex, 3)]

    def some():
        ids = list(CallAnalysis.objects.values_list("pk", flat=True))
        return CallAnalysis.objects.filter(pk__in=chance.sample(ids, min(len(ids), chance.choice([1, 3]))))

    def insert_in_bulk():
        made = [
            CallAnalysis(
                company_id=call.company_id, call=call, objections=chance.choices(LABELS, k=2), analyzed_at=MOMENT
            )
            for call in chance.sample(calls, 4)
        ]
        CallAnalysis.objects.bulk_create(made)

    def write_no_list():
        with connection.cursor() as cursor:
            for pk in some().values_list("pk", flat=True):
                cursor.execute("UPDATE call_analysis SET objections = %s WHERE id = %s", ['{"price": 1}', pk])

    def move_to_another_call():
        call = chance.choice(calls)
        some().update(call=call, company=call.company_id)

    def delete_call():
        gone = calls.pop(chance.randrange(len(calls)))
        Call.objects.get(pk=gone.pk).delete()
        calls.extend(make_calls(gone.company, 1))

    events = [
        insert_in_bulk, write_no_list, move_to_another_call, delete_call,
        lambda: analyse(chance.choice(calls), chance),
        lambda: some().update(objections=chance.choices(LABELS, k=2)),
        lambda: some().update(analyzed_at=F("analyzed_at") - timedelta(hours=2)),
        lambda: some().update(summary="Nothing that counts."),
        lambda: some().delete(),
    ]  # fmt: skip
    for _ in range(50):
        with all_tenants():
            chance.choice(events)()
        assert rows() == expected()
    assert count_wrong_objections(company=acme) == count_wrong_objections(company=globex) == 0


def test_an_analysis_without_objections_takes_those_of_the_one_before_away(acme):
    [call] = make_calls(acme, 1)
    CallAnalysisFactory(call=call, objections=["price"], analyzed_at=MOMENT)
    later = CallAnalysisFactory(call=call, objections=[], analyzed_at=MOMENT + timedelta(hours=1))
    assert rows() == set()
    with tenant(acme.pk):
        later.delete()
    assert rows() == {(call.pk, "price", MOMENT)}


def test_the_command_finds_and_mends_what_no_trigger_has_seen(acme, capsys):
    [call] = make_calls(acme, 1)
    CallAnalysisFactory(call=call, objections=["price", "trust"], analyzed_at=MOMENT)
    call_command("rebuild_rollups", "--check")
    with tenant(acme.pk):
        CallObjection.objects.filter(label="price").delete()
    with pytest.raises(CommandError, match="1 days or calls differ"):
        call_command("rebuild_rollups", "--check")
    call_command("rebuild_rollups")
    assert "there are 2 objections" in capsys.readouterr().out
    assert rows() == expected()


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_of_analyses_written_side_by_side_the_latest_counts(acme):
    calls = make_calls(acme, 2)

    def write(seed):
        chance = random.Random(seed)  # noqa: S311  # no secret
        try:
            for _ in range(30):
                analyse(chance.choice(calls), chance)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=3) as pool:
        for writer in [pool.submit(partial(write, seed)) for seed in range(3)]:
            writer.result()
    assert rows() == expected()


@postgres_only
def test_emptying_the_table_empties_the_rows(acme, globex):
    for company in (acme, globex):
        CallAnalysisFactory(call=make_calls(company, 1)[0])
    with tenant(acme.pk), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE call_analysis")
    assert rows() == set()
