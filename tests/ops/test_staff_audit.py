"""Audit entries of the work of staff for a company: every form, deletion, action and page that acts."""

import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.timezone import now

from crm.admin.base.audited_writes import is_audited
from crm.choices import AuditAction
from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, ContactMerge, Import
from tests import factories
from tests.config.test_admin_pages import FACTORIES
from tests.file_server import JPEG
from tests.messaging.clocks import zone_with_hour
from tests.ops.staff_pages import ACTIONS, CUSTOM, registered

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
HOUR = timedelta(hours=1)
WITHOUT_COMPANY = {"group"}


def entries():
    with all_tenants():
        return list(AuditEntry.objects.filter(actor="stella").order_by("pk"))


def url_of(name, page, *args):
    return reverse(f"admin:{registered()[name].opts.app_label}_{name}_{page}", args=args)


class Inputs(HTMLParser):
    """The fields of a page's forms with their values, as a browser posts them."""

    def __init__(self, html):
        super().__init__()
        self.values, self.select, self.area = {}, "", ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        name, kind = found.get("name"), found.get("type", "text")
        if tag == "input" and name and kind not in ("submit", "file", "button", "image"):
            if kind not in ("checkbox", "radio") or "checked" in found:
                self.values.setdefault(name, []).append(found.get("value", "on" if kind == "checkbox" else ""))
        elif tag == "select":
            self.select = name or ""
        elif tag == "option" and self.select and "selected" in found:
            self.values.setdefault(self.select, []).append(found.get("value", ""))
        elif tag == "textarea" and name:
            self.area = name
            self.values[name] = [""]

    def handle_data(self, data):
        if self.area:
            self.values[self.area][0] += data

    def handle_endtag(self, tag):
        if tag == "select":
            self.select = ""
        if tag == "textarea":
            self.area = ""


def form_of(html):
    """Return the page's main form as it would be posted."""
    form = re.search(r'<form[^>]*id="[a-z]+_form".*?</form>', html, flags=re.S)[0]
    return {name: [value.removeprefix("\n") for value in found] for name, found in Inputs(form).values.items()}


# By table: what a member of staff changes.
CHANGES = {
    "appointment": {"notes": "Knock twice."},
    "call": {"status": "lost"},
    "callanalysis": {"summary": "Asked for a price."},
    "campaign": {"name": "Autumn check"},
    "company": {"missed_call_text": "We call you back."},
    "contact": {"city": "Troy"},
    "contactfield": {"label": "Roof age"},
    "contactflag": {"reason": "Asked for it."},
    "contactlist": {"name": "Home show"},
    "invoice": {"amount": "77.00"},
    "lead": {"status": "won"},
    "marketingconsent": {"withdraw": "on"},
    "optout": {"answer": "confirm"},
    "phoneline": {"daily_cap": "500"},
    "provideraccount": {"account_id": "AC9"},
    "segment": {"name": "Everybody"},
    "snippet": {"body": "We are closed."},
    "tag": {"name": "Gold"},
    "task": {"title": "Call back."},
    "timeoff": {"reason": "Holiday"},
    "user": {"first_name": "Nina"},
}
COLUMNS = {"marketingconsent": ["withdrawn_at"]}  # which are written, if the form names them otherwise
ROWS = {
    "optout": lambda: factories.OptOutEntryFactory(opt_out__state="under_review", action="suspected").opt_out,
    "campaign": lambda: factories.CampaignFactory(status="draft"),
}


def make(name):
    return ROWS.get(name, FACTORIES.get(name))()


@pytest.fixture
def superuser_request(rf, staff):
    request = rf.get("/")
    request.user = staff
    return request


