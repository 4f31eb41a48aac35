"""A company with one phone line and a running campaign, whose members all wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.apps import apps
from django.db import connection
from django.utils import timezone

from benchmarks.database import execute
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import TenantModel, all_tenants
from crm.models import Activity, Campaign, CampaignMembership, Company, Contact, Conversation, PhoneLine
from messaging.models import Message
from messaging.sms_segments import count_segments
from tests.fictional_numbers import AREA_CODES, fictional_number
from tests.messaging.clocks import zone_with_hour

BODY = "Is your roof ready for spring? We have free inspections this week. Reply YES for a time, or STOP to opt out."
SLUG = "benchmark-campaigns"
MAX_CONTACTS = len(AREA_CODES) * 100 - 100


@contextmanager
def running_campaign(*, members: int) -> Iterator[Campaign]:
    """Yield the campaign, and delete the company with all its rows afterwards.

    The numbers for fiction are fewer than the members: the further ones are of later steps of the same contacts.
    """
    with all_tenants(), audit_disabled():
        company = Company.objects.create(name="Benchmark", slug=SLUG, timezone=zone_with_hour(14))
    try:
        with all_tenants(), audit_disabled():
            campaign = _make_campaign(company, members)
        execute("VACUUM ANALYZE campaign_memberships, contacts")
        yield campaign
    finally:
        delete_company(company)


def _make_campaign(company: Company, members: int) -> Campaign:
    line = PhoneLine.objects.create(
        company=company, name="Campaigns", number=fictional_number(MAX_CONTACTS), provider_id="PNbenchmark",
        daily_cap=10_000_000,
    )  # fmt: skip
    campaign = Campaign.objects.create(
        company=company, name="Spring", status="running", body=BODY, phone_line=line, started_at=timezone.now()
    )
    count = min(members, MAX_CONTACTS)
    contacts = Contact.objects.bulk_create(
        [Contact(company=company, phone=fictional_number(n), timezone=company.timezone) for n in range(count)],
        batch_size=5000,
    )
    CampaignMembership.objects.bulk_create(
        [
            CampaignMembership(
                company=company,
                campaign=campaign,
                contact=contacts[n % count],
                step=1 + n // count,
                due_at=timezone.now(),
                sms_segments=count_segments(BODY),
            )
            for n in range(members)
        ],
        batch_size=5000,
    )
    return campaign


def queue_campaign_messages(*, campaign: Campaign, count: int) -> None:
    """Move members who are due into the outbox, at once and without the limits that the feeder keeps."""
    with all_tenants():
        due = CampaignMembership.objects.filter(campaign=campaign, status="pending", due_at__lte=timezone.now())
        members = list(due.select_related("contact").order_by("due_at", "id")[:count])
        if members:
            _queue(campaign, members)


def _queue(campaign: Campaign, members: list[CampaignMembership]) -> None:
    company, line, now = campaign.company_id, campaign.phone_line, timezone.now()
    Conversation.objects.bulk_create(
        [
            Conversation(
                company_id=company, contact=member.contact, phone_line=line, last_activity_at=now - timedelta(days=1)
            )
            for member in members
        ],
        ignore_conflicts=True,
    )
    contacts = [member.contact_id for member in members]
    conversations = {row.contact_id: row for row in Conversation.objects.filter(contact__in=contacts, phone_line=line)}
    activities = Activity.objects.bulk_create(
        Activity(
            company_id=company,
            contact=member.contact,
            conversation=conversations[member.contact_id],
            activity_type="message",
            direction="outgoing",
            body=campaign.body,
            created_at=now,
        )
        for member in members
    )
    Message.objects.bulk_create(
        Message(
            company_id=company,
            activity=activity,
            contact=member.contact,
            phone_line=line,
            membership=member,
            direction="outgoing",
            kind="campaign",
            from_number=line.number if line else "",
            to_numbers=[member.contact.phone],
            body=campaign.body,
            status="queued",
            created_at=now,
            run_at=now,
        )
        for member, activity in zip(members, activities, strict=True)
    )
    CampaignMembership.objects.filter(pk__in=[member.pk for member in members]).update(due_at=None)


def delete_company(company: Company) -> None:
    """Delete all rows of the company, in any order of the tables: foreign keys are checked at the end."""
    models = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    with all_tenants(), audit_disabled(), connection.cursor() as cursor:
        for _ in range(2):  # deleting rows may count or record them in other tables
            for model in models:
                column = model._meta.get_field("company").column
                cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE {column} = %s", [company.pk])
        Company.objects.filter(pk=company.pk).delete()
