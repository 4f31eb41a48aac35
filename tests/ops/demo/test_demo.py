"""Demo data: the same from the same seed, of every kind in every company, and believable."""

import hashlib
import re
from collections import Counter
from datetime import date
from statistics import median

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.db import connection
from django.db.models import Count, F, Max, Min

from analytics.models import ArchivedCalls, ArchivedChunk, ArchivedObjections, CallAnalysis, StaleCallHour
from calls.choices import CallStatus
from calls.models import Appointment, Call, MissedCaller
from crm.db.tenancy import TenantModel, all_tenants, tenant
from crm.models import (
    Activity,
    AuditEntry,
    Company,
    Contact,
    ContactFlag,
    ContactPhone,
    Conversation,
    IdempotencyKey,
    Invoice,
    OptOut,
    PhoneLine,
    SuppressedNumber,
    User,
)
from crm.models.audit import hash_number
from crm.phones import normalize_phone
from messaging.models import Message, ProviderAccount, WebhookEvent, WebhookSecret
from ops.demo import DemoRefused, remove_demo, seed_demo
from ops.demo.bulk_writer import Tables
from ops.demo.seeding import no_progress
from tests import factories

UNTIL = date(2026, 3, 1)
SMALL = {"companies": 2, "contacts": 60, "calls": 400, "days": 90, "seed": 1, "until": UNTIL}
FICTIONAL = re.compile(r"\+1[2-9]\d\d55501\d\d")


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def in_all_companies(db):
    with all_tenants():
        yield


def demo_tables():
    return [table.model for table in Tables(no_progress).all]


def checksums():
    """A hash of every row of every table, by table."""
    sums = {}
    with connection.cursor() as cursor:
        for model in demo_tables():
            cursor.execute(f"SELECT * FROM {model._meta.db_table} ORDER BY id")
            rows = [[bytes(value) if isinstance(value, memoryview) else value for value in row] for row in cursor]
            sums[model._meta.db_table] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return sums


def test_same_arguments_make_the_same_rows_to_the_byte(in_all_companies):
    seed_demo(**SMALL)
    first = checksums()
    seed_demo(**SMALL, reset=True)
    assert checksums() == first


def test_another_seed_makes_other_rows(in_all_companies):
    seed_demo(**SMALL)
    first = checksums()
    seed_demo(**SMALL | {"seed": 2}, reset=True)
    same = {table for table, checksum in checksums().items() if checksum == first[table]}
    assert same <= {"companies", "contact_flags", "opt_outs", "opt_out_entries"}


def test_every_table_has_rows_in_every_company(in_all_companies):
    seed_demo(**SMALL | {"companies": 3, "calls": 500})
    empty = {
        WebhookSecret, AuditEntry, SuppressedNumber, IdempotencyKey, ProviderAccount, StaleCallHour,
        ArchivedCalls, ArchivedChunk, ArchivedObjections,
    }  # fmt: skip
    models = [model for model in apps.get_models() if issubclass(model, TenantModel) and model not in empty]
    for model in [*models, User]:
        assert model.objects.exclude(company=None).values("company").distinct().count() == 3, model


def test_totals_are_those_of_the_arguments(in_all_companies):
    counts = seed_demo(**SMALL)
    assert (Company.objects.count(), Contact.objects.count(), Call.objects.count()) == (2, 60, 400)
    assert counts == {model._meta.db_table: model.objects.count() for model in demo_tables()} | {"users": 12}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_smallest_company_has_every_value_of_every_choice_but_pending_work(in_all_companies, seed):
    seed_demo(companies=1, contacts=20, calls=120, days=90, seed=seed, until=UNTIL)
    models = [model for model in demo_tables() if model is not Company]
    for field in [field for model in models for field in model._meta.fields if field.choices]:
        missing = {value for value, _ in field.choices} - set(field.model.objects.values_list(field.name, flat=True))
        assert missing <= {"callrail", "twilio", "pending", "due"}, f"{field.model.__name__}.{field.name}"


