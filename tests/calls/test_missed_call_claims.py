"""Claims of missed callers, and who recovered whom."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from calls.models import MissedCaller
from calls.services.claims import claim_caller
from calls.services.missed_calls import queue_missed_call
from crm.db.tenancy import tenant
from tests.conftest import postgres_only, signed_in
from tests.db.scratch import wait_until
from tests.errors import code_of, detail_of
from tests.factories import CallFactory, ContactFactory, MessageFactory, MissedCallerFactory, UserFactory

MINUTE = timedelta(minutes=1)


@pytest.fixture
def caller(in_acme):
    return MissedCallerFactory(contact=ContactFactory(company=in_acme))


@pytest.fixture
def colleague_api(in_acme):
    return signed_in(UserFactory(company=in_acme, role="csr"))


def url(caller, action):
    return f"/api/v1/missed-calls/{caller.pk}/{action}"


def test_colleague_sees_who_calls_back(caller, csr_api, csr, colleague_api):
    row = csr_api.post(url(caller, "claim")).json()
    assert row["claimed_by"] == csr.pk
    response = colleague_api.post(url(caller, "claim"))
    assert (response.status_code, code_of(response)) == (409, "already_claimed")
    assert detail_of(response) == f"{csr} is calling back already."
    seen = colleague_api.get(url(caller, "")[:-1]).json()
    assert (seen["claimed_by"], seen["claimed_until"]) == (csr.pk, row["claimed_until"])


def test_claim_is_renewed_and_ends_by_itself(caller, csr_api, colleague_api):
    first = csr_api.post(url(caller, "claim")).json()["claimed_until"]
    assert csr_api.post(url(caller, "claim")).json()["claimed_until"] > first
    MissedCaller.objects.filter(pk=caller.pk).update(claimed_until=timezone.now())
    assert colleague_api.post(url(caller, "claim")).status_code == 200


def test_claim_is_released_by_its_owner_or_a_manager(caller, csr_api, colleague_api, manager_api):
    csr_api.post(url(caller, "claim"))
    refused = colleague_api.post(url(caller, "release"))
    assert (refused.status_code, code_of(refused)) == (403, "not_yours")
    for api in (csr_api, manager_api):
        csr_api.post(url(caller, "claim"))
        row = api.post(url(caller, "release")).json()
        assert (row["claimed_by"], row["claimed_until"]) == (None, None)


def test_reached_caller_is_not_claimed_and_loses_the_claim(caller, csr_api, csr):
    csr_api.post(url(caller, "claim"))
    row = csr_api.post(url(caller, "recover")).json()
    assert (row["recovered_by"], row["recovered_user"], row["claimed_by"]) == ("manual", csr.pk, None)
    response = csr_api.post(url(caller, "claim"))
    assert (response.status_code, code_of(response)) == (409, "not_waiting")


@postgres_only
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_the_same_time_one_wins(acme):
    caller = MissedCallerFactory(contact=ContactFactory(company=acme))
    users = [UserFactory(company=acme, role="csr") for _ in range(6)]
    apis, start = [signed_in(user) for user in users], threading.Barrier(6)
    apis[0].get("/api/v1/missed-calls")  # loads the routes, which threads can't do together

    def claim(api):
        try:
            start.wait()
            return api.post(url(caller, "claim")).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(claim, apis)) == [200] + [409] * 5


def waits_for_this_session():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return cursor.fetchone()[0]


@postgres_only
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_claim_outlives_a_missed_call_at_the_same_time(acme):
    with tenant(acme.pk):
        caller = MissedCallerFactory(contact=ContactFactory(company=acme))
        call = CallFactory(contact=caller.contact, status="missed")
        user = UserFactory(company=acme, role="csr")

    def count_call():
        try:
            with tenant(acme.pk):
                queue_missed_call(call=call, contact=call.contact)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with tenant(acme.pk), transaction.atomic():
            claim_caller(caller=caller, user=user)
            counted = pool.submit(count_call)
            wait_until(lambda: counted.done() or waits_for_this_session())
        counted.result()
    with tenant(acme.pk):
        assert MissedCaller.objects.get().claimed_by == user


# --- Undoing ----------------------------------------------------------------------------------------------------------


def test_mark_is_taken_back(caller, csr_api):
    csr_api.post(url(caller, "recover"))
    row = csr_api.post(url(caller, "undo")).json()
    assert (row["recovered_at"], row["recovered_by"], row["recovered_user"]) == (None, "", None)


@pytest.mark.parametrize("recovered_by", ["", "reply"])
def test_only_a_mark_is_taken_back(in_acme, csr_api, recovered_by):
    recovered_at = timezone.now() if recovered_by else None
    caller = MissedCallerFactory(
        contact=ContactFactory(company=in_acme), recovered_at=recovered_at, recovered_by=recovered_by
    )
    response = csr_api.post(url(caller, "undo"))
    assert (response.status_code, code_of(response)) == (409, "not_marked")


def test_caller_who_was_reached_meanwhile_is_recovered_by_that(caller, csr_api):
    MissedCaller.objects.filter(pk=caller.pk).update(last_missed_at=timezone.now() - 2 * MINUTE)
    csr_api.post(url(caller, "recover"))
    reply = MessageFactory(contact=caller.contact, activity__created_at=timezone.now() - MINUTE)
    row = csr_api.post(url(caller, "undo")).json()
    assert row["recovered_by"] == "reply"
    assert row["recovered_at"] == reply.activity.created_at.isoformat().replace("+00:00", "Z")


def test_later_missed_calls_join_the_entry_again(caller, csr_api):
    now = timezone.now()
    MissedCaller.objects.filter(pk=caller.pk).update(
        first_missed_at=now - 9 * MINUTE, last_missed_at=now - 9 * MINUTE, recovered_at=now - 5 * MINUTE,
        recovered_by="manual",
    )  # fmt: skip
    MissedCallerFactory(
        contact=caller.contact, missed_calls=2, first_missed_at=now - 3 * MINUTE, last_missed_at=now - MINUTE
    )
    row = csr_api.post(url(caller, "undo")).json()
    assert (row["missed_calls"], row["recovered_at"]) == (3, None)
    assert row["last_missed_at"] == (now - MINUTE).isoformat().replace("+00:00", "Z")
    assert MissedCaller.objects.get() == caller
