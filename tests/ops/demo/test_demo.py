"""Demo data: the same from the same seed, of every kind in every company, and believable."""

import hashlib
import re
from collections import Counter
from datetime import date

import pytest
from django.apps import apps
from django.db import connection

from analytics.models import CallAnalysis
from calls.models import Call
from crm.choices import Provider
from crm.db.tenancy import TenantModel, all_tenants, tenant
from crm.models import (
    Company,
    Contact,
    ContactPhone,
    Invoice,
    PhoneLine,
    User,
)
from messaging.models import Message
from ops.demo import DemoRefused, remove_demo, seed_demo
from ops.demo.bulk_writer import Tables
from ops.demo.seeding import no_progress
from tests import factories
from tests.factories import PhoneLineFactory

pytestmark = pytest.mark.slow
UNTIL = date(2026, 3, 1)
SMALL = {"companies": 2, "contacts": 60, "calls": 400, "days": 90, "seed": 1, "until": UNTIL}
FICTIONAL = re.compile(r"\+1[2-9]\d\d55501\d\d")


@pytest.fixture
def in_all_companies(db):
    with all_tenants():
        yield


def demo_tables():
    return [table.model for table in Tables(no_progress).values()]


def checksums():
    """Return a hash of each table's rows."""
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
    assert same <= {
        "api_tokens", "background_tasks", "calendar_feeds", "companies", "contact_fields", "contact_flags",
        "contact_lists", "duplicates", "imports", "merges",
        "opt_out_entries", "opt_outs", "segments", "snippets", "stored_file_chunks", "stored_files", "tags",
    }  # fmt: skip


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
        assert missing <= {*Provider.values, "pending", "due", "held", "queued", "running", "waiting", "undoing"} - {
            "openphone"
        }, f"{field.model.__name__}.{field.name}"


def test_progress_is_reported_by_table(in_all_companies):
    seen = Counter()
    counts = seed_demo(**SMALL, progress=lambda table, rows: seen.update({table: rows}))
    assert seen == counts


def test_companies_differ_in_size(in_all_companies):
    seed_demo(**SMALL | {"companies": 4, "contacts": 100, "calls": 2000})
    sizes = list(Company.objects.order_by("pk").values_list("pk", flat=True))
    calls = [Call.objects.filter(company=company).count() for company in sizes]
    assert calls == sorted(calls, reverse=True)
    assert calls[0] > 1.5 * calls[-1]


def test_phone_numbers_differ_even_if_contacts_outnumber_the_regions_area_codes(in_all_companies):
    seed_demo(**SMALL | {"companies": 1, "contacts": 9000})
    assert ContactPhone.objects.values("phone").distinct().count() == ContactPhone.objects.count() > 9000
    assert not PhoneLine.objects.filter(number__in=ContactPhone.objects.values("phone")).exists()


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


def test_lines_of_all_companies_have_numbers_of_their_own(in_all_companies):
    taken = PhoneLineFactory(number="+13035550100").number
    seed_demo(companies=100, contacts=2000, calls=12_000, days=90, seed=1, until=UNTIL)
    numbers = list(PhoneLine.objects.values_list("number", flat=True))
    assert len(set(numbers)) == len(numbers) > 300
    assert numbers.count(taken) == 1