def test_flags_agree_with_opt_outs(in_all_companies):
    seed_demo(**SMALL | {"companies": 3, "contacts": 200})
    for company in Company.objects.all():
        with tenant(company.pk):
            assert OptOut.objects.filter(state="under_review").count() == 1
            for opt_out in OptOut.objects.all():
                flags = ContactFlag.objects.opted_out().filter(contact__phone=opt_out.phone)
                assert opt_out.number_hash == hash_number(opt_out.phone)
                review_state = {"opted_out": ["confirmed"], "under_review": ["pending"], "clear": []}[opt_out.state]
                assert list(flags.values_list("review_state", flat=True)) == review_state
            assert ContactFlag.objects.opted_out().count() == OptOut.objects.exclude(state="clear").count()


def test_progress_is_reported_by_table(in_all_companies):
    seen = Counter()
    counts = seed_demo(**SMALL, progress=lambda table, rows: seen.update({table: rows}))
    assert seen == counts


def test_a_few_contacts_are_busy(in_all_companies):
    seed_demo(**SMALL | {"contacts": 200, "calls": 4000})
    calls = sorted(Contact.objects.annotate(n=Count("calls")).values_list("n", flat=True))
    assert calls[-1] > 10 * median(calls)


def test_companies_differ_in_size(in_all_companies):
    seed_demo(**SMALL | {"companies": 4, "contacts": 100, "calls": 2000})
    sizes = list(Company.objects.order_by("pk").values_list("pk", flat=True))
    calls = [Call.objects.filter(company=company).count() for company in sizes]
    assert calls == sorted(calls, reverse=True)
    assert calls[0] > 1.5 * calls[-1]


def test_weekends_nights_and_lunch_are_quiet_in_local_time(in_all_companies):
    seed_demo(**SMALL | {"calls": 6000})
    for company in Company.objects.all():
        moments = Call.objects.filter(company=company).values_list("created_at", flat=True)
        local = [moment.astimezone(company.zone) for moment in moments]
        weekdays, hours = Counter(m.weekday() for m in local), Counter(m.hour for m in local)
        assert weekdays[5] + weekdays[6] < min(weekdays[day] for day in range(5))
        assert sum(hours[hour] for hour in (22, 23, 0, 1, 2, 3, 4, 5)) == 0
        assert hours[12] < hours[11] / 1.5
        assert hours[12] < hours[13] / 1.5


def test_only_appointments_lie_after_the_end_of_the_history(in_all_companies):
    seed_demo(**SMALL)
    for company in Company.objects.all():
        for model, moment in ((Call, "created_at"), (Activity, "created_at"), (CallAnalysis, "analyzed_at")):
            last = model.objects.filter(company=company).aggregate(last=Max(moment))["last"]
            assert last.astimezone(company.zone).date() < UNTIL
        coming = Appointment.objects.filter(company=company, date__gte=UNTIL)
        assert {"scheduled", "confirmed"} <= set(coming.values_list("status", flat=True))
        assert not coming.filter(status__in=["completed", "no_show"]).exists()


def test_call_is_decided_after_its_appointment_only(in_all_companies):
    seed_demo(**SMALL)
    undecided = {CallStatus.AWAITING_QUOTE, CallStatus.CANCELLED}
    coming = Appointment.objects.filter(date__gte=UNTIL, call__isnull=False)
    assert coming.exists()
    assert set(coming.values_list("call__status", flat=True)) <= undecided


def test_every_phone_number_is_reserved_for_fiction(in_all_companies):
    seed_demo(**SMALL)
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


def test_phone_numbers_differ_even_if_contacts_outnumber_the_regions_area_codes(in_all_companies):
    seed_demo(**SMALL | {"companies": 1, "contacts": 9000})
    assert ContactPhone.objects.values("phone").distinct().count() == ContactPhone.objects.count() > 9000
    assert not PhoneLine.objects.filter(number__in=ContactPhone.objects.values("phone")).exists()


