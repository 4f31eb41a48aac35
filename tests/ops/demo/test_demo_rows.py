"""Rows of demo data: of every kind in every company, consistent and believable."""

import re
from collections import Counter, defaultdict
from datetime import date
from statistics import median

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.db.models import Count, F, Max, Min

from analytics.models import ArchivedCalls, ArchivedChunk, ArchivedObjections, CallAnalysis, StaleCallHour
from calls.choices import CallStatus
from calls.models import Appointment, Call, MissedCaller
from crm.db.tenancy import TenantModel, all_tenants, tenant
from crm.models import (
    Activity,
    ArchivedId,
    AuditEntry,
    Change,
    Company,
    Contact,
    ContactFlag,
    ContactPhone,
    ContactSearchKey,
    Conversation,
    IdempotencyKey,
    OptOut,
    OutgoingEvent,
    OutgoingWebhook,
    PhoneLine,
    StoredObject,
    SuppressedNumber,
    User,
)  # fmt: skip
from crm.models.audit import hash_number
from crm.phones import normalize_phone
from crm.search_keys import keys_of
from messaging.models import Message, ProviderAccount, WebhookEvent, WebhookSecret
from ops.demo import remove_demo, seed_demo
from tests.ops.demo.test_demo import demo_tables

pytestmark = pytest.mark.slow
UNTIL = date(2026, 3, 1)
SIZE = {"companies": 2, "contacts": 200, "calls": 4000, "days": 90, "seed": 1, "until": UNTIL}
FICTIONAL = re.compile(r"\+1[2-9]\d\d55501\d\d")


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker):
    """Demo data for all tests of this module, which only read them."""
    with django_db_blocker.unblock():
        seed_demo(**SIZE)
        yield
        remove_demo()
        User.accounts.filter(username="admin").delete()


@pytest.fixture
def demo(seeded, db):
    with all_tenants():
        yield


def test_every_contact_has_its_search_keys(demo):
    keys = defaultdict(set)
    for contact, key in ContactSearchKey.objects.values_list("contact", "key"):
        keys[contact].add(key)
    names = {row.pop("pk"): row for row in Contact.objects.values("pk", "first_name", "last_name", "email")}
    assert {contact: keys_of(**each) for contact, each in names.items()} == {pk: keys[pk] for pk in names}
    assert not Contact.objects.filter(keys_stale=True).exists()


def test_every_table_has_rows_in_every_company(demo):
    empty = {
        WebhookSecret, AuditEntry, Change, SuppressedNumber, IdempotencyKey, ProviderAccount, StaleCallHour,
        ArchivedCalls, ArchivedChunk, ArchivedId, ArchivedObjections, OutgoingWebhook, OutgoingEvent, StoredObject,
    }  # fmt: skip
    models = [model for model in apps.get_models() if issubclass(model, TenantModel) and model not in empty]
    for model in [*models, User]:
        assert model.objects.exclude(company=None).values("company").distinct().count() == 2, model


def test_flags_agree_with_opt_outs(demo):
    for company in Company.objects.all():
        with tenant(company.pk):
            assert OptOut.objects.filter(state="under_review").count() == 1
            for opt_out in OptOut.objects.all():
                flags = ContactFlag.objects.opted_out().filter(contact__phone=opt_out.phone)
                assert opt_out.number_hash == hash_number(opt_out.phone)
                review_state = {"opted_out": ["confirmed"], "under_review": ["pending"], "clear": []}[opt_out.state]
                assert list(flags.values_list("review_state", flat=True)) == review_state
            assert ContactFlag.objects.opted_out().count() == OptOut.objects.exclude(state="clear").count()


def test_a_few_contacts_are_busy(demo):
    calls = sorted(Contact.objects.annotate(n=Count("calls")).values_list("n", flat=True))
    assert calls[-1] > 10 * median(calls)


def test_weekends_nights_and_lunch_are_quiet_in_local_time(demo):
    for company in Company.objects.all():
        moments = Call.objects.filter(company=company).values_list("created_at", flat=True)
        local = [moment.astimezone(company.zone) for moment in moments]
        weekdays, hours = Counter(m.weekday() for m in local), Counter(m.hour for m in local)
        assert weekdays[5] + weekdays[6] < min(weekdays[day] for day in range(5))
        assert sum(hours[hour] for hour in (22, 23, 0, 1, 2, 3, 4, 5)) == 0
        assert hours[12] < hours[11] / 1.5
        assert hours[12] < hours[13] / 1.5


def test_only_appointments_lie_after_the_end_of_the_history(demo):
    for company in Company.objects.all():
        for model, moment in ((Call, "created_at"), (Activity, "created_at"), (CallAnalysis, "analyzed_at")):
            last = model.objects.filter(company=company).aggregate(last=Max(moment))["last"]
            assert last.astimezone(company.zone).date() < UNTIL
        coming = Appointment.objects.filter(company=company, date__gte=UNTIL)
        assert {"scheduled", "confirmed"} <= set(coming.values_list("status", flat=True))
        assert not coming.filter(status__in=["completed", "no_show"]).exists()


