"""The question of every index that the two documents name, asked as the product asks it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils.timezone import now

from analytics.models import CallAnalysis
from benchmarks.sample import Sample
from calls.models import Appointment, Call
from crm.date_ranges import bounds_of
from crm.models import Activity, CampaignMembership, Contact, ContactFlag, Conversation, Invoice
from messaging.models import Message, WebhookEvent

PAGE = 100
COUNTED = 1001  # as far as a list counts


@dataclass(frozen=True)
class BenchQuery:
    """Asked of one company, or of all; `promise` is how many times as fast the documents say it becomes."""

    index: str
    ask: Callable[[Sample], object]
    of_all: bool = False
    promise: tuple[int, int] | None = None


def rows(queryset: QuerySet) -> list[tuple]:
    """Whole rows as the database gives them: making model instances of them is not its work."""
    return list(queryset.values_list())


def month(sample: Sample) -> tuple:
    return bounds_of(*sample.days(30), sample.company.zone)


QUESTIONS = [
    # The first document: webhooks, campaigns, contacts, opt-outs, histories, business objects.
    BenchQuery(
        "idx_activity_openphone_id",
        lambda sample: rows(Activity.objects.filter(openphone_id=sample.openphone_id)),
        of_all=True,
    ),
    BenchQuery("idx_webhook_event_processed", lambda _: WebhookEvent.objects.due(now()).first(), of_all=True),
    BenchQuery("idx_webhook_event_id", lambda _: rows(WebhookEvent.objects.filter(event_id="EVunknown")), of_all=True),
    BenchQuery(
        "idx_campaign_membership_status",
        lambda sample: CampaignMembership.objects.filter(campaign=sample.campaign, status="failed")[:COUNTED].count(),
    ),
    BenchQuery(
        "idx_campaign_membership_sent",
        lambda _: rows(
            CampaignMembership.objects.filter(sent_at__gte=now() - timedelta(days=30), status="failed")[:PAGE]
        ),
        of_all=True,
    ),
    BenchQuery(
        "idx_contact_phone_hash",
        lambda sample: rows(Contact.objects.filter(phone=sample.customer.phone)),
        of_all=True,
    ),
    BenchQuery("idx_contact_first_name", lambda _: rows(Contact.objects.filter(first_name="Nobody")), of_all=True),
    BenchQuery("idx_contact_last_name", lambda _: rows(Contact.objects.filter(last_name="Nobody")), of_all=True),
    BenchQuery(
        "idx_contact_email", lambda sample: rows(Contact.objects.filter(email=sample.customer.email)), of_all=True
    ),
    BenchQuery(
        "idx_contact_flag_type_phone",
        lambda sample: rows(
            ContactFlag.objects.opted_out().filter(contact__in=range(sample.customer.pk, sample.customer.pk + PAGE))
        ),
    ),
    BenchQuery(
        "idx_activity_conversation_created",
        lambda sample: rows(
            Activity.objects.filter(conversation=sample.conversation).order_by("-created_at", "-id")[:PAGE]
        ),
    ),
    BenchQuery(
        "idx_activity_type_created",
        lambda _: rows(Activity.objects.filter(activity_type="email").order_by("-created_at")[:PAGE]),
        of_all=True,
    ),
    BenchQuery(
        "idx_activity_user",
        lambda sample: rows(Activity.objects.filter(user=sample.user).order_by("-created_at", "-id")[:PAGE]),
    ),
    BenchQuery(
        "idx_activity_contact",
        lambda sample: rows(Activity.objects.filter(contact=sample.contact).order_by("-created_at", "-id")[:PAGE]),
    ),
    BenchQuery(
        "idx_conversation_phone_number_id",
        lambda sample: Conversation.objects.filter(phone_line=sample.phone_line)[:COUNTED].count(),
    ),
    BenchQuery("idx_conversation_contact", lambda sample: rows(Conversation.objects.filter(contact=sample.customer))),
    BenchQuery(
        "idx_appointment_date", lambda sample: rows(Appointment.objects.filter(date=sample.last_day)), of_all=True
    ),
    BenchQuery(
        "idx_invoice_status_due",
        lambda sample: rows(Invoice.objects.filter(status="sent", due_date__lt=sample.last_day - timedelta(days=300))),
        of_all=True,
    ),
    # The second document: the dashboard. What it promises of each index stands beside it.
    BenchQuery(
        "ix_appointments_company_id_scheduled_start",
        lambda sample: Appointment.objects.starting_between(*month(sample)).kept().count(),
        promise=(10, 100),
    ),
    BenchQuery(
        "ix_appointments_scheduled_start",
        lambda _: rows(Appointment.objects.starting_between(now(), now() + timedelta(hours=6))[:PAGE]),
        of_all=True,
    ),
    BenchQuery(
        "ix_calls_company_id_created_at",
        lambda sample: rows(Call.objects.created_between(*month(sample)).order_by("-created_at", "-id")[:PAGE]),
        promise=(50, 500),
    ),
    BenchQuery("ix_calls_company_id", lambda _: Call.objects.all()[:COUNTED].count()),
    BenchQuery("ix_calls_created_at", lambda _: rows(Call.objects.order_by("-created_at", "-id")[:PAGE]), of_all=True),
    BenchQuery(
        "ix_calls_company_id_status",
        lambda _: rows(Call.objects.filter(status="cancelled").order_by("-created_at", "-id")[:PAGE]),
        promise=(10, 50),
    ),
    BenchQuery(
        "ix_calls_assigned_rep_id_created_at",
        lambda sample: rows(Call.objects.filter(assigned_rep=sample.rep).order_by("-created_at", "-id")[:PAGE]),
        promise=(20, 100),
    ),
    BenchQuery("ix_calls_company_id_booked", lambda _: Call.objects.filter(booked=True).count(), promise=(10, 50)),
    BenchQuery(
        "ix_message_threads_contact_card_id_created_at",
        lambda sample: rows(Message.objects.filter(contact=sample.contact).order_by("created_at", "id")[:PAGE]),
        promise=(50, 500),
    ),
    BenchQuery(
        "ix_call_analysis_tenant_id_analyzed_at",
        lambda sample: rows(CallAnalysis.objects.filter(analyzed_at__range=month(sample))),
        promise=(10, 100),
    ),
]
