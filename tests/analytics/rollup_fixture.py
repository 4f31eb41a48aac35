"""Random writers of calls and leads, and the dashboard's metrics counted in Python."""

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import F
from django.utils.timezone import now

from analytics.dashboard.booking_rate import cohort_booking_rate
from analytics.dashboard.leads import lead_conversion
from analytics.dashboard.metrics import call_metrics
from analytics.models import CallDay, StaleCallHour
from analytics.rollups.jobs import run_next_rollup
from analytics.rollups.update import rebuild_call_rollup, update_call_rollup
from calls.choices import BOOKED, CallStatus
from calls.models import Call
from crm.choices import LeadStatus
from crm.date_ranges import DateRange
from crm.db.tenancy import tenant
from crm.models import Lead
from crm.services.companies import change_timezone
from ops.archive.archiving import archive_company
from ops.archive.restore import find_archives, restore_archive
from tests import factories

DAY = timedelta(days=1)
ZONES = ["America/Denver", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "America/Havana", "UTC"]


def make_call(company, *, ago=2 * DAY, status="missed", **values):
    return factories.CallFactory(company=company, contact=None, created_at=now() - ago, status=status, **values)


def make_lead(company, *, ago=2 * DAY, **values):
    return factories.LeadFactory(contact__company=company, created_at=now() - ago, **values)


COUNTED = ("status", "booked", "lead", "quoted_price", "created_at")


def expected(period, archived=()):
    """Count the metrics and the calls of each day in Python, row by row."""
    totals, days, value = Counter(), Counter(), Decimal(0)
    for status, booked, lead, price, at in [*Call.objects.values_list(*COUNTED), *archived]:
        day = at.astimezone(period.zone).date()
        if (period.start_date or day) <= day <= (period.end_date or day):
            totals.update(["total", status, *["qualified"] * bool(lead), *["booked"] * booked])
            days.update([(day, "qualified"), *[(day, "booked")] * booked] if lead else [])
            value += (price or 0) if status == "lost" else 0
    return totals, days, f"{value:.2f}"


def conversions(period, key):
    """Count the leads of each source or assignee in Python, as (leads, booked, won, lost, value of those won)."""
    groups = {}
    for group, status, value, at in Lead.objects.values_list(key, "status", "value", "created_at"):
        day = at.astimezone(period.zone).date()
        if (period.start_date or day) <= day <= (period.end_date or day):
            counts = groups.setdefault(group, [0, 0, 0, 0, Decimal(0)])
            won = status == "won"
            for n, part in enumerate([1, won or status == "booked", won, status == "lost", (value or 0) if won else 0]):
                counts[n] += part
    return {group: (*counts[:4], f"{counts[4]:.2f}") for group, counts in groups.items()}


def assert_conversion_is_exact(period):
    shown = lead_conversion(period)
    for key in ("source", "assignee"):
        found = {
            group[key]: tuple(group[name] for name in ("leads", "booked", "won", "lost", "won_value"))
            for group in shown[f"by_{key}"]
        }
        assert found == conversions(period, key)
    assert shown["leads"] == sum(group["leads"] for group in shown["by_source"])


def assert_exact(company, *periods, archived=()):
    with tenant(company.pk):
        company.refresh_from_db()
        for start, end in [(None, None), *periods]:
            period = DateRange(start, end, company.zone)
            assert_conversion_is_exact(period)
            totals, days, value = expected(period, archived)
            metrics = call_metrics(period)
            assert {name: metrics[name] for name in ("total", "qualified", "booked")} == {
                name: totals[name] for name in ("total", "qualified", "booked")
            }
            assert metrics["by_status"] == {status: totals[status] for status in CallStatus.values}
            assert metrics["lost"] == {"count": totals["lost"], "value": value}
            if start and end:
                for row in cohort_booking_rate(period):
                    assert (row["qualified"], row["booked"]) == (
                        days[row["date"], "qualified"], days[row["date"], "booked"]
                    )  # fmt: skip


def count_stale(company):
    with tenant(company.pk):
        return StaleCallHour.objects.count()


def rollup_days(company):
    with tenant(company.pk):
        return dict(CallDay.objects.values_list("day", "total"))


