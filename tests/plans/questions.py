"""The question of every index, asked through the product's API and querysets."""

from collections.abc import Callable
from copy import copy
from datetime import timedelta

from django.contrib.admin import site
from django.db import connection
from django.db.models import Model
from django.test import RequestFactory
from django.utils.timezone import now
from rest_framework.test import APIClient

from calls.choices import OF_CALLS
from calls.models import Appointment, AppointmentProposal, Attachment, Call, MissedCaller
from calls.models.attachments import OF_NOBODY
from crm.choices import Role
from crm.db.request_functions import CHANGES_AFTER_QUERY, POLLED_CHANGES_QUERY
from crm.db.tenancy import all_tenants
from crm.models import (
    Activity,
    AuditEntry,
    BackgroundTask,
    Campaign,
    CampaignCount,
    CampaignMembership,
    Contact,
    ContactField,
    ContactFieldValue,
    ContactFlag,
    ContactList,
    ContactMerge,
    ContactPhone,
    Conversation,
    DuplicateCandidate,
    IdempotencyKey,
    Import,
    ImportRow,
    Invoice,
    Mail,
    OptOut,
    OptOutEntry,
    OutgoingEvent,
    OutgoingWebhook,
    StoredFile,
    StoredObject,
    User,
    UserSession,
)
from crm.models.stored_files import IN_DATABASE
from crm.services.mails import is_mail_due
from crm.services.outgoing_webhooks.retention import remove_ended_events
from crm.services.search_keys import repair_search_keys
from crm.services.user_sessions import lasting_sessions_of
from messaging.models import AppointmentReminder, Message, WebhookEvent
from messaging.services.campaigns.alarms import failed_lately
from messaging.services.inbound.webhook_processing import find_companies_with_due_events
from messaging.services.outbound.holding import hold_answered
from messaging.services.outbound.ready_lines import find_ready_lines
from messaging.services.outbound.reminders import find_appointments_to_remind
from messaging.services.segments.preview import preview_of
from ops.home.needs import count_each, kinds_of_needs
from tests.plans.sample import Sample

Question = Callable[[Sample], object]


def get(url: str) -> Question:
    """Return a question that sends a GET request as the manager, with the sample's ids for `{contact}` and the like."""

    def ask(sample: Sample) -> object:
        path = url.format(
            contact=sample.contact.pk,
            name=sample.contact.last_name,
            email=sample.contact.email,
            phone=sample.contact.phone.removeprefix("+"),
            digits=sample.contact.phone[-7:],
            rep=sample.rep.pk,
            user=sample.manager.pk,
            conversation=sample.conversation.pk,
            line=sample.conversation.phone_line_id,
            campaign=sample.campaign.pk,
            month=sample.month,
        )
        client = APIClient()
        client.force_authenticate(sample.manager)
        response = client.get(f"/api/v1/{path}")
        assert response.status_code == 200, response.content
        return response

    return ask


def poll(sample: Sample, *, xid: int) -> list[tuple]:
    """Ask for changes as the function `changes_after` does, whose own statement shows no plan."""
    query = CHANGES_AFTER_QUERY.format(companies="%s::bigint[]", xids="%s::bigint[]", ids="%s::bigint[]", most="500")
    with connection.cursor() as cursor:
        cursor.execute(query, [[sample.company.pk], [xid], [0]])
        return cursor.fetchall()


def plain_poll(sample: Sample, *, xid: int, role: str = Role.CSR) -> list[tuple]:
    """Ask for changes as the function `poll_changes` does."""
    query = POLLED_CHANGES_QUERY.format(
        state="company_id", company="%(company)s", xid="%(xid)s", id="0", end="%(end)s", most="500",
        role="%(role)s", user="%(user)s",
    )  # fmt: skip
    values = {"company": sample.company.pk, "xid": xid, "end": 10**16, "role": role, "user": sample.rep.pk}
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def admin_list(model: type[Model], **parameters: str) -> Question:
    """Return a question that opens a list of the admin, over all companies."""

    def ask(sample: Sample) -> object:
        request = RequestFactory().get("/", parameters)
        request.user = User(is_staff=True, is_superuser=True, is_active=True)
        with all_tenants():
            return list(site._registry[model].get_changelist_instance(request).result_list)

    return ask