def test_every_company_has_a_series_at_one_local_time(demo):
    for company in Company.objects.all():
        starts = Appointment.objects.filter(company=company, series__isnull=False).values_list(
            "series", "scheduled_start"
        )
        assert len(starts) == 4
        assert len({series for series, _ in starts}) == 1
        assert {start.astimezone(company.zone).strftime("%a %H:%M") for _, start in starts} == {"Mon 09:00"}


def test_call_is_decided_after_its_appointment_only(demo):
    undecided = {CallStatus.AWAITING_QUOTE, CallStatus.CANCELLED}
    coming = Appointment.objects.filter(date__gte=UNTIL, call__isnull=False)
    assert coming.exists()
    assert set(coming.values_list("call__status", flat=True)) <= undecided


def test_every_phone_number_is_reserved_for_fiction(demo):
    columns = [
        (PhoneLine, "number"),
        (Contact, "phone"),
        (ContactPhone, "phone"),
        (Call, "from_number"),
        (Call, "to_number"),
        (Message, "from_number"),
    ]
    numbers = {number for model, column in columns for number in model.objects.values_list(column, flat=True)}
    numbers |= {number for (to_numbers,) in Message.objects.values_list("to_numbers") for number in to_numbers}
    assert {number for number in numbers if not FICTIONAL.fullmatch(number)} == {"Anonymous"}
    assert all(normalize_phone(number) == number for number in numbers - {"Anonymous"})
    bodies = b"".join(bytes(event.body) for event in WebhookEvent.objects.all()).decode()
    assert {match[0] for match in re.finditer(r"\+\d{7,}", bodies)} <= numbers


def test_main_number_of_a_contact_is_among_its_numbers(demo):
    for contact in Contact.objects.prefetch_related("phones"):
        assert contact.phone in {number.phone for number in contact.phones.all()}
    assert Contact.objects.annotate(n=Count("phones")).filter(n=2).exists()


def test_calls_and_messages_have_activities(demo):
    assert not Call.objects.filter(activity=None).exists()
    for model in (Call, Message):
        for row in model.objects.select_related("activity"):
            assert row.activity.contact_id == row.contact_id
            assert row.activity.created_at == row.created_at
            assert row.activity.company_id == row.company_id


def test_conversation_lasts_from_its_first_activity_to_its_last(demo):
    created = "activities__created_at"
    for conversation in Conversation.objects.annotate(first=Min(created), last=Max(created)):
        assert (conversation.created_at, conversation.last_activity_at) == (conversation.first, conversation.last)


def test_contact_is_created_before_its_first_activity(demo):
    for contact in Contact.objects.annotate(first=Min("activities__created_at")).exclude(first=None):
        assert contact.created_at <= contact.first


def test_rows_refer_to_rows_of_their_own_company(demo):
    for model in demo_tables():
        for field in model._meta.fields:
            if field.related_model and hasattr(field.related_model, "company") and hasattr(model, "company"):
                others = model.objects.exclude(**{field.name: None})
                pairs = others.values_list("company", f"{field.name}__company").distinct()
                assert all(own == other for own, other in pairs), field


def test_lost_calls_have_reasons_and_about_half_of_the_answered_calls_are_qualified(demo):
    lost = Call.objects.filter(status="lost")
    assert lost.exists()
    assert not lost.filter(reason_for_lost_sale="").exists()
    assert not lost.filter(quoted_price=None).exists()
    answered = Call.objects.exclude(answered_at=None)
    assert 0.4 < answered.filter(lead__isnull=False).count() / answered.count() < 0.5


def test_some_calls_have_two_analyses(demo):
    assert Call.objects.annotate(n=Count("analyses")).filter(n=2).exists()
    assert sum(map(len, CallAnalysis.objects.values_list("objections", flat=True))) > 100


def test_missed_callers_were_reached_after_their_calls_or_still_wait(demo):
    for company in Company.objects.all():
        callers = MissedCaller.objects.filter(company=company)
        assert not callers.filter(recovered_at__lte=F("last_missed_at")).exists()
        assert not callers.filter(first_missed_at__gt=F("last_missed_at")).exists()
        missed = Call.objects.missed().filter(company=company, contact__isnull=False)
        assert sum(callers.values_list("missed_calls", flat=True)) == missed.count() > 0
    assert MissedCaller.objects.waiting().exists()


def test_old_incoming_messages_are_read_and_new_ones_unread(demo):
    for company in Company.objects.all():
        incoming = Message.objects.filter(company=company, direction="incoming")
        assert incoming.exclude(read_at=None).exists()
        assert incoming.unread().exists()
        assert not Message.objects.filter(direction="outgoing").exclude(read_at=None).exists()


def test_no_webhook_event_is_pending(demo):
    assert not WebhookEvent.objects.waiting().exists()
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed", "ignored", "dead"}


def test_demo_users_sign_in_with_the_demo_password(demo, rf):
    for username, role in (("manager", "manager"), ("csr", "csr"), ("rep", "rep"), ("csr2", "csr"), ("admin", "")):
        user = authenticate(rf.post("/api/v1/auth/token"), username=username, password="demo")
        assert user.role == role
    assert user.is_staff
    assert user.company is None
