"""Whom the questions are asked for: a large and a middling company, and somebody and something of each."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count

from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, CampaignMembership, Company, Contact, Conversation, User
from messaging.models import Message

DEPTH = 100_000


@dataclass(frozen=True)
class Sample:
    """Ids, unless said otherwise. The contact is the one with the longest thread."""

    name: str
    company: Company
    calls: int
    manager: str
    """The user name."""
    rep: int
    user: int
    """Who has written texts."""
    contact: int
    texts: int
    """How many the contact's thread has."""
    customer: Contact
    """Somebody to look for."""
    conversation: int
    phone_line: int
    campaign: int
    openphone_id: str
    last_day: date
    depth: int
    """How many calls a deep page lies behind."""

    def days(self, days: int) -> tuple[date, date]:
        return self.last_day - timedelta(days=days - 1), self.last_day


def take_samples() -> list[Sample]:
    """The largest company and the median one; the one alone where there is no other."""
    with all_tenants():
        sizes = list(Call.objects.values_list("company").annotate(calls=Count("pk")).order_by("-calls", "company"))
    chosen = {"largest": sizes[0], "median": sizes[len(sizes) // 2]}
    return [_take(name, *of) for name, of in chosen.items()]


def _take(name: str, company_id: int, calls: int) -> Sample:
    with tenant(company_id):
        busiest: Any = (
            Message.objects.exclude(contact=None).values("contact").annotate(texts=Count("pk")).order_by("-texts")[0]
        )
        conversation = Conversation.objects.filter(contact=busiest["contact"]).order_by("pk")[0]
        company = Company.objects.get(pk=company_id)
        newest = Call.objects.order_by("-created_at")[0].created_at
        return Sample(
            name=name,
            company=company,
            calls=calls,
            manager=User.objects.filter(role="manager").order_by("pk")[0].username,
            rep=Call.objects.exclude(assigned_rep=None).order_by("-pk").values_list("assigned_rep", flat=True)[0],
            user=Activity.objects.exclude(user=None).values_list("user", flat=True)[0],
            contact=busiest["contact"],
            texts=busiest["texts"],
            customer=Contact.objects.exclude(email="").exclude(last_name="").order_by("pk")[0],
            conversation=conversation.pk,
            phone_line=conversation.phone_line_id,
            campaign=CampaignMembership.objects.values_list("campaign", flat=True)[0],
            openphone_id=str(Activity.objects.exclude(openphone_id=None).values_list("openphone_id", flat=True)[0]),
            last_day=newest.astimezone(company.zone).date(),
            depth=min(DEPTH, calls * 9 // 10),
        )
