"""Companies that the benchmarks ask about: the largest and the median one."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.management import CommandError
from django.db.models import Count

from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import Campaign, Company, Contact, Conversation, User
from messaging.models import Message
from tests.plans.sample import Sample as QuestionSample

DEPTH = 100_000


@dataclass(frozen=True)
class Sample(QuestionSample):
    """A company, and rows of it to ask about; the contact is the one with most messages."""

    name: str
    calls: int
    messages: int
    """Messages of the contact."""
    depth: int
    """Calls before a deep page."""

    def days(self, days: int) -> tuple[date, date]:
        """Return the first and the last of the newest `days` days."""
        return self.last_day - timedelta(days=days - 1), self.last_day


def choose_samples() -> list[Sample]:
    """Return the largest company and the median one, which may be the same."""
    with all_tenants():
        sizes = list(Call.objects.values_list("company").annotate(calls=Count("pk")).order_by("-calls", "company"))
    if not sizes:
        raise CommandError("The database holds no demo data; make some with seed_demo, or run without --skip-load.")
    return [_make_sample("largest", *sizes[0]), _make_sample("median", *sizes[len(sizes) // 2])]


def _make_sample(name: str, company_id: int, calls: int) -> Sample:
    with tenant(company_id):
        company = Company.objects.get(pk=company_id)
        named: Any = Message.objects.exclude(contact__email="").exclude(contact__last_name="")
        busiest = named.exclude(contact=None).values("contact").annotate(messages=Count("pk")).order_by("-messages")[0]
        return Sample(
            name=name,
            company=company,
            manager=User.objects.filter(role="manager").order_by("pk")[0],
            rep=User.objects.filter(pk__in=Call.objects.values("assigned_rep")).order_by("pk")[0],
            contact=Contact.objects.get(pk=busiest["contact"]),
            conversation=Conversation.objects.filter(contact=busiest["contact"]).order_by("pk")[0],
            campaign=Campaign.objects.exclude(memberships=None)[0],
            call=Call.objects.filter(lead__isnull=False)[0],
            last_day=Call.objects.order_by("-created_at")[0].created_at.astimezone(company.zone).date(),
            calls=calls,
            messages=busiest["messages"],
            depth=min(DEPTH, calls * 9 // 10),
        )