class Writers:
    """Random changes of two companies' calls. Each public method is one kind of change, except HELPERS."""

    def __init__(self, seed, companies, archives):
        self.rng, self.companies = random.Random(seed), companies  # noqa: S311  # no secret
        self._archives = archives
        self.archived = {company.pk: {} for company in companies}
        self.leads, self.people, self.contacts = {}, {}, {}
        for company in companies:
            self.contacts[company.pk] = contact = factories.ContactFactory(company=company)
            self.people[company.pk] = [None, *factories.UserFactory.create_batch(2, company=company, role="csr")]
            self.leads[company.pk] = factories.LeadFactory(contact=contact).pk

    def new_call(self, company):
        rng = self.rng
        status = rng.choice(CallStatus.values)
        hours = rng.choice([rng.uniform(-30, 150), rng.uniform(0, 3), float(rng.randrange(0, 150))])
        return Call(
            company=company,
            status=status,
            booked=status in BOOKED,
            lead_id=rng.choice([None, self.leads[company.pk]]),
            quoted_price=rng.choice([None, Decimal("12.34"), Decimal("1000")]),
            created_at=now() - timedelta(hours=hours),
        )

    def sample(self, company):
        ids = list(Call.objects.filter(company=company).values_list("pk", flat=True))
        return Call.objects.filter(pk__in=self.rng.sample(ids, min(len(ids), self.rng.choice([1, 3, 50]))))

    def random_lead(self, company):
        rng = self.rng
        return {
            "status": rng.choice(LeadStatus.values),
            "source": rng.choice(["", "referral", "Referral", "web form"]),
            "assignee": rng.choice(self.people[company.pk]),
            "value": rng.choice([None, Decimal("12.34"), Decimal("1000")]),
        }

    def sample_leads(self, company):
        own = Lead.objects.filter(company=company).exclude(pk=self.leads[company.pk])
        ids = list(own.values_list("pk", flat=True))
        return Lead.objects.filter(pk__in=self.rng.sample(ids, min(len(ids), self.rng.choice([1, 3]))))

    def insert_leads(self, company):
        for _ in range(3):
            created_at = now() - timedelta(hours=self.rng.choice([self.rng.uniform(-30, 150), self.rng.uniform(0, 3)]))
            contact = self.contacts[company.pk]
            Lead(company=company, contact=contact, created_at=created_at, **self.random_lead(company)).save()

    def change_leads(self, company):
        self.sample_leads(company).update(**self.random_lead(company))

    def move_leads_in_time(self, company):
        self.sample_leads(company).update(created_at=F("created_at") + timedelta(hours=self.rng.uniform(-40, 40)))

    def delete_leads(self, company):
        self.sample_leads(company).delete()

    def insert(self, company):
        self.new_call(company).save()

    def insert_in_bulk(self, company):
        Call.objects.bulk_create([self.new_call(company) for _ in range(6)])

    def insert_by_select(self, company):
        with connection.cursor() as cursor:
            columns = "company_id, direction, from_number, to_number, recording_url, voicemail_url, status, booked"
            cursor.execute(
                f"INSERT INTO calls ({columns}, reason_for_lost_sale, created_at)"
                f" SELECT {columns}, '', created_at FROM calls WHERE company_id = %s LIMIT 4",
                [company.pk],
            )

    def set_status(self, company):
        status = self.rng.choice(CallStatus.values)
        self.sample(company).update(status=status, booked=status in BOOKED)

    def save_instance(self, company):
        for call in self.sample(company)[:2]:
            call.set_status(self.rng.choice(CallStatus.values))
            call.save()

    def set_lead_and_price(self, company):
        lead = self.rng.choice([None, self.leads[company.pk]])
        self.sample(company).update(lead=lead, quoted_price=self.rng.choice([None, Decimal("0.10")]))

    def move_in_time(self, company):
        self.sample(company).update(created_at=F("created_at") + timedelta(hours=self.rng.uniform(-40, 40)))

    def move_to_the_other_company(self, company):
        [other] = [one for one in self.companies if one != company]
        self.sample(company).update(company=other, lead=None)

    def delete(self, company):
        self.sample(company).delete()

    def delete_by_sql(self, company):
        with connection.cursor() as cursor:
            ids = list(self.sample(company).values_list("pk", flat=True))
            cursor.executemany("DELETE FROM calls WHERE id = %s", [[pk] for pk in ids])

    def swap_statuses(self, company):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE calls SET status = CASE status WHEN 'missed' THEN 'unbooked' ELSE 'missed' END"
                " WHERE company_id = %s AND status IN ('missed', 'unbooked')",
                [company.pk],
            )

    def change_time_zone(self, company):
        change_timezone(company=company, timezone=self.rng.choice(ZONES), now=now())

    def update_rollup(self, company):
        update_call_rollup(company=company)

    def run_next_rollup(self, company):
        run_next_rollup()

    def rebuild_rollup(self, company):
        rebuild_call_rollup(company=company)

    def archive(self, company):
        before = self._rows(company)
        age = timedelta(hours=self.rng.uniform(0, 150))
        archive_company(company=company, cut_off=now() - age, root=self._archives, batch_size=self.rng.choice([2, 50]))
        for pk in before.keys() - self._rows(company).keys():
            self.archived[company.pk][pk] = before[pk]

    def restore(self, company):
        if not list(self._archives.rglob("*.parquet")):
            return
        for archive in find_archives(self._archives):
            restore_archive(archive)
        for one in self.companies:
            for pk in self._rows(one):
                self.archived[one.pk].pop(pk, None)

    def _rows(self, company):
        return {pk: counted for pk, *counted in Call.objects.filter(company=company).values_list("pk", *COUNTED)}


HELPERS = ("new_call", "sample", "random_lead", "sample_leads")
CHANGES = [name for name in vars(Writers) if not name.startswith("_") and name not in HELPERS]