def of_all_companies(ask: Question) -> Question:
    """Return the question as staff or a worker ask it: over all companies."""

    def ask_all(sample: Sample) -> object:
        with all_tenants():
            return ask(sample)

    return ask_all


def foreign_key_check(table: str, column: str, find: Callable[[Sample], int]) -> Question:
    """Return the query that PostgreSQL runs on `table` when the referenced row is deleted."""

    def ask(sample: Sample) -> object:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM ONLY {table} WHERE {column} = %s FOR KEY SHARE", [find(sample)])

    return ask


def preview_with_an_interval(sample: Sample) -> object:
    """Preview all contacts of the company, as if it sent each of them one campaign in 14 days."""
    company = copy(sample.company)
    company.campaign_interval_days = 14
    return preview_of({"all": []}, company=company)


def preview_of_everybody(sample: Sample) -> object:
    return preview_of({"all": []}, company=sample.company)


def count_needs(sample: Sample) -> object:
    """Count what waits for staff, as the first page of the admin does."""
    return list(count_each(kinds_of_needs()))


QUESTIONS: dict[str, Question] = {
    # Documented: webhooks and activities.
    "idx_activity_openphone_id": of_all_companies(
        lambda sample: list(Activity.objects.filter(openphone_id="ACunknown"))
    ),
    "idx_activity_conversation_created": get("activities?conversation={conversation}"),
    "idx_activity_type_created": of_all_companies(
        lambda sample: list(Activity.objects.filter(activity_type="email").order_by("-created_at")[:100])
    ),
    "idx_activity_user": get("activities?user={user}"),
    "idx_activity_contact": get("activities?contact={contact}"),
    "idx_webhook_event_processed": of_all_companies(lambda sample: WebhookEvent.objects.waiting().first()),
    "ix_webhook_events_company_id_run_at_pending": of_all_companies(
        lambda sample: find_companies_with_due_events(now())
    ),
    "idx_webhook_event_id": of_all_companies(lambda sample: list(WebhookEvent.objects.filter(event_id="EV1-1"))),
    # Documented: campaigns, contacts, opt-outs, conversations, business objects.
    "idx_campaign_membership_status": get("campaign-memberships?campaign={campaign}&status=failed&count=1"),
    "idx_campaign_membership_sent": of_all_companies(
        lambda sample: list(CampaignMembership.objects.filter(sent_at__gte=now() - timedelta(days=30), status="failed"))
    ),
    "idx_contact_phone_hash": of_all_companies(lambda sample: list(Contact.objects.filter(phone=sample.contact.phone))),
    "idx_contact_first_name": of_all_companies(lambda sample: list(Contact.objects.filter(first_name="Nobody"))),
    "idx_contact_last_name": of_all_companies(lambda sample: list(Contact.objects.filter(last_name="Nobody"))),
    "idx_contact_email": of_all_companies(lambda sample: list(Contact.objects.filter(email=sample.contact.email))),
    "idx_contact_flag_type_phone": lambda sample: list(
        ContactFlag.objects.opted_out().filter(contact__in=range(sample.contact.pk, sample.contact.pk + 100))
    ),
    "idx_conversation_phone_number_id": get("conversations?phone_line={line}&count=1&limit=1"),
    "idx_conversation_contact": get("conversations?contact={contact}"),
    "idx_appointment_date": of_all_companies(lambda sample: list(Appointment.objects.filter(date=sample.last_day))),
    "idx_invoice_status_due": admin_list(Invoice, status__exact="paid"),
    # Users.
    "ix_user_sessions_user_id_created_at": lambda sample: list(lasting_sessions_of(sample.manager)[:100]),
    "ix_user_sessions_expires_at": lambda sample: list(
        UserSession.objects.filter(expires_at__lt=now() - timedelta(days=30))
    ),
    "ix_mails_run_at_queued": lambda sample: is_mail_due(),
    "ix_mails_user_id": foreign_key_check("mails", "user_id", lambda sample: sample.manager.pk),
    "ix_mails_created_at": lambda sample: list(Mail.objects.order_by("-created_at")[:50]),
    "ix_mails_created_at_failed": of_all_companies(count_needs),
    # Documented: the dashboard.
    "ix_appointments_company_id_scheduled_start": get("dashboard/booking-rate?{month}"),
    "ix_appointments_scheduled_start": of_all_companies(
        lambda sample: list(find_appointments_to_remind(lead=timedelta(hours=24), now=now())[:50])
    ),
    "ix_calls_company_id_created_at": get("dashboard/metrics?{month}"),
    "ix_calls_company_id": get("dashboard/calls?count=1&limit=1"),
    "ix_calls_created_at": of_all_companies(lambda sample: list(Call.objects.order_by("-created_at", "-id")[:100])),
    "ix_calls_company_id_status": get("dashboard/calls?status=cancelled&count=1&limit=1"),
    "ix_calls_assigned_rep_id_created_at": get("dashboard/calls?assigned_rep={rep}"),
    "ix_calls_company_id_booked": lambda sample: Call.objects.filter(booked=True).count(),
    "ix_message_threads_contact_card_id_created_at": get("message-threads/{contact}"),
    "ix_call_analysis_tenant_id_analyzed_at": get("call-analyses"),
    # Lists, newest first.
    "ix_activities_company_id_created_at": get("activities"),
    "ix_campaign_memberships_company_id_created_at": get("campaign-memberships"),
    "ix_campaigns_company_id_created_at": get("campaigns"),
    "ix_contact_flags_company_id_created_at": get("contact-flags"),
    "ix_contacts_company_id_created_at": get("contacts"),
    "ix_conversations_company_id_created_at": get("conversations"),
    "ix_conversations_assignee_id_last_activity_at": get("conversations?assignee=me&order=recent"),
    "ix_conversations_last_activity_at": admin_list(Conversation),
    "ix_conversations_last_activity_at_unassigned": admin_list(Conversation, inbox="unassigned"),
    "ix_conversations_snoozed_until": of_all_companies(lambda sample: Conversation.objects.due_to_wake(now()).exists()),
    "ix_conversations_last_activity_at_waiting": admin_list(Conversation, inbox="waiting"),
    "ix_conversations_company_id_last_activity_at": get("conversations?order=recent"),
    "ix_conversations_company_id_status_last_activity_at": get("conversations?status=waiting&order=recent"),
    "ix_invoices_company_id_created_at": get("invoices"),
    "ix_leads_company_id_created_at": get("leads"),
    "ix_leads_company_id_created_at_pool": get("leads?pool=true"),
    "ix_leads_company_id_source_created_at": get("leads?source=yard sign"),
    "ix_phone_lines_company_id_created_at": get("phone-lines"),
    "ix_users_company_id_date_joined": get("users"),
    "ix_webhook_events_company_id_created_at": get("webhook-events"),
    "ix_webhook_events_company_id_provider_created_at": get("provider-connections"),
    # Imports.
    "ix_imports_company_id_created_at": get("imports"),
    "ix_imports_created_at_rejected": of_all_companies(count_needs),
    "ix_imports_company_id_header_key_id": lambda sample: list(
        Import.objects.filter(header_key="a" * 64).order_by("-pk")[:1]
    ),
    "ix_imports_file_id": foreign_key_check("imports", "file_id", lambda sample: StoredFile.objects.all()[0].pk),
    "ix_imports_list_id": foreign_key_check("imports", "list_id", lambda sample: ContactList.objects.all()[0].pk),
    "ix_imports_task_id": lambda sample: list(Import.objects.filter(task=BackgroundTask.objects.all()[0].pk)),
    "ix_import_rows_contact_id_import_id": lambda sample: list(ImportRow.objects.filter(contact_id=sample.contact.pk)),
    # Background tasks and their files.
    "ix_background_tasks_company_id_created_at": get("background-tasks"),
    "ix_background_tasks_id_open": of_all_companies(
        lambda sample: BackgroundTask.objects.claimable(now()).order_by("pk").first()
    ),
    "ix_background_tasks_result_file_id": foreign_key_check(
        "background_tasks",
        "result_file_id",
        lambda sample: BackgroundTask.objects.exclude(result_file=None)[0].result_file_id,
    ),
    "ix_stored_files_company_id_created_at": lambda sample: list(StoredFile.objects.order_by("-created_at")[:50]),
    "ix_stored_files_created_at_in_database": of_all_companies(
        lambda sample: StoredFile.objects.filter(IN_DATABASE).order_by("created_at").first()
    ),
    "ix_stored_objects_run_at_unfinished": of_all_companies(lambda sample: StoredObject.objects.due(now()).first()),
    "ix_stored_files_expires_at": of_all_companies(
        lambda sample: list(StoredFile.objects.filter(expires_at__lt=now() - timedelta(days=60)))
    ),
    # Changes.
    "ix_changes_company_id_xid_id": lambda sample: poll(sample, xid=0),
    # Opt-outs.
    "ix_opt_outs_company_id_created_at_decided": get("opt-outs"),
    "ix_opt_outs_company_id_created_at_under_review": get("opt-outs?state=under_review"),
    "ix_opt_out_entries_opt_out_id_occurred_at": lambda sample: list(
        OptOutEntry.objects.filter(opt_out=OptOut.objects.decided().latest("id")).order_by("occurred_at", "id")
    ),
    "ix_opt_out_entries_activity_id": foreign_key_check(
        "opt_out_entries",
        "activity_id",
        lambda sample: Activity.objects.filter(contact=sample.contact).values_list("pk", flat=True)[0],
    ),
    "ix_opt_out_entries_company_id_created_at": lambda sample: list(OptOutEntry.objects.order_by("-created_at")[:100]),
    # Running campaigns.
    "ix_campaigns_feed_at": of_all_companies(
        lambda sample: list(
            Campaign.objects.filter(status="running", feed_at__lte=now()).order_by("feed_at", "pk")[:20]
        )
    ),
    "ix_campaigns_scheduled_at": of_all_companies(
        lambda sample: list(Campaign.objects.filter(status="scheduled", scheduled_at__lte=now()))
    ),
    "ix_campaign_memberships_campaign_id_due_at_id_pending": lambda sample: list(
        sample.campaign.memberships.filter(status="pending", due_at__lte=now()).order_by("due_at", "id")[:100]
    ),
    "ix_campaign_counts_company_id_campaign_id": lambda sample: list(
        CampaignCount.objects.filter(campaign=sample.campaign)
    ),
    # Marketing consents.
    "ix_marketing_consents_company_id_created_at": get("marketing-consents"),
    "ix_marketing_consents_company_id_main_contact_id": preview_of_everybody,
    "ix_marketing_consents_company_id_phone_unlinked": preview_of_everybody,
    "ix_marketing_consents_company_id_phone": get("marketing-consents?phone=%2B{phone}"),
    # Merges.
    "ix_duplicates_company_id_score_id": get("duplicates"),
    "ix_duplicates_created_at_open": of_all_companies(count_needs),
    "ix_duplicates_score_id_open": admin_list(DuplicateCandidate),
    "ix_duplicates_second_id": lambda sample: list(DuplicateCandidate.objects.filter(second=sample.contact)),
    "ix_merges_kept_id": get("merges?contact={contact}"),
    "ix_merges_company_id_created_at": get("merges"),
    "ix_merges_created_at_undoable": of_all_companies(
        lambda sample: list(
            ContactMerge.objects.exclude(before={}).filter(created_at__lt=now()).order_by("created_at")[:500]
        )
    ),
    # The outbox.
    "ix_message_threads_phone_line_id_priority_run_at_id_queued": lambda sample: find_ready_lines(now()),
    "ix_message_threads_run_at": of_all_companies(lambda sample: Message.objects.due_for_lookup(now()).first()),
    "ix_message_threads_contact_card_id_hold_if_reply": lambda sample: hold_answered(
        messages=Message.objects.filter(contact=sample.contact)
    ),
    "ix_message_threads_company_id_held": lambda sample: Message.objects.filter(status="held")[:100].count(),
    "ix_message_threads_created_at_lost": of_all_companies(count_needs),
    "ix_message_threads_membership_id": foreign_key_check(
        "message_threads", "membership_id", lambda sample: sample.campaign.memberships.first().pk
    ),
    # Reminders.
    "ix_appointment_proposals_company_id_created_at": get("appointment-proposals"),
    "ix_appointment_proposals_company_id_created_at_open": get("appointment-proposals?status=open&limit=5"),
    "ix_appointment_proposals_appointment_id": lambda sample: list(
        AppointmentProposal.objects.filter(appointment=AppointmentProposal.objects.latest("pk").appointment_id)
    ),
    "ix_appointment_reminders_company_id_created_at": get("appointment-reminders"),
    "ix_appointment_reminders_company_id_scheduled_start_reschedule": lambda sample: (
        AppointmentReminder.objects.reschedule_requests(now())[:100].count()
    ),
    "ix_appointment_reminders_run_at": of_all_companies(lambda sample: AppointmentReminder.objects.due(now()).first()),
    # Attachments.
    "ix_attachments_run_at_pending": of_all_companies(lambda sample: Attachment.objects.due_to_fetch(now()).first()),
    "ix_attachments_company_id_created_at_of_calls": lambda sample: list(
        Attachment.objects.filter(kind__in=OF_CALLS, created_at__lt=now() - timedelta(days=60))
        .order_by("created_at")
        .values("pk")[:100]
    ),
    "ix_attachments_created_at_unused": of_all_companies(
        lambda sample: list(
            Attachment.objects.filter(OF_NOBODY, created_at__lt=now()).order_by("created_at").values("pk")[:100]
        )
    ),
    "ix_attachments_created_at_failed": of_all_companies(count_needs),
    "ix_attachments_contact_id_created_at": foreign_key_check(
        "attachments", "contact_id", lambda sample: sample.contact.pk
    ),
    "ix_attachments_appointment_id_created_at": foreign_key_check(
        "attachments", "appointment_id", lambda sample: Appointment.objects.latest("id").pk
    ),
    "ix_appointments_series_scheduled_start": get("appointments?series=7d9f3a52-8d0e-4c86-9f0b-2f1f7d0c1a11"),
    # Time off.
    "ix_time_off_company_id_starts_at": get("time-off"),
    "ix_time_off_rep_id_starts_at": get("time-off?rep={rep}"),
    # Tasks.
    "ix_tasks_company_id_due_at": get("tasks"),
    "ix_tasks_company_id_due_at_open": get("tasks?due=overdue&order=oldest&limit=20"),
    "ix_tasks_assignee_id_due_at_open": get("tasks?assignee={rep}&done=false&order=oldest&limit=20"),
    "ix_tasks_contact_id_due_at": get("tasks?contact={contact}"),
    "ix_tasks_call_id": foreign_key_check("tasks", "call_id", lambda sample: sample.call.pk),
    "ix_tasks_lead_id": foreign_key_check("tasks", "lead_id", lambda sample: sample.call.lead_id),
    # Unread messages and missed callers.
    "ix_message_threads_contact_card_id_unread": lambda sample: list(
        Message.objects.unread().filter(contact=sample.contact)
    ),
    "ix_missed_callers_company_id_last_missed_at": get("missed-calls"),
    "ix_missed_callers_company_id_last_missed_at_waiting": get("missed-calls?recovered=false&limit=5"),
    "ix_missed_callers_last_missed_at_waiting": admin_list(MissedCaller),
    "ix_missed_callers_created_at_text_back_due": of_all_companies(
        lambda sample: MissedCaller.objects.text_backs_due().first()
    ),
    "ix_missed_callers_created_at_text_back_failed": of_all_companies(
        lambda sample: MissedCaller.objects.text_backs_failed(since=now() - timedelta(days=1)).count()
    ),
    "ix_missed_callers_contact_id": get("missed-calls?contact={contact}"),
    # Cleanup of expired rows.
    "ix_idempotency_keys_created_at": of_all_companies(lambda sample: IdempotencyKey.objects.expired(now()).delete()),
    # Tags, custom fields and static lists.
    "ix_contact_tags_tag_id_contact_id": get("contacts?tag=VIP"),
    "ix_contact_fields_company_id_position": lambda sample: list(ContactField.objects.live()),
    "ix_contact_fields_deleted_at": of_all_companies(lambda sample: list(ContactField.objects.deleted())),
    "ix_contact_field_values_field_id": foreign_key_check(
        "contact_field_values", "field_id", lambda sample: ContactField.objects.latest("id").pk
    ),
    "ix_contact_field_values_company_id_field_id_text_key_contact_id": get("contacts?field.alarm_code=%231031"),
    "ix_contact_field_values_company_id_field_id_number_contact_id": get("contacts?field.roof_age.gte=35"),
    "ix_contact_field_values_company_id_field_id_date_contact_id": get("contacts?field.warranty_until.lte=2027-02-01"),
    "ix_contact_field_values_company_id_field_id_yes_contact_id": lambda sample: ContactFieldValue.objects.filter(
        field__key="financed", yes=True
    ).count(),
    "ix_contact_list_entries_contact_id": foreign_key_check(
        "contact_list_entries", "contact_id", lambda sample: sample.contact.pk
    ),
    # Contact search.
    "ix_contact_search_keys_company_id_key": get("contacts?search={name}"),
    "ix_contacts_id_keys_stale": lambda sample: repair_search_keys(),
    "ix_contact_phones_company_id_phone_reversed": get("contacts?search={digits}"),
    # Outgoing webhooks.
    "ix_outgoing_webhooks_company_id_created_at": get("outgoing-webhooks"),
    "ix_outgoing_events_company_id_created_at": get("outgoing-events?limit=20"),
    "ix_outgoing_events_company_id_created_at_dead": get("outgoing-events?status=dead"),
    "ix_outgoing_events_webhook_id_created_at": lambda sample: list(
        OutgoingEvent.objects.filter(
            webhook=OutgoingWebhook.objects.values_list("pk", flat=True).latest("pk")
        ).order_by("-created_at")[:20]
    ),
    "ix_outgoing_events_webhook_id_run_at_id_pending": of_all_companies(
        lambda sample: OutgoingWebhook.objects.ready(now()).exists()
    ),
    "ix_outgoing_events_created_at_ended": of_all_companies(lambda sample: remove_ended_events()),
    # API tokens.
    "ix_api_tokens_company_id_created_at": get("api-tokens"),
    # Calendar feeds.
    "ix_calendar_feeds_company_id_created_at": get("calendar-feeds"),
    # Audit entries.
    "ix_audit_entries_company_id_at": get("audit?limit=20"),
    "ix_audit_entries_company_id_table_name_at": get("audit?resource=imports"),
    "ix_audit_entries_company_id_actor_id_at": get("audit?user={user}&limit=20"),
    "ix_audit_entries_company_id_at_action": get("audit?action=export&action=replay"),
    "ix_audit_entries_table_name_row_id": of_all_companies(
        lambda sample: list(AuditEntry.objects.filter(table_name="campaigns", row_id=sample.campaign.pk))
    ),
    # Rollups of the dashboard.
    "ix_call_objections_company_id_analyzed_at_label": get("dashboard/top-objections?{month}"),
    "ix_stale_call_hours_company_id_hour": get("dashboard/metrics?{month}"),
    # Rows that refer to a contact, call, lead or user.
    "ix_appointments_assigned_rep_id_scheduled_start": get("appointments?assigned_rep={rep}"),
    "ix_appointments_call_id": foreign_key_check("appointments", "call_id", lambda sample: sample.call.pk),
    "ix_appointments_contact_id_scheduled_start": get("appointments?contact={contact}"),
    "ix_appointments_lead_id": foreign_key_check("appointments", "lead_id", lambda sample: sample.call.lead_id),
    "ix_call_analysis_call_id_analyzed_at": get("call-analyses?contact={contact}"),
    "ix_calls_contact_card_id_created_at": get("calls?contact={contact}"),
    "ix_calls_company_id_from_number_unlinked": get("calls?number={phone}"),
    "ix_calls_company_id_to_number_unlinked": get("calls?number={phone}"),
    "ix_calls_lead_id": foreign_key_check("calls", "lead_id", lambda sample: sample.call.lead_id),
    "ix_campaign_memberships_company_id_sent_at": preview_with_an_interval,
    "ix_campaign_memberships_contact_id": get("campaign-memberships?contact={contact}"),
    "ix_contact_flags_contact_id": get("contact-flags?contact={contact}"),
    "ix_contacts_company_id_id_abroad": preview_of_everybody,
    "ix_contact_phones_company_id_phone_main_elsewhere": preview_of_everybody,
    "ix_campaign_memberships_campaign_id_updated_at_outcome": lambda sample: failed_lately(
        campaign=sample.campaign, since=now() - timedelta(days=3650)
    ),
    "ix_contact_phones_contact_id": lambda sample: list(ContactPhone.objects.filter(contact=sample.contact)),
    "ix_invoices_company_id_due_date": get("invoices?order=due"),
    "ix_invoices_due_date_unpaid": admin_list(Invoice),
    "ix_invoices_contact_id": get("invoices?contact={contact}"),
    "ix_leads_assignee_id_created_at": get("leads?assignee={user}"),
    "ix_leads_contact_id": get("leads?contact={contact}"),
}