def test_main_number_of_a_contact_is_among_its_numbers(in_all_companies):
    seed_demo(**SMALL)
    for contact in Contact.objects.prefetch_related("phones"):
        assert contact.phone in {number.phone for number in contact.phones.all()}
    assert Contact.objects.annotate(n=Count("phones")).filter(n=2).exists()


def test_calls_and_messages_have_activities(in_all_companies):
    seed_demo(**SMALL)
    assert not Call.objects.filter(activity=None).exists()
    for model in (Call, Message):
        for row in model.objects.select_related("activity"):
            assert row.activity.contact_id == row.contact_id
            assert row.activity.created_at == row.created_at
            assert row.activity.company_id == row.company_id


def test_conversation_lasts_from_its_first_activity_to_its_last(in_all_companies):
    seed_demo(**SMALL)
    created = "activities__created_at"
    for conversation in Conversation.objects.annotate(first=Min(created), last=Max(created)):
        assert (conversation.created_at, conversation.last_activity_at) == (conversation.first, conversation.last)


def test_contact_is_created_before_its_first_activity(in_all_companies):
    seed_demo(**SMALL)
    for contact in Contact.objects.annotate(first=Min("activities__created_at")).exclude(first=None):
        assert contact.created_at <= contact.first


def test_rows_refer_to_rows_of_their_own_company(in_all_companies):
    seed_demo(**SMALL)
    for model in demo_tables():
        for field in model._meta.fields:
            if field.related_model and hasattr(field.related_model, "company") and hasattr(model, "company"):
                others = model.objects.exclude(**{field.name: None})
                pairs = others.values_list("company", f"{field.name}__company").distinct()
                assert all(own == other for own, other in pairs), field


def test_lost_calls_have_reasons_and_about_half_of_the_answered_calls_are_qualified(in_all_companies):
    seed_demo(**SMALL | {"calls": 2000})
    lost = Call.objects.filter(status="lost")
    assert lost.exists()
    assert not lost.filter(reason_for_lost_sale="").exists()
    assert not lost.filter(quoted_price=None).exists()
    answered = Call.objects.exclude(answered_at=None)
    assert 0.4 < answered.filter(lead__isnull=False).count() / answered.count() < 0.5


def test_some_calls_have_two_analyses(in_all_companies):
    seed_demo(**SMALL | {"calls": 2000})
    assert Call.objects.annotate(n=Count("analyses")).filter(n=2).exists()
    assert sum(map(len, CallAnalysis.objects.values_list("objections", flat=True))) > 100


def test_missed_callers_were_reached_after_their_calls_or_still_wait(in_all_companies):
    seed_demo(**SMALL)
    for company in Company.objects.all():
        callers = MissedCaller.objects.filter(company=company)
        assert not callers.filter(recovered_at__lte=F("last_missed_at")).exists()
        assert not callers.filter(first_missed_at__gt=F("last_missed_at")).exists()
        rung = Call.objects.missed().filter(company=company, contact__isnull=False)
        assert sum(callers.values_list("missed_calls", flat=True)) == rung.count() > 0
    assert MissedCaller.objects.waiting().exists()


def test_old_incoming_messages_are_read_and_new_ones_unread(in_all_companies):
    seed_demo(**SMALL)
    for company in Company.objects.all():
        incoming = Message.objects.filter(company=company, direction="incoming")
        assert incoming.exclude(read_at=None).exists()
        assert incoming.unread().exists()
        assert not Message.objects.filter(direction="outgoing").exclude(read_at=None).exists()


def test_no_webhook_event_is_pending(in_all_companies):
    seed_demo(**SMALL)
    assert not WebhookEvent.objects.waiting().exists()
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed", "ignored", "dead"}


def test_one_in_a_hundred_of_many_calls_has_an_activity(in_all_companies, monkeypatch):
    monkeypatch.setattr("ops.demo.seeding.MANY_CALLS", 1000)
    monkeypatch.setattr("ops.demo.seeding.MIN_DETAILED_CALLS", 40)
    seed_demo(**SMALL | {"companies": 1, "calls": 4000})
    assert Call.objects.exclude(activity=None).count() == pytest.approx(40, abs=2)
    assert Call.objects.count() == 4000