def test_every_form_is_changed_here(superuser_request):
    rows = {name: make(name) for name in registered() if name not in WITHOUT_COMPANY}
    changed = {
        name
        for name, model_admin in registered().items()
        if name in rows and model_admin.has_change_permission(superuser_request, rows[name])
    }
    assert changed == set(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
def test_change_of_a_row_is_recorded(name, staff_client):
    row = make(name)
    page = url_of(name, "change", row.pk)
    form = form_of(staff_client.get(page).content.decode())
    answer = staff_client.post(page, form | {key: [value] for key, value in CHANGES[name].items()} | {"_save": "x"})
    assert answer.status_code == 302, unescape(
        " ".join(re.findall(r'class="errorlist.*?</ul>', answer.content.decode()))
    )
    company = row.pk if name == "company" else row.company_id
    found = [entry for entry in entries() if (entry.table_name, entry.row_id) == (row._meta.db_table, row.pk)]
    assert [(entry.action, entry.company_id) for entry in found] == [("update", company)]
    assert set(COLUMNS.get(name, CHANGES[name])) <= set(found[0].changes)


def test_words_of_a_form_whose_table_no_trigger_audits_are_not_copied(staff_client):
    page = url_of("callanalysis", "change", make("callanalysis").pk)
    form = form_of(staff_client.get(page).content.decode())
    staff_client.post(page, form | {"summary": ["Asked for a price."], "_save": "x"})
    assert entries()[-1].changes == {"summary": ["(hidden)", "(hidden)"]}


def test_deletion_of_a_row_is_recorded(staff_client, superuser_request):
    for name, model_admin in registered().items():
        row = make(name) if name not in WITHOUT_COMPANY else None
        if row is None or not model_admin.has_delete_permission(superuser_request, row):
            continue
        answer = staff_client.post(url_of(name, "delete", row.pk), {"post": "yes"})
        assert answer.status_code == 302, name
        last = [entry for entry in entries() if (entry.table_name, entry.row_id) == (row._meta.db_table, row.pk)]
        action = "update" if name == "contactfield" else "delete"  # its column stays, for the values
        assert [(entry.action, entry.company_id) for entry in last] == [(action, row.company_id)], name


# Tables of which no trigger records a new row: their forms do.
ADDED = {
    "callanalysis": lambda acme: {"call": factories.CallFactory(contact__company=acme).pk, "objections": ["price"],
                                  "analyzed_at_0": "2026-03-02", "analyzed_at_1": "12:00"},
    "campaignmembership": lambda acme: {"campaign": factories.CampaignFactory(company=acme).pk,
                                        "contact": factories.ContactFactory(company=acme).pk, "variant": "a"},
    "company": lambda acme: {"name": "Initech", "slug": "initech", "timezone": "America/Denver", "currency": "USD",
                             "segment_price_micros": "11000", "quiet_hours_start": "21", "quiet_hours_end": "8"},
    "phoneline": lambda acme: {"name": "Front", "number": "+12125550180", "provider": "openphone", "daily_cap": "9"},
}  # fmt: skip


def test_every_form_without_a_trigger_is_posted_here(superuser_request):
    added = {
        name
        for name, model_admin in registered().items()
        if model_admin.has_add_permission(superuser_request) and not is_audited(model_admin.model, AuditAction.INSERT)
    }
    assert added - WITHOUT_COMPANY == set(ADDED)


@pytest.mark.parametrize("name", ADDED)
def test_new_row_is_recorded(name, staff_client, acme):
    form = {"company": acme.pk} | ADDED[name](acme)
    answer = staff_client.post(url_of(name, "add"), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    table = registered()[name].model._meta.db_table
    found = [(entry.action, entry.company_id == acme.pk) for entry in entries() if entry.table_name == table]
    assert found == [("insert", name != "company")]


# --- Actions and pages ------------------------------------------------------------------------------------------------


def of(acme):
    return factories.ContactFactory(company=acme, timezone=zone_with_hour(14), phone="+13035550142")


def held(acme):
    return factories.HeldMessageFactory(contact=of(acme))


# By action: makes the row that it changes.
ACTED = {
    ("apitoken", "revoke"): lambda acme: factories.ApiTokenFactory(company=acme),
    ("calendarfeed", "revoke"): lambda acme: factories.CalendarFeedFactory(company=acme),
    ("attachment", "fetch_again"): lambda acme: factories.AttachmentFactory(
        contact=of(acme), file=None, status="failed"
    ),
    ("backgroundtask", "cancel"): lambda acme: factories.BackgroundTaskFactory(company=acme),
    ("campaign", "pause"): lambda acme: running(acme),
    ("contactfield", "restore"): lambda acme: factories.ContactFieldFactory(company=acme, deleted_at=now()),
    ("mail", "send_again"): lambda acme: factories.MailFactory(
        user=factories.UserFactory(company=acme), state="failed", ended_at=now()
    ),
    ("message", "cancel"): held,
    ("message", "release"): held,
    ("outgoingevent", "replay"): lambda acme: factories.OutgoingEventFactory(company=acme, status="dead"),
    ("webhookevent", "process_again"): lambda acme: factories.WebhookEventFactory(company=acme, status="dead"),
}


def running(acme):
    return factories.CampaignFactory(company=acme, status="running", phone_line=line_of(acme))


def line_of(acme):
    return factories.PhoneLineFactory(company=acme, number="+12125550180")


def test_every_action_is_done_here():
    assert set(ACTED) == set(ACTIONS)


@pytest.mark.parametrize(("table", "action"), ACTED)
def test_action_on_a_row_is_recorded(table, action, staff_client, acme):
    row = ACTED[table, action](acme)
    form = {"action": action, "_selected_action": [row.pk], "confirmed": row.pk}
    staff_client.post(url_of(table, "changelist"), form)
    assert (row._meta.db_table, row.pk, acme.pk) in {
        (entry.table_name, entry.row_id, entry.company_id) for entry in entries()
    }


def coming(acme):
    line_of(acme)
    return factories.AppointmentFactory(contact=of(acme), scheduled_start=now() + timedelta(hours=1))


def draft(acme):
    campaign = factories.CampaignFactory(
        company=acme, status="draft", body="Hello!", phone_line=line_of(acme), scheduled_at=None
    )
    factories.CampaignMembershipFactory(campaign=campaign, contact=of(acme))
    return campaign


def import_of(client, acme):
    """Upload a list, and import it. Returns the import."""
    file = SimpleUploadedFile("list.csv", b"Name,Phone\nAnn Field,303-555-0101\n")
    page = client.post(reverse("admin:crm_import_add"), {"company": acme.pk, "upload": file}).url
    form = client.get(page).context["form"]
    shown = {name: value for name in form.fields if (value := form[name].value())}
    client.post(page, {**shown, "_import": "x"})
    with all_tenants():
        return Import.objects.latest("pk")


def merge(client, acme):
    kept, gone = factories.ContactFactory.create_batch(2, company=acme)
    client.post(f"{reverse('admin:crm_contact_merge', args=[kept.pk])}?other=%23{gone.pk}", {"keep": "left"})
    with all_tenants():
        return ContactMerge.objects.get()


def act_merge(client, acme):
    return reverse("admin:crm_contactmerge_undo", args=[merge(client, acme).pk]), {}


def act_merging(client, acme):
    kept, gone = factories.ContactFactory.create_batch(2, company=acme)
    return f"{reverse('admin:crm_contact_merge', args=[kept.pk])}?other=%23{gone.pk}", {"keep": "left"}


def act_import(page, **fields):
    def prepare(client, acme):
        source = import_of(client, acme)
        with all_tenants():
            Import.objects.filter(pk=source.pk).update(**fields)
        return reverse(f"admin:crm_import_{page}", args=[source.pk]), {}

    return prepare


def act_map(client, acme):
    file = SimpleUploadedFile("list.csv", b"Name,Phone\nAnn Field,303-555-0101\n")
    page = client.post(reverse("admin:crm_import_add"), {"company": acme.pk, "upload": file}).url
    form = client.get(page).context["form"]
    return page, {name: value for name in form.fields if (value := form[name].value())} | {"_import": "x"}


def act_campaign(page, status="draft", **form):
    def prepare(client, acme):
        campaign = draft(acme)
        type(campaign)._base_manager.filter(pk=campaign.pk).update(
            status=status, started_at=None if status == "draft" else now()
        )
        return reverse(f"admin:crm_campaign_{page}", args=[campaign.pk]), form

    return prepare


def act_audience(client, acme):
    contact = factories.ContactFactory(company=acme)
    return reverse("admin:crm_campaign_audience", args=[draft(acme).pk]), {"contacts": [contact.pk], "_add": "1"}


def act_user(page, **fields):
    def prepare(client, acme):
        user = factories.UserFactory(company=acme, email="nina@example.com", **fields)
        if page == "reset_second_factor":
            factories.SecondFactorFactory(user=user)
            type(user)._base_manager.filter(pk=user.pk).update(second_factor_since=now())
        return reverse(f"admin:crm_user_{page}", args=[user.pk]), {}

    return prepare


def act_password(client, acme):
    user = factories.UserFactory(company=acme)
    form = {"usable_password": "true", "password1": "a-long-Passw0rd", "password2": "a-long-Passw0rd"}
    return reverse("admin:auth_user_password_change", args=[user.pk]), form


def act_first_text(client, acme):
    line, contact = line_of(acme), of(acme)
    url = reverse("admin:crm_conversation_text", args=[contact.pk])
    key = re.search(r'name="key" value="([^"]+)"', client.get(url).content.decode())[1]
    return url, {"body": "Hello", "key": key, "phone_line": line.pk}


def act_conversation(**form):
    def prepare(client, acme):
        conversation = factories.ConversationFactory(contact=of(acme), phone_line=line_of(acme), status="waiting")
        url = reverse("admin:crm_conversation_change", args=[conversation.pk])
        key = re.search(r'name="key" value="([^"]+)"', client.get(url).content.decode())[1]
        rep = factories.UserFactory(company=acme, role="csr")
        return url, {"key": key} | {name: rep.pk if value == "rep" else value for name, value in form.items()}

    return prepare


def act_move(client, acme):
    row = factories.AppointmentFactory(
        contact=of(acme), scheduled_start="2026-03-02T16:00Z", scheduled_end="2026-03-02T17:00Z"
    )
    url = reverse("admin:calls_appointment_move", args=[row.pk])
    form = form_values(client.get(url).content.decode())
    return url, form | {"day": ["2026-03-05"], "time": ["14:30"]}


def form_values(html):
    content = html.partition('id="content"')[2]
    return Inputs(content).values


def act_upload(owner, make_row):
    def prepare(client, acme):
        url = reverse(f"admin:calls_attachment_{owner}", args=[make_row(acme).pk])
        return url, {"file": SimpleUploadedFile("roof.jpg", JPEG)}

    return prepare


def act_objections(client, acme):
    call = factories.CallFactory(contact=of(acme))
    return reverse("admin:calls_call_objections", args=[call.pk]), {"objections": ["price"]}


def act_row(name, button, make_row):
    return lambda client, acme: (url_of(name, "change", make_row(acme).pk), {button: "1"})


# By page, and by the buttons of the pages of tables: prepares what is posted.
POSTED = {
    "contact_privacy": lambda client, acme: (reverse("admin:contact_privacy", args=[of(acme).pk]), {}),
    "crm_contact_merge": act_merging,
    "crm_contact_note": lambda client, acme: (
        reverse("admin:crm_contact_note", args=[of(acme).pk]), {"note-body": "Has a dog."}
    ),
    "crm_contactmerge_undo": act_merge,
    "crm_backgroundtask_cancel": lambda client, acme: (
        reverse("admin:crm_backgroundtask_cancel", args=[factories.BackgroundTaskFactory(company=acme).pk]), {}
    ),
    "crm_import_map": act_map,
    "crm_import_repeat": act_import("repeat", dry_run=True, state="done"),
    "crm_import_cancel": act_import("cancel"),
    "crm_import_undo": act_import("undo", state="done"),
    "crm_user_invite": act_user("invite", password="!none"),
    "crm_user_reset_second_factor": act_user("reset_second_factor"),
    "auth_user_password_change": act_password,
    "crm_conversation_text": act_first_text,
    "calls_appointment_move": act_move,
    "calls_attachment_contact": act_upload("contact", lambda acme: of(acme)),
    "calls_attachment_appointment": act_upload(
        "appointment", lambda acme: factories.AppointmentFactory(contact=of(acme))
    ),
    "calls_call_objections": act_objections,
    "calls_appointment_on_the_way": lambda client, acme: (
        reverse("admin:calls_appointment_on_the_way", args=[coming(acme).pk]), {"minutes": "20"},
    ),
    "calls_appointmentproposal_decide": lambda client, acme: (
        reverse(
            "admin:calls_appointmentproposal_decide",
            args=[factories.AppointmentProposalFactory(appointment__contact=of(acme)).pk],
        ),
        {"decline": "1"},
    ),
    "calls_missedcaller_act": lambda client, acme: (
        reverse("admin:calls_missedcaller_act", args=[factories.MissedCallerFactory(contact=of(acme)).pk]),
        {"claim": "1"},
    ),
    "calls_task_finish": lambda client, acme: (
        reverse("admin:calls_task_finish", args=[factories.TaskFactory(contact=of(acme)).pk]), {}
    ),
    "crm_campaign_start": act_campaign("start"),
    "crm_campaign_pause": act_campaign("pause", "running"),
    "crm_campaign_resume": act_campaign("resume", "paused"),
    "crm_campaign_cancel": act_campaign("cancel"),
    "crm_campaign_audience": act_audience,
    "crm_campaign_test_send": act_campaign("test_send", phone="+13035550142", text="1 a"),
    "conversation: reply": act_conversation(body="On our way"),
    "conversation: assign": act_conversation(_assign="1", assignee="rep"),
    "conversation: later": act_conversation(
        body="On our way", _later="1", send_at_0=f"{now() + 48 * HOUR:%Y-%m-%d}", send_at_1="09:30"
    ),
    "conversation: snooze": act_conversation(_snooze="1"),
    "conversation: note": act_conversation(**{"_note": "1", "note-body": "Has a dog."}),
    "conversation: close": act_conversation(_close="1"),
    "message: release": act_row("message", "_release", held),
    "message: cancel": act_row("message", "_cancel", held),
    "event: process": act_row(
        "webhookevent", "_process_again", lambda acme: factories.WebhookEventFactory(company=acme, status="dead")
    ),
}  # fmt: skip
# Pages that only show something, to those who may see it.
SHOWING = {
    "index_health", "calls_attachment_file", "crm_backgroundtask_file", "crm_import_rejected", "crm_segment_preview",
    "crm_segment_choices", "calls_appointment_week", "calls_appointment_day", "crm_campaign_progress",
    "crm_lead_conversion",
}  # fmt: skip


def test_every_page_that_acts_is_posted_here():
    assert {name for name in POSTED if ":" not in name} | SHOWING == set(CUSTOM)


@pytest.mark.parametrize("name", POSTED)
def test_page_that_acts_is_recorded(name, staff_client, acme):
    url, form = POSTED[name](staff_client, acme)
    before = len(entries())
    answer = staff_client.post(url, form)
    assert answer.status_code in (200, 302)
    found = entries()[before:]
    assert found, re.findall(r'class="errorlist.*?</ul>|class="(?:error|warning)">.*?</li>', answer.content.decode())
    assert {entry.company_id for entry in found} == {acme.pk}
