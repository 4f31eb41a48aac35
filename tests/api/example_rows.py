"""One company with a row of everything, in plausible words, for the examples of the OpenAPI document."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now

from crm.services.links import make_token
from crm.totp import STEP_S, code_at
from tests import factories
from tests.conftest import signed_in
from tests.factories import PASSWORD
from tests.file_server import JPEG
from tests.messaging.clocks import zone_with_hour

AT = datetime(2026, 3, 2, 16, tzinfo=UTC)
SEND_AT = AT + timedelta(days=1)
PHOTO = {"url": "https://media.example.com/roof.jpg", "type": "image/jpeg"}
AGREED = "I agree to receive marketing texts from Summit Roofing at this number."


QUIET_IN_DENVER = {"all": [{"field": {"name": "city", "is": ["Denver"]}}, {"not": {"call": {"within_days": 90}}}]}


class ExampleRows:
    """The rows, and what to send. An operation on a row uses that of its path's first words, below `/api/v1/`."""

    def __init__(self):
        company = factories.CompanyFactory(name="Summit Roofing", slug="summit-roofing", timezone="America/Denver")
        self.manager = self.user(company, "maria", "Maria", "Lopez", "manager")
        cursor = signed_in(self.manager).get("/api/v1/changes").json()["next"]
        # Of one kind of row, so that the example stays when other rows are audited.
        self.queries = {"changes_list": {"after": cursor, "limit": 2}, "audit_list": {"resource": "tags", "limit": 2}}
        self.queries["slots_retrieve"] = {"length": 90, "start_date": "2099-03-09", "end_date": "2099-03-09"}
        csr = self.user(company, "carla", "Carla", "Jones", "csr")
        rep = self.user(company, "ralph", "Ralph", "Meyer", "rep")
        rep.working_hours = {"monday": {"opens": "08:00", "closes": "10:00"}}
        rep.save()
        line = factories.PhoneLineFactory(
            company=company, name="Front desk", number="+13035550100", provider_id="PNfront", created_at=AT
        )
        contact = factories.ContactFactory(
            company=company, first_name="Robin", last_name="Field", phone="+13035550142", email="robin@example.com",
            address="12 Elm Street", city="Denver", state="CO", postal_code="80202", created_at=AT,
        )  # fmt: skip
        of_contact = {"contact": contact, "created_at": AT}
        stranger = factories.ContactFactory(
            company=company, first_name="Alex", last_name="Stone", phone="+13035550143", created_at=AT
        )
        office = factories.ContactPhoneFactory(contact=contact, phone="+13035550144", label="Work", created_at=AT)
        lead = factories.LeadFactory(
            status="qualified", source="call", value=Decimal("8400.00"), assignee=csr, notes="Wants a new roof.",
            **of_contact,
        )  # fmt: skip
        call = factories.CallFactory(
            lead=lead, phone_line=line, assigned_rep=rep, to_number=line.number, answered_at=AT + timedelta(seconds=9),
            completed_at=AT + timedelta(seconds=189), duration_s=180, quoted_price=Decimal("8400.00"), **of_contact,
        )  # fmt: skip
        conversation = factories.ConversationFactory(phone_line=line, assignee=csr, last_activity_at=AT, **of_contact)
        note = factories.ActivityFactory(body="Has a dog. Ring the bell.", user=self.manager, **of_contact)
        text = factories.ActivityFactory(
            activity_type="message", direction="incoming", body="Can you come on Tuesday?", conversation=conversation,
            **of_contact,
        )  # fmt: skip
        message = {"phone_line": line, "from_number": contact.phone, "to_numbers": [line.number], **of_contact}
        factories.MessageFactory(activity=text, media=[PHOTO], **message)
        outgoing = {"phone_line": line, "from_number": line.number, "to_numbers": [contact.phone], **of_contact}
        held = factories.HeldMessageFactory(body="On our way.", **outgoing)
        later = {"kind": "scheduled", "hold_if_reply": True, "send_at": SEND_AT, "activity__user": csr, **outgoing}
        scheduled = factories.MessageFactory(
            direction="outgoing", status="queued", run_at=SEND_AT, body="See you tomorrow at nine!", **later
        )
        answered = factories.HeldMessageFactory(
            error="The contact has replied since it was written. Send it anyway, or cancel it.", error_code="replied",
            body="Does nine suit you?", **later,
        )  # fmt: skip
        campaign = factories.CampaignFactory(
            company=company, name="Spring check", body="Time for a check of your roof?", phone_line=line,
            created_by=self.manager, created_at=AT,
        )  # fmt: skip
        self.draft = factories.CampaignFactory(company=company, name="Autumn check", created_at=AT)
        running = factories.CampaignFactory(
            company=company, name="Leaf check", status="running", phone_line=line, started_by=self.manager,
            created_at=AT, started_at=AT, feed_at=AT,
        )  # fmt: skip
        paused = factories.CampaignFactory(
            company=company, name="Snow check", status="paused", phone_line=line, started_by=self.manager,
            status_reason="10 of the last 50 messages have failed. Look at their reasons.", created_at=AT,
            started_at=AT,
        )  # fmt: skip
        ready = factories.CampaignFactory(
            company=company, name="Gutter check", body="Hi {first_name|there}, are your gutters clean?",
            phone_line=line, created_by=self.manager, created_at=AT,
        )  # fmt: skip
        factories.CampaignMembershipFactory(campaign=ready, **of_contact)
        vip = factories.TagFactory(company=company, name="VIP", created_at=AT)
        factories.ContactTagFactory(tag=vip, created_by=csr, **of_contact)
        roof_age = factories.ContactFieldFactory(
            company=company, key="roof_age", label="Roof age (years)", position=1, created_at=AT
        )
        factories.ContactFieldValueFactory(field=roof_age, created_by=csr, **of_contact)
        mailing = factories.ContactListFactory(
            company=company, name="Spring mailing", created_by=self.manager, created_at=AT, entries_changed_at=AT
        )
        factories.ContactListEntryFactory(list=mailing, **of_contact)
        unused_tag = factories.TagFactory(company=company, name="Old roof", created_at=AT)
        alarm_code = factories.ContactFieldFactory(
            company=company, key="alarm_code", label="Alarm code", field_type="text", position=2, created_at=AT
        )
        deleted_field = factories.ContactFieldFactory(
            company=company, key="pool", label="Has a pool", field_type="yes_no", position=3, created_at=AT,
            deleted_at=AT,
        )  # fmt: skip
        empty_list = factories.ContactListFactory(
            company=company, name="Home show", created_by=self.manager, created_at=AT, entries_changed_at=AT
        )
        self.stranger = stranger
        suspended = factories.PhoneLineFactory(
            company=company, name="Sales", number="+13035550101", provider_id="PNsales", created_at=AT,
            paused_until=AT, paused_at=AT, pause_reason="The provider has suspended the number.",
        )  # fmt: skip
        opt_out = factories.OptOutFactory(
            company=company, phone="+13035550143", state="under_review", decided_at=AT, created_at=AT
        )
        factories.OptOutEntryFactory(
            opt_out=opt_out, action="suspected", words="Please leave me alone", occurred_at=AT, created_at=AT
        )
        appointment = factories.AppointmentFactory(
            call=call, lead=lead, assigned_rep=rep, notes="Leak above the garage.", **of_contact
        )
        hook = factories.OutgoingWebhookFactory(
            company=company, name="Accounting", url="https://accounting.example.com/hook",
            resources=["contacts", "invoices"], created_by=self.manager, created_at=AT,
        )  # fmt: skip
        task = factories.TaskFactory(
            call=call, lead=lead, assignee=csr, created_by=csr, title="Send the quote", due_at=AT,
            **of_contact,
        )  # fmt: skip
        self.rows = {
            "activities": note,
            "appointment-proposals": factories.AppointmentProposalFactory(
                appointment=appointment, created_by=rep, note="The crane comes at noon.", created_at=AT
            ),
            "appointment-reminders": factories.AppointmentReminderFactory(
                appointment=appointment, answer="confirmed", answered_at=AT, created_at=AT
            ),
            "appointments": appointment,
            "api-tokens": factories.ApiTokenFactory(
                company=company, name="Website form", scopes=["contacts:write", "leads:write"], beginning="k3Vq",
                created_by=self.manager, created_at=AT, last_used_at=AT,
            ),
            "attachments": factories.AttachmentFactory(
                contact=None, company=company, call=call, kind="recording", provider="openphone", created_at=AT,
                file__name="recording-1-1.mp3", file__content_type="audio/mpeg", file__size=1_412_204,
            ),
            "audit": factories.AuditEntryFactory(
                company=company, table_name="contacts", row_id=contact.pk, actor=csr.username, actor_id=csr.pk, at=AT,
            ),
            "background-tasks": factories.BackgroundTaskFactory(
                company=company, state="running", done=15_000, total=48_211, requested_by=self.manager, created_at=AT,
                started_at=AT,
            ),
            "calendar-feeds": factories.CalendarFeedFactory(
                company=company, user=rep, created_at=AT, last_used_at=AT
            ),
            "call-analyses": factories.CallAnalysisFactory(
                call=call, objections=["price"], sentiment="positive", outcome="wants a quote",
                summary="Roof of 1998, leaks above the garage.", analyzed_at=AT,
            ),
            "calls": call,
            "campaign-memberships": factories.CampaignMembershipFactory(campaign=campaign, **of_contact),
            "campaigns": campaign,
            "contact-fields": roof_age,
            "contact-flags": factories.ContactFlagFactory(
                flag_type="office_number", reason="The number is an office.", source="manual", created_by=csr,
                **of_contact,
            ),
            "contact-lists": mailing,
            "contacts": contact,
            "contacts/phones": office,
            "conversations": conversation,
            "held-messages": held,
            "imports": factories.ImportFactory(
                company=company, name="May list.csv", state="done", file_rows=4, rows=5, created=2, updated=1,
                merged_in_file=1, rejected=1, created_by=self.manager, created_at=AT, ended_at=AT,
            ),
            "invoices": factories.InvoiceFactory(number="INV-00017", **of_contact),
            "leads": lead,
            "marketing-consents": factories.MarketingConsentFactory(
                company=company, phone=contact.phone, wording=AGREED, proof="https://summit-roofing.example/quote",
                given_at=AT, created_at=AT,
            ),
            "duplicates": factories.DuplicateCandidateFactory(
                company=company, first=contact, second=stranger, reasons=["email"], score=74, created_at=AT
            ),
            "merges": factories.ContactMergeFactory(
                company=company, kept=contact, gone_id=6_000, counts={"calls": 3, "message_threads": 12},
                created_by=csr, created_at=AT,
            ),
            "message-threads": contact,
            "messages": scheduled,
            "missed-calls": factories.MissedCallerFactory(phone_line=line, missed_calls=2, **of_contact),
            "opt-outs": opt_out,
            "outgoing-events": factories.OutgoingEventFactory(
                company=company, webhook=hook, resource="contacts", object_id=contact.pk, status="dead", tries=14,
                answer_status=500,
                error="The receiver answered with status 500.", occurred_at=AT, created_at=AT, run_at=AT,
            ),
            "outgoing-webhooks": hook,
            "phone-lines": line,
            "segments": factories.SegmentFactory(
                company=company, name="Quiet in Denver", definition=QUIET_IN_DENVER, created_by=self.manager,
                created_at=AT,
            ),
            "snippets": factories.SnippetFactory(
                company=company, shortcut="hours", created_by=self.manager, created_at=AT
            ),
            "tags": vip,
            "me/sessions": factories.UserSessionFactory(
                user=self.manager, client="Mozilla/5.0 (Windows NT 10.0) Firefox/152.0", created_at=AT, last_used_at=AT,
                expires_at=AT + timedelta(days=3650),
            ),
            "tasks": task,
            "time-off": factories.TimeOffFactory(
                company=company, rep=rep, starts_at=AT, ends_at=AT + timedelta(days=7), reason="Holiday", created_at=AT
            ),
            "users": rep,
            "webhook-events": factories.WebhookEventFactory(
                company=company, event_id="EV17", status="dead", error="The message has no sender.", tries=8,
                created_at=AT,
            ),
        }  # fmt: skip
        made = factories.StoredFileFactory(company=company, name="Rejected rows.csv", created_at=AT, expires_at=AT)
        rung_back = factories.ContactFactory(
            company=company, first_name="Jo", last_name="Hill", phone="+13035550151", created_at=AT
        )
        at_home = factories.ContactFactory(
            company=company, first_name="Ann", last_name="Brook", phone="+13035550152", timezone=zone_with_hour(14),
            created_at=AT,
        )  # fmt: skip
        photo = factories.AttachmentFactory(created_by=csr, file__size=812_040, **of_contact)
        factories.AttachmentFactory(
            contact=None, company=company, appointment=appointment, created_by=rep, file__size=794_112, created_at=AT
        )
        factories.AttachmentFactory(
            contact=None, company=company, activity=text, kind="message", provider="openphone", created_at=AT,
            file__name="message-7-1.jpg", file__size=240_310,
        )  # fmt: skip
        self.of_operation = {
            "attachments_destroy": photo,
            "imports_undo": factories.ImportFactory(company=company, name="May list.csv", state="done"),
            "background_tasks_file": factories.BackgroundTaskFactory(company=company, result_file=made),
            "campaigns_audience": self.draft,
            "campaigns_cancel": paused,
            "campaigns_destroy": self.draft,
            "campaigns_pause": running,
            "campaigns_resume": paused,
            "campaigns_start": ready,
            "campaigns_steps": self.draft,
            "contact_fields_destroy": alarm_code,
            "contact_fields_restore": deleted_field,
            "contact_lists_destroy": empty_list,
            "contacts_destroy": stranger,
            "appointments_on_the_way": factories.AppointmentFactory(
                contact=at_home, assigned_rep=rep, scheduled_start=now() + timedelta(hours=1), created_at=AT
            ),
            "leads_claim": factories.LeadFactory(source="website", **of_contact),
            "messages_release": answered,
            "missed_calls_undo": factories.MissedCallerFactory(
                contact=rung_back, recovered_at=AT, recovered_by="manual", recovered_user=csr, created_at=AT
            ),
            "phone_lines_resume": suspended,
            "tags_destroy": unused_tag,
        }
        begun = self.user(company, "bea", "Bea", "Ames", "csr")
        secured = self.user(company, "sam", "Sam", "Ortiz", "csr")
        factories.SecondFactorFactory(user=begun)
        factories.SecondFactorFactory(user=secured)
        secured.second_factor_since = AT
        secured.save()
        self.user_of = {
            "me_second_factor_confirm": begun,
            "me_second_factor_recovery_codes": secured,
            "me_second_factor_remove": secured,
            "appointment_proposals_create": rep,
            "appointment_proposals_withdraw": rep,
        }
        invited = self.user(company, "nora", "Nora", "Fox", "csr")
        invited.set_unusable_password()
        invited.save()
        self.of_operation |= {"users_invite": invited, "users_reset_second_factor": secured}
        twins = [
            factories.ContactFactory(company=company, first_name="Kim", last_name="Lake", phone=phone, created_at=AT)
            for phone in ("+13035550149", "+13035550150")
        ]
        self.of_operation["duplicates_merge"] = factories.DuplicateCandidateFactory(
            company=company, first=twins[0], second=twins[1], reasons=["email", "name_address"], score=100
        )
        self.of_operation["appointments_change_series"] = factories.AppointmentFactory(
            series=UUID("7d9f3a52-8d0e-4c86-9f0b-2f1f7d0c1a11"),
            scheduled_start=AT + timedelta(days=6),
            contact=twins[0],
            created_at=AT,
        )
        kept = {"kept": twins[0].pk, "fields": {"first_name": "kept"}}
        self.of_operation["merges_undo"] = factories.ContactMergeFactory(company=company, kept=contact, gone_id=6_001)
        duplicate = factories.ContactFactory(
            company=company, first_name="Rob", last_name="Field", phone="+13035550148", created_at=AT
        )
        merges = {"contacts_merge": {"other": duplicate.pk, "fields": {"email": "kept"}}, "duplicates_merge": kept}
        code = {"code": code_at(factories.TOTP_KEY, int(time.time() // STEP_S))}
        of_codes = {name: code for name in self.user_of if name.startswith("me_")}
        of_codes["auth_set_password"] = {
            "token": make_token(user=invited, kind="invitation"), "password": "shingle-99-x",
        }  # fmt: skip
        self.bodies = (
            merges
            | of_codes
            | example_bodies(
                stranger=stranger.pk, contact=contact.pk, call=call.pk, campaign=self.draft.pk, rep=rep.pk, line=line.pk
            )
        )
        self.bodies["appointment_proposals_create"] = {
            "appointment": self.of_operation["appointments_on_the_way"].pk, "note": "The crane comes at noon.",
            "scheduled_start": "2026-03-09T18:00:00Z", "scheduled_end": "2026-03-09T19:00:00Z",
        }  # fmt: skip

    @staticmethod
    def user(company, username, first_name, last_name, role):
        return factories.UserFactory(
            company=company, username=username, first_name=first_name, last_name=last_name, role=role,
            email=f"{username}@example.com", date_joined=AT,
        )  # fmt: skip

    def url(self, path, operation_id):
        """Return the URL of an operation on its example row. Fails if there is none."""
        path = path.replace("{contact}", str(self.rows["contacts"].pk))
        parts = path.removeprefix("/api/v1/").split("/")
        if not any(part.startswith("{") for part in parts):
            return path
        words = [part for part in parts[: next(n for n, part in enumerate(parts) if part.startswith("{"))]
                 if not part.isdigit()]  # fmt: skip
        row = self.of_operation.get(operation_id) or self.rows["/".join(words)]
        return "/".join(str(row.pk) if part.startswith("{") else part for part in path.split("/"))


def example_bodies(*, stranger, contact, call, campaign, rep, line):
    """Return the body of each operation that has one, by operation ID."""
    times = {"scheduled_start": "2026-03-09T16:00:00Z", "scheduled_end": "2026-03-09T17:00:00Z"}
    return {
        "activities_create": {"contact": contact, "body": "Prefers calls after five."},
        "activities_partial_update": {"body": "Has two dogs. Ring the bell."},
        "api_tokens_create": {
            "name": "Website form", "scopes": ["contacts:write"], "expires_at": "2027-03-01T00:00:00Z",
        },
        "appointments_create": {"contact": contact, "call": call, "assigned_rep": rep, **times, "notes": "Two hours."},
        "appointments_change_series": {
            "scheduled_start": "2026-03-10T17:00:00Z", "scheduled_end": "2026-03-10T18:00:00Z",
        },
        "appointments_series": {
            "contact": contact, "assigned_rep": rep, "scheduled_start": "2026-04-06T15:00:00Z",
            "scheduled_end": "2026-04-06T16:00:00Z", "recurrence": "FREQ=WEEKLY;INTERVAL=2;COUNT=2",
        },
        "appointments_partial_update": {"status": "confirmed"},
        "appointments_on_the_way": {"minutes": 20, "phone_line": line},
        "snippets_create": {"shortcut": "late", "body": "Hi {first_name|there}, we are running late."},
        "snippets_partial_update": {"body": "Hi {first_name|there}, we are open from 7 to 6."},
        "tasks_create": {"title": "Call back about the quote", "call": call, "due_at": "2026-03-09T16:00:00Z"},
        "time_off_create": {
            "rep": rep, "starts_at": "2026-03-10T06:00:00Z", "ends_at": "2026-03-11T06:00:00Z", "reason": "Training",
        },
        "time_off_partial_update": {"ends_at": "2026-03-12T06:00:00Z"},
        "tasks_partial_update": {"due_at": "2026-03-10T16:00:00Z"},
        "auth_token": {"username": "maria", "password": PASSWORD},
        "auth_password_reset": {"email": "maria@example.com"},
        "me_password": {"current_password": PASSWORD, "new_password": "shingle-99-x"},
        "me_second_factor": {"password": PASSWORD},
        "calendar_feeds_create": {"user": rep},
        "call_analyses_create": {"call": call, "objections": ["price", "timing"], "sentiment": "neutral"},
        "calls_create": {"contact": contact, "direction": "outgoing", "status": "unbooked", "phone_line": line},
        "calls_partial_update": {"status": "lost", "reason_for_lost_sale": "Too expensive."},
        "campaign_memberships_create": {"campaign": campaign, "contact": contact},
        "campaigns_audience": {"definition": {"field": {"name": "city", "is": ["Denver"]}}},
        "campaigns_create": {"name": "Winter check", "body": "Is your roof ready for snow?", "phone_line": line},
        "campaigns_test_send": {"phone": "+13035550142"},
        "campaigns_partial_update": {"name": "Spring check 2026"},
        "campaigns_steps": {"steps": [{"delay_minutes": 2880, "body": "Still time to book your roof check."}]},
        "company_partial_update": {
            "missed_call_text": "Sorry that we missed you. How can we help?",
            "after_hours_text": "We are closed until eight. How can we help?", "quiet_hours_start": 20,
            "working_hours": {"monday": {"opens": "08:00", "closes": "17:30"}},
        },
        "contact_fields_create": {"label": "Roof type", "field_type": "choice", "options": ["Shingle", "Metal"]},
        "contact_fields_partial_update": {"label": "Age of the roof"},
        "contact_lists_add": {"contacts": [stranger]},
        "contact_lists_create": {"name": "Autumn mailing"},
        "contact_lists_partial_update": {"name": "Spring mailing 2026"},
        "contact_lists_remove": {"contacts": [contact]},
        "contact_flags_create": {"contact": contact, "flag_type": "do_not_contact", "reason": "Asked us to."},
        "contact_flags_partial_update": {"expires_at": "2026-06-01T00:00:00Z"},
        "contacts_create": {"first_name": "Kim", "last_name": "Rivers", "phone": "(303) 555-0145", "city": "Denver"},
        "contacts_partial_update": {
            "email": "robin.field@example.com", "tags": ["VIP", "Referral"], "fields": {"roof_age": 13},
        },
        "contacts_phones_create": {"number": "(303) 555-0146", "label": "Mobile"},
        "contacts_phones_partial_update": {"label": "Office"},
        "conversations_partial_update": {"status": "closed"},
        "attachments_create": {"file": SimpleUploadedFile("roof.jpg", JPEG), "contact": contact},
        "imports_create": {"file": SimpleUploadedFile("May list.csv", b"Name,Phone\nRobin Field,(303) 555-0142\n")},
        "invoices_create": {"contact": contact, "number": "INV-00018", "amount": "950.00", "due_date": "2026-04-01"},
        "invoices_partial_update": {"status": "paid"},
        "leads_create": {
            "contact": contact, "source": "website", "value": "1800.00", "notes": "Wants a quote for gutters.",
        },
        "leads_partial_update": {"status": "contacted"},
        "marketing_consents_create": {
            "phone": "(303) 555-0147", "source": "form", "wording": AGREED,
            "proof": "https://summit-roofing.example/quote", "given_at": "2026-03-01T18:30:00Z",
        },
        "message_threads_create": {"body": "Tuesday at nine works. See you then!", "phone_line": line},
        "messages_partial_update": {"body": "See you tomorrow at ten!"},
        "outgoing_webhooks_create": {
            "name": "Accounting", "url": "https://accounting.example.com/hook", "resources": ["contacts", "invoices"],
        },
        "outgoing_webhooks_partial_update": {"resources": ["invoices"]},
        "phone_lines_create": {"name": "Service", "number": "+13035550102", "provider_id": "PNservice"},
        "phone_lines_partial_update": {"name": "Reception"},
        "provider_connections_partial_update": {
            "provider": "twilio", "account_key": "4f1c9d2e8b7a6053", "account_id": "AC0123456789abcdef",
        },
        "provider_connections_test": {"provider": "openphone"},
        "segments_create": {"name": "Overdue for a month", "definition": {"invoice": {"overdue_days": 30}}},
        "segments_partial_update": {"name": "Quiet in Denver, 2026"},
        "segments_preview": {"definition": {"field": {"name": "city", "is": ["Denver"]}}},
        "tags_create": {"name": "Referral"},
        "tags_partial_update": {"name": "Important"},
        "users_create": {
            "username": "nina", "first_name": "Nina", "last_name": "Berg", "role": "csr", "password": "shingle-99-x",
        },
        "users_partial_update": {"is_active": False},
    }  # fmt: skip
