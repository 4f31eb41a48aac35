"""Two companies with a row of everything, and requests as any caller that report the changed companies."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils.timezone import now
from rest_framework.test import APIClient

from crm.api.tokens import SessionToken
from crm.db.tenancy import all_tenants
from crm.models import Company
from crm.services.links import make_token
from tests import factories
from tests.api.role_spec import NOBODY
from tests.conftest import signed_in
from tests.db.catalogue import product_models
from tests.file_server import JPEG
from tests.messaging.clocks import zone_with_hour

CHANGES = {
    "activities": {"body": "Has a cat."},
    "appointments": {"status": "confirmed"},
    "calls": {"status": "missed"},
    "campaigns": {"name": "Autumn check"},
    "company": {"missed_call_text": "Sorry that we missed you."},
    "contact-fields": {"label": "Roof age"},
    "contact-flags": {"reason": "Asked us to."},
    "contact-lists": {"name": "Spring mailing"},
    "contacts": {"first_name": "Robin"},
    "contacts/phones": {"label": "Work"},
    "conversations": {"status": "closed"},
    "invoices": {"status": "sent"},
    "tasks": {"title": "Send two quotes"},
    "leads": {"status": "contacted"},
    "messages": {"body": "On our way at nine."},
    "outgoing-webhooks": {"name": "Shop"},
    "phone-lines": {"name": "Sales"},
    "provider-connections": {"provider": "callrail", "account_key": "key-1", "account_id": "ACC1"},
    "segments": {"name": "Denver"},
    "snippets": {"body": "We are closed."},
    "tags": {"name": "VIP"},
    "time-off": {"reason": "Holiday"},
    "users": {"first_name": "Robin"},
}


LATER = now() + timedelta(days=7)
PAUSED_UNTIL = datetime(2020, 3, 2, tzinfo=UTC)  # in the past, so that replies are sent


class Fixture:
    def __init__(self):
        acme = factories.CompanyFactory(slug="acme")
        globex = factories.CompanyFactory(slug="globex")
        rep = factories.UserFactory(company=acme, role="rep")
        self.slugs = {acme.pk: "acme", globex.pk: "globex"}
        self.users = {
            "manager": factories.UserFactory(company=acme, role="manager"),
            "csr": factories.UserFactory(company=acme, role="csr"),
            "rep": rep,
            "idle_rep": factories.UserFactory(company=acme, role="rep"),
            "outsider": factories.UserFactory(company=globex, role="manager"),
            "staff": factories.UserFactory(company=None, role="", is_staff=True, is_superuser=True),
        }
        contact = factories.ContactFactory(
            company=acme, phone="+19895550192"
        )  # a valid number, so that messages may be sent
        call = factories.CallFactory(contact=contact, assigned_rep=rep)
        line = factories.PhoneLineFactory(company=acme, paused_until=PAUSED_UNTIL, pause_reason="No credit.")
        appointment = factories.AppointmentFactory(contact=contact, assigned_rep=rep)
        self.rows = {
            "contacts": contact,
            "calls": call,
            "dashboard/calls": call,
            "message-threads": factories.MessageFactory(contact=contact).contact,
            "phone-lines": line,
            "opt-outs": factories.OptOutEntryFactory(
                opt_out__company=acme, opt_out__state="under_review", action="suspected"
            ).opt_out,
            "activities": factories.ActivityFactory(contact=contact, user=self.users["csr"]),
            "appointment-proposals": factories.AppointmentProposalFactory(appointment=appointment, created_by=rep),
            "appointment-reminders": factories.AppointmentReminderFactory(appointment=appointment),
            "appointments": appointment,
            "api-tokens": factories.ApiTokenFactory(company=acme),
            "attachments": factories.AttachmentFactory(contact=contact),
            "audit": factories.AuditEntryFactory(company=acme),
            "background-tasks": factories.BackgroundTaskFactory(
                company=acme, result_file=factories.StoredFileFactory(company=acme), requested_by=rep
            ),
            "calendar-feeds": factories.CalendarFeedFactory(company=acme, user=rep),
            "call-analyses": factories.CallAnalysisFactory(call=call),
            "campaign-memberships": factories.CampaignMembershipFactory(contact=contact),
            "campaigns": factories.CampaignFactory(company=acme, phone_line=line),
            "contacts/phones": factories.ContactPhoneFactory(contact=contact),
            "contact-fields": factories.ContactFieldFactory(company=acme),
            "contact-flags": factories.ContactFlagFactory(contact=contact, flag_type="office_number"),
            "contact-lists": factories.ContactListFactory(company=acme),
            "conversations": factories.ConversationFactory(contact=contact, phone_line=line),
            "held-messages": factories.HeldMessageFactory(contact=contact),
            "imports": factories.ImportFactory(company=acme, state="done"),
            "invoices": factories.InvoiceFactory(contact=contact),
            "tasks": factories.TaskFactory(contact=contact, assignee=rep),
            "time-off": factories.TimeOffFactory(company=acme, rep=rep),
            "leads": factories.LeadFactory(contact=contact),
            "marketing-consents": factories.MarketingConsentFactory(company=acme),
            "duplicates": factories.DuplicateCandidateFactory(company=acme, first=contact),
            "merges": factories.ContactMergeFactory(company=acme, kept=contact),
            "messages": factories.MessageFactory(
                contact=contact, direction="outgoing", kind="scheduled", status="queued", run_at=LATER, send_at=LATER
            ),
            "missed-calls": factories.MissedCallerFactory(contact=contact),
            "outgoing-events": factories.OutgoingEventFactory(company=acme, status="dead"),
            "outgoing-webhooks": factories.OutgoingWebhookFactory(company=acme),
            "segments": factories.SegmentFactory(company=acme),
            "snippets": factories.SnippetFactory(company=acme),
            "tags": factories.TagFactory(company=acme),
            "me/sessions": factories.UserSessionFactory(user__company=acme),
            "users": factories.UserFactory(company=acme),
            "webhook-events": factories.WebhookEventFactory(company=acme, status="dead"),
        }
        at_home = factories.ContactFactory(company=acme, phone="+19895550186", timezone=zone_with_hour(14))
        draft = factories.CampaignFactory(company=acme, phone_line=line)
        factories.CampaignMembershipFactory(campaign=draft, contact=contact)
        self.rows_of_action = {
            "appointments/<pk>/on-the-way": factories.AppointmentFactory(
                contact=at_home, assigned_rep=rep, scheduled_start=now() + timedelta(hours=1)
            ),
            "message-threads/<contact_card_id>/unread": factories.MessageFactory(
                contact__company=acme, read_at=PAUSED_UNTIL
            ).contact,
            "leads/<pk>/release": factories.LeadFactory(contact__company=acme, assignee=self.users["csr"]),
            "missed-calls/<pk>/release": factories.MissedCallerFactory(
                contact__company=acme, claimed_by=self.users["csr"], claimed_until=LATER
            ),
            "missed-calls/<pk>/undo": factories.MissedCallerFactory(
                contact__company=acme, recovered_at=LATER, recovered_by="manual", recovered_user=self.users["csr"]
            ),
            "messages/<pk>/release": factories.HeldMessageFactory(
                contact=contact, kind="scheduled", send_at=PAUSED_UNTIL, error_code="replied"
            ),
            "campaigns/<pk>/start": draft,
            "campaigns/<pk>/pause": factories.CampaignFactory(company=acme, status="running", phone_line=line),
            "campaigns/<pk>/resume": factories.CampaignFactory(company=acme, status="paused", phone_line=line),
        }
        self.rows_of_action["appointments/<pk>/change-series"] = factories.AppointmentFactory(
            contact=contact, series=uuid4()
        )
        listed = factories.ContactListFactory(company=acme)
        factories.ContactListEntryFactory(list=listed, contact=contact)
        self.rows_of_action["contact-lists/<pk>/remove"] = listed
        self.rows_of_action["tasks/<pk>/reopen"] = factories.TaskFactory(
            contact=contact, assignee=rep, done_at=PAUSED_UNTIL
        )
        self.rows_of_action["contact-fields/<pk>/restore"] = factories.ContactFieldFactory(
            company=acme, deleted_at=PAUSED_UNTIL
        )
        self.rows_of_action["users/<pk>/invite"] = factories.UserFactory(
            company=acme, password=make_password(None), email="nina@example.com"
        )
        self.rows_of_action["users/<pk>/reset-second-factor"] = factories.SecondFactorFactory(user__company=acme).user
        self.stranger = factories.ContactFactory(company=acme)  # no history, so it can be deleted
        self.bodies = {
            "activities": {"contact": contact.pk, "body": "Has a cat."},
            "api-tokens": {"name": "Website", "scopes": ["contacts:write"]},
            "appointment-proposals": {
                "appointment": self.rows_of_action["appointments/<pk>/on-the-way"].pk,
                "scheduled_start": "2026-05-04T16:00:00Z",
                "scheduled_end": "2026-05-04T17:00:00Z",
            },
            "appointments": {
                "contact": contact.pk,
                "scheduled_start": "2026-05-04T16:00:00Z",
                "scheduled_end": "2026-05-04T17:00:00Z",
            },
            "appointments/<pk>/on-the-way": {"minutes": 20, "phone_line": line.pk},
            "appointments/series": {
                "contact": contact.pk,
                "scheduled_start": "2026-06-01T16:00:00Z",
                "scheduled_end": "2026-06-01T17:00:00Z",
                "recurrence": "FREQ=WEEKLY;COUNT=3",
            },
            "appointments/<pk>/change-series": {"notes": "Knock twice."},
            "call-analyses": {"call": call.pk},
            "calls": {"contact": contact.pk},
            "campaign-memberships": {"campaign": self.rows["campaigns"].pk, "contact": contact.pk},
            "campaigns": {"name": "Summer check"},
            "campaigns/<pk>/test-send": {"phone": contact.phone},
            "campaigns/<pk>/steps": {"steps": [{"delay_minutes": 1440, "body": "Still interested?"}]},
            "contact-fields": {"label": "Gutter length", "field_type": "number"},
            "contacts/<pk>/merge": {"other": self.stranger.pk},
            "contact-flags": {"contact": contact.pk, "flag_type": "do_not_contact"},
            "contact-lists": {"name": "Home show"},
            "contact-lists/<pk>/add": {"contacts": [contact.pk]},
            "contact-lists/<pk>/remove": {"contacts": [contact.pk]},
            "contacts": {"phone": "+19895550190"},
            "contacts/phones": {"number": "+19895550189"},
            "invoices": {"contact": contact.pk, "number": "INV-X", "amount": "9.00", "due_date": "2026-05-04"},
            "leads": {"contact": contact.pk},
            "marketing-consents": {"phone": "+19895550188", "source": "person", "wording": "Wants offers, she said."},
            "message-threads": {"body": "On our way."},
            "outgoing-webhooks": {"name": "Shop", "url": "https://example.com/hook", "resources": ["contacts"]},
            "phone-lines": {"number": "+19895550191"},
            "campaigns/<pk>/audience": {"definition": {"all": []}},
            "provider-connections/test": {"provider": "openphone"},
            "segments": {"name": "Everybody", "definition": {"all": []}},
            "segments/preview": {"definition": {"all": []}},
            "snippets": {"shortcut": "parking", "body": "Please park in front."},
            "tags": {"name": "Referral"},
            "tasks": {"title": "Call back", "due_at": "2026-05-04T16:00:00Z"},
            "time-off": {"rep": rep.pk, "starts_at": "2026-05-04T06:00:00Z", "ends_at": "2026-05-05T06:00:00Z"},
            "users": {"username": "nina", "password": "shingle-99-x", "role": "csr"},
            "me/password": {"current_password": factories.PASSWORD, "new_password": "shingle-99-x"},
            "me/second-factor": {"password": factories.PASSWORD},
            "me/second-factor/confirm": {"code": "123456"},
            "me/second-factor/recovery-codes": {"code": "123456"},
            "me/second-factor/remove": {"code": "123456"},
        }
        self.before = self.read_all()

    def body(self, route, method):
        """Return the request body: every required field for POST, a change for PATCH."""
        if route.path == "attachments" and method == "POST":
            file = SimpleUploadedFile("roof.jpg", JPEG)
            return {"file": file, "contact": self.rows["contacts"].pk}
        if route.path == "imports" and method == "POST":  # a file is read once
            return {"file": SimpleUploadedFile("May.csv", b"Name,Phone\nAnn,9895550187\n")}
        if route.action:
            return self.bodies.get(route.path, {}) if method in ("POST", "PATCH") else {}
        if route.path.startswith("auth/"):
            manager = self.users["manager"]
            if route.path == "auth/token":
                return {"username": manager.username, "password": factories.PASSWORD}
            if route.path == "auth/password-reset":
                return {"email": "maria@example.com"}
            if route.path == "auth/set-password":
                return {"token": make_token(user=manager, kind="invitation"), "password": "shingle-99-x"}
            return {"refresh": str(SessionToken.for_user(manager))}
        whole, change = (bodies.get(route.resource, {}) for bodies in (self.bodies, CHANGES))
        return {"POST": whole, "PATCH": change}.get(method, {})

    def ask(self, caller, route, method):
        """Send a request, roll it back, and return its status and the companies whose rows it changed."""
        url = self.url(route, method)
        client = APIClient() if caller == NOBODY else signed_in(self.users[caller])
        with transaction.atomic():
            body = self.body(route, method)
            form = {"format": "multipart"} if "file" in body else {}
            response = getattr(client, method.lower())(url, body or None, **form)
            changed = self.changed()
            transaction.set_rollback(True)
        return Answer(response.status_code, changed)

    def url(self, route, method):
        row = self.rows_of_action.get(route.path) or self.rows.get(route.resource)
        if (route.resource, method) == ("contacts", "DELETE"):
            row = self.stranger
        path = route.path.replace("<contact>", str(self.rows["contacts"].pk))
        return "/api/v1/" + re.sub("<.*>", str(row and row.pk), path)

    def changed(self):
        before, now = self.before, self.read_all()
        return frozenset(self.slugs.get(key, "?") for key in before | now if before.get(key) != now.get(key))

    def read_all(self):
        """Return every row by company."""
        rows = {}
        with all_tenants(), connection.cursor() as cursor:
            for model in product_models():
                if model is not Company and "company" not in {field.name for field in model._meta.fields}:
                    continue  # rows of the operator
                table = model._meta.db_table
                company = "id" if model is Company else model._meta.get_field("company").column
                cursor.execute(f"SELECT {company}, '{table}', {table}.* FROM {table} ORDER BY id")
                for key, *row in cursor.fetchall():
                    rows.setdefault(key, []).append(row)
        return rows


@dataclass(frozen=True)
class Answer:
    status: int
    changed: frozenset[str] = frozenset()
