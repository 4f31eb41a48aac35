"""Removal of expired rows."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils.timezone import now
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from crm.api.tokens import SessionToken
from crm.db.rate_counters import TABLE, count_up
from crm.db.tenancy import all_tenants
from crm.models import IdempotencyKey
from crm.services.expiry_cleanup import remove_expired
from tests.factories import IdempotencyKeyFactory

pytestmark = pytest.mark.django_db


def test_keys_older_than_a_day_are_removed():
    IdempotencyKeyFactory(created_at=now() - timedelta(hours=25))
    kept = IdempotencyKeyFactory(created_at=now() - timedelta(hours=23))
    remove_expired()
    with all_tenants():
        assert list(IdempotencyKey.objects.all()) == [kept]


def test_expired_tokens_and_sessions_are_removed(csr):
    for token in SessionToken.for_user(csr), SessionToken.for_user(csr):
        token.blacklist()
    gone = OutstandingToken.objects.order_by("id").first()
    OutstandingToken.objects.filter(pk=gone.pk).update(expires_at=now() - timedelta(seconds=1))
    Session.objects.create(session_key="old", expire_date=now() - timedelta(seconds=1))
    Session.objects.create(session_key="new", expire_date=now() + timedelta(hours=1))
    remove_expired()
    assert OutstandingToken.objects.count() == 1
    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]


def test_counters_of_past_minutes_are_removed():
    count_up("before")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET minute = minute - 2")
    count_up("now")
    remove_expired()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key FROM {TABLE} WHERE key IN ('before', 'now')")
        assert cursor.fetchall() == [("now",)]