def test_rows_can_be_added_afterwards(in_all_companies):
    seed_demo(**SMALL)
    company = Company.objects.get(slug="summit-roofing")
    contact = factories.ContactFactory(company=company)
    assert factories.CallFactory(contact=contact).pk > 400
    assert factories.MessageFactory(contact=contact).pk
    assert factories.WebhookEventFactory(company=company).pk
    assert factories.UserFactory(company=company).pk


def test_demo_users_sign_in_with_the_demo_password(in_all_companies, rf):
    seed_demo(**SMALL)
    for username, role in (("manager", "manager"), ("csr", "csr"), ("rep", "rep"), ("csr2", "csr"), ("admin", "")):
        user = authenticate(rf.post("/api/v1/auth/token"), username=username, password="demo")
        assert user.role == role
    assert user.is_staff
    assert user.company is None


def test_second_seeding_is_refused_without_reset(in_all_companies):
    seed_demo(**SMALL)
    before = checksums()
    with pytest.raises(DemoRefused, match="--reset"):
        seed_demo(**SMALL | {"companies": 1})
    assert checksums() == before


def test_production_is_refused(in_all_companies, settings):
    settings.PRODUCTION = True
    with pytest.raises(DemoRefused, match="production"):
        seed_demo(**SMALL)
    assert not Company.objects.exists()


@pytest.mark.parametrize(
    ("size", "named"),
    [
        ({"companies": 0}, "companies"),
        ({"companies": 1000}, "companies"),
        ({"contacts": 39}, "contacts"),
        ({"contacts": 200_000}, "contacts"),
        ({"calls": 239}, "calls"),
        ({"days": 5}, "days"),
    ],
)
def test_size_out_of_range_is_refused_by_name(in_all_companies, size, named):
    with pytest.raises(DemoRefused, match=f"^{named}"):
        seed_demo(**SMALL | size)
    assert not Company.objects.exists()


def test_demo_slug_of_another_company_is_refused(in_all_companies):
    real = factories.CompanyFactory(name="Summit & Sons", slug="summit-roofing")
    with pytest.raises(DemoRefused, match="summit-roofing"):
        seed_demo(**SMALL, reset=True)
    assert list(Company.objects.all()) == [real]


@pytest.mark.parametrize("username", ["admin", "csr2"])
def test_demo_user_name_of_another_user_is_refused(acme, username):
    factories.UserFactory(company=acme, username=username)
    with pytest.raises(DemoRefused, match=username):
        seed_demo(**SMALL)
    assert Company.objects.count() == 1


def test_removal_leaves_other_companies_and_staff_untouched(in_all_companies, acme, staff):
    analysis = factories.CallAnalysisFactory(call__contact__company=acme)
    message = factories.MessageFactory(contact=analysis.call.contact)
    seed_demo(**SMALL)
    remove_demo()
    assert list(Company.objects.all()) == [acme]
    assert set(User.accounts.values_list("username", flat=True)) == {"admin", staff.username}
    with tenant(acme.pk):
        assert [list(model.objects.all()) for model in (CallAnalysis, Message)] == [[analysis], [message]]
        assert Contact.objects.get() == analysis.call.contact


def test_removal_includes_rows_that_users_added_to_the_demo(in_all_companies):
    seed_demo(**SMALL)
    company = Company.objects.get(slug="summit-roofing")
    factories.WebhookSecretFactory(company=company)
    factories.CallAnalysisFactory(call__contact__company=company)
    remove_demo()
    for model in apps.get_models():
        if issubclass(model, TenantModel) or model is Company:
            assert not model.objects.exists(), model


def test_removal_without_demo_data_changes_nothing(in_all_companies, acme):
    invoice = factories.InvoiceFactory(contact__company=acme)
    remove_demo()
    assert list(Invoice.objects.all()) == [invoice]
