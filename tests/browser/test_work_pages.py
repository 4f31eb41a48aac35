"""The jobs of staff on the pages of a conversation, a contact, a call, an appointment and their like, clicked."""

from datetime import datetime, time, timedelta

import pytest
from django.utils.timezone import now

from analytics.models import CallAnalysis
from crm.db.tenancy import all_tenants, tenant
from crm.models import Conversation, OptOut, User
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.sms_segments import count_segments
from tests import factories
from tests.browser.conftest import faults_of_paths
from tests.crm.imports.runs import begin, run

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LIST = "Name,Phone,Roof type\nAnn Field,303-555-0101,Slate\nBob Hill,1.3E+10,\nCid Moss,303-555-0103,Tile\n"


@pytest.fixture
def rows(transactional_db):
    """A contact with a conversation that waits, a call and overlapping appointments, and another who said STOP."""
    acme = factories.CompanyFactory(name="Acme Roofing", slug="acme", timezone="UTC")
    factories.UserFactory(company=acme, role="csr", first_name="Carla", last_name="Reed")
    line = factories.PhoneLineFactory(company=acme, number="+13035550100", name="Front desk")
    casey = factories.ContactFactory(company=acme, first_name="Casey", last_name="Customer", phone="+12125550100")
    factories.ContactTagFactory(contact=casey, tag__name="VIP")
    conversation = factories.ConversationFactory(contact=casey, phone_line=line, status="waiting")
    failed = {"status": "failed", "error": "The number is a landline.", "kind": "reply"}
    for minutes, direction, fields in ((3, "incoming", {}), (2, "outgoing", failed), (1, "incoming", {})):
        at = now() - timedelta(minutes=minutes)
        activity = factories.ActivityFactory(
            contact=casey, conversation=conversation, activity_type="message", direction=direction,
            body="Is anybody there?", created_at=at,
        )  # fmt: skip
        message = factories.MessageFactory(
            **{"status": "received"} | fields, contact=casey, phone_line=line, direction=direction, activity=activity,
            body="Is anybody there?", created_at=at,
        )  # fmt: skip
        if direction == "outgoing":
            lost = message
    call = factories.CallFactory(contact=casey, phone_line=line, direction="incoming", created_at=now())
    factories.CallDetailFactory(call=call, transcript=[{"speaker": casey.phone, "start": 0, "text": "Hello"}])
    factories.CallAnalysisFactory(call=call, objections=["price"])
    rep = factories.UserFactory(company=acme, role="rep")
    for _ in range(2):
        appointment = factories.AppointmentFactory(
            contact=casey, assigned_rep=rep, allow_overlap=True, scheduled_start=now(),
            scheduled_end=now() + timedelta(hours=1),
        )  # fmt: skip
    stopped = factories.ContactFactory(company=acme, phone="+12125550101")
    with tenant(acme.pk):
        record_opt_out(phone=stopped.phone, words="STOP", source="sms", occurred_at=now())
        opt_out = OptOut.objects.get()
    event = factories.WebhookEventFactory(company=acme, status="dead", error="The body isn't JSON.")
    return {
        "conversation": conversation, "contact": casey, "call": call, "opt_out": opt_out, "event": event,
        "message": lost, "appointment": appointment, "company": acme, "stopped": stopped,
        "task": factories.BackgroundTaskFactory(company=acme),
        "ended": factories.BackgroundTaskFactory(
            company=acme, state="failed", error="The disk is full.", total=9, done=3, ended_at=now()
        ),
    }  # fmt: skip


@pytest.fixture
def further_rows(rows, tmp_path):
    """Rows for the pages of campaigns, imports and duplicates."""
    acme, line, casey = rows["company"], rows["call"].phone_line, rows["contact"]
    campaigns = {
        status: factories.CampaignFactory(
            company=acme, status=status, phone_line=line, body="Hello!", scheduled_at=None,
            status_reason="Paused: 12 of 200 contacts opted out." if status == "paused" else "",
        )
        for status in ("draft", "running", "paused")
    }  # fmt: skip
    for campaign in campaigns.values():
        factories.CampaignMembershipFactory(campaign=campaign, contact=casey)
    factories.SnippetFactory(company=acme)
    factories.LeadFactory(contact=casey, status="won", source="A neighbour who had the same work done")
    later = {"kind": "scheduled", "send_at": now() + timedelta(days=1), "run_at": now() + timedelta(days=1)}
    factories.MessageFactory(
        contact=casey, phone_line=line, direction="outgoing", status="queued", body="See you tomorrow", **later,
        activity__conversation=rows["conversation"],
    )  # fmt: skip
    twin = factories.ContactFactory(company=acme, first_name="Casey", last_name="Costumer", phone="+12125550102")
    factories.DuplicateCandidateFactory(company=acme, first=casey, second=twin)
    waiting, done = begin(acme, tmp_path, LIST), run(acme, tmp_path, LIST)
    return rows | campaigns | {
        "twin": twin, "waiting": waiting, "done": done, "tried": run(acme, tmp_path, LIST, dry_run=True),
        "missed": factories.MissedCallerFactory(contact=casey), "todo": factories.TaskFactory(contact=casey),
        "file": done.file, "segment": factories.SegmentFactory(company=acme),
    }  # fmt: skip


PATHS = [
    "crm/conversation/", "crm/conversation/{conversation}/change/", "crm/conversation/text/{twin}",
    "crm/conversation/text/{stopped}", "crm/contact/{contact}/change/", "contact-privacy/{contact}/",
    "calls/call/{call}/change/", "calls/appointment/week", "calls/appointment/day",
    "calls/appointment/{appointment}/move", "calls/appointment/add/?contact={contact}",
    "crm/company/{company}/change/", "crm/backgroundtask/{task}/change/", "crm/backgroundtask/{ended}/change/",
    "messaging/message/{message}/change/", "messaging/webhookevent/{event}/change/", "crm/optout/{opt_out}/change/",
    "crm/campaign/{draft}/change/", "crm/campaign/{draft}/start", "crm/campaign/{draft}/audience",
    "crm/campaign/{draft}/test-send", "crm/campaign/{draft}/cancel", "crm/campaign/{running}/change/",
    "crm/campaign/{running}/pause", "crm/campaign/{paused}/change/", "crm/campaign/{paused}/resume",
    "crm/segment/{segment}/change/", "crm/duplicatecandidate/", "crm/contact/{contact}/merge/",
    "crm/contact/{contact}/merge/?other=nobody", "crm/contact/{contact}/merge/?other=%23{twin}",
    "crm/import/map/{file}/", "crm/import/{done}/change/", "crm/import/{tried}/change/",
    "crm/import/{waiting}/change/", "crm/import/{done}/undo/", "calls/missedcaller/{missed}/change/",
    "calls/task/{todo}/change/", "index-health/", "crm/lead/conversion?company={company}",
]  # fmt: skip


def path_of(path, rows):
    return f"/admin/{path.format(**{key: row.pk for key, row in rows.items()})}"


def test_every_page_fits_the_window_and_can_be_used_by_everybody(open_page, further_rows):
    assert faults_of_paths(open_page("/admin/"), [path_of(path, further_rows) for path in PATHS]) == {}


def test_text_is_answered_from_the_inbox_and_sent_once(open_page, rows):
    page = open_page("/admin/crm/conversation/?inbox=waiting")
    page.click("text=Casey Customer")
    page.wait_for_url("**/admin/crm/conversation/*/change/**")
    assert page.locator(".bubble").last.is_visible()
    for text in ("Hello", "x" * 161, "We're on it 😀", "[" * 81, "é" * 160, "漢" * 71):
        page.fill("textarea", text)
        segments = count_segments(text)
        assert f" {segments} SMS segment{'s' if segments > 1 else ''}" in page.text_content("#reply-count"), text
    page.fill("textarea", "We are on our way.")
    page.dblclick("input[name=_reply]")
    page.wait_for_selector(".messagelist")
    assert "The text is in the outbox" in page.text_content(".messagelist")
    assert "We are on our way." in page.locator(".bubble").last.text_content()
    with all_tenants():
        assert Message.objects.filter(body="We are on our way.").count() == 1
        assert Conversation.objects.get().status == "open"


def test_conversation_is_assigned_and_closed(open_page, rows):
    page = open_page(path_of("crm/conversation/{conversation}/change/", rows))
    page.select_option("select[name=assignee]", label="Carla Reed")
    page.click("text=Assign >> nth=-1")
    page.wait_for_selector("text=Assigned to Carla Reed.")
    page.click("text=Close conversation")
    page.wait_for_selector("text=Reopen")
    with all_tenants():
        conversation = Conversation.objects.select_related("assignee").get()
        assert (conversation.status, str(conversation.assignee)) == ("closed", "Carla Reed")


def test_text_with_a_snippet_is_scheduled_and_cancelled(open_page, rows):
    factories.SnippetFactory(company=rows["company"], shortcut="hours", body="Hi {first_name|there}, we open at 8.")
    page = open_page(path_of("crm/conversation/{conversation}/change/", rows))
    page.fill("textarea", "Good morning. See you.")
    page.evaluate("document.querySelector('textarea').setSelectionRange(14, 14)")
    page.select_option("#id_snippet", label="/hours: Hi Casey, we open at 8.")
    page.click("button[name=_insert]")
    assert page.input_value("textarea") == "Good morning. Hi Casey, we open at 8.See you."
    page.click("text=Send later")
    tomorrow = f"{now() + timedelta(days=1):%Y-%m-%d}"
    page.fill("#id_send_at_0", tomorrow)
    page.fill("#id_send_at_1", "09:30")
    page.press("#id_send_at_1", "Enter")
    page.wait_for_selector(".errorlist")
    assert "Press Schedule to send it then" in page.text_content(".errorlist")
    page.click("text=Schedule >> nth=-1")
    page.wait_for_selector(".scheduled")
    assert f"{tomorrow} 09:30 UTC" in page.text_content(".scheduled .badge")
    page.click("text=Cancel it")
    page.wait_for_selector("text=It is never sent.")
    assert not page.locator(".scheduled").count()


def test_objections_of_a_call_are_chosen_beside_its_transcript(open_page, rows):
    page = open_page(path_of("calls/call/{call}/change/", rows))
    assert page.text_content(".thread .bubble-text") == "Hello"
    assert page.is_checked(".objections >> text=price")
    page.uncheck(".objections >> text=price")
    page.check(".objections >> text=spouse")
    page.fill("#id_other_objection", "warranty")
    page.click("text=Save objections")
    page.wait_for_selector(".messagelist")
    assert page.is_checked(".objections >> text=warranty")
    with all_tenants():
        assert CallAnalysis.objects.get().objections == ["spouse", "warranty"]


def test_webhook_url_is_copied_and_the_next_step_of_the_set_up_is_taken(open_page, rows):
    page = open_page(path_of("crm/company/{company}/change/", rows))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[aria-label='Copy the URL for OpenPhone / Quo']")
    page.wait_for_selector("button:text-is('Copied')")
    assert page.evaluate("navigator.clipboard.readText()").endswith("/webhooks/openphone/acme")
    page.click("text=Add an account")
    page.wait_for_url("**/provideraccount/add/**")
    assert page.text_content("#id_company option:checked") == "Acme Roofing"


def test_background_task_is_cancelled_on_its_page(open_page, rows):
    page = open_page(f"/admin/crm/backgroundtask/{rows['task'].pk}/change/")
    page.click("text=Cancel")
    page.wait_for_selector(".messagelist")
    assert "it is cancelled" in page.text_content(".messagelist")
    assert page.text_content(".state-panel .badge") == "Cancelled"


def test_failed_text_is_tried_again(open_page, rows):
    page = open_page(path_of("messaging/message/{message}/change/", rows))
    assert "The number is a landline." in page.text_content(".state-panel")
    page.click("text=Try again…")
    page.wait_for_url("**/admin/crm/conversation/**")
    assert page.input_value("textarea") == "Is anybody there?"


def test_customer_who_said_stop_looks_like_one_and_gets_no_text(open_page, rows):
    page = open_page("/admin/crm/contact/?q=%2B12125550101")
    assert page.text_content("#result_list .badge-bad") == "STOP"
    page.click("#result_list th a")
    page.wait_for_url("**/admin/crm/contact/*/change/**")
    page.click(".story-actions >> text=Text")
    page.wait_for_selector(".blocked")
    assert "opted out" in page.text_content(".blocked")
    assert not page.locator("textarea").count()


def test_dead_event_is_processed_again(open_page, rows):
    page = open_page(path_of("messaging/webhookevent/{event}/change/", rows))
    page.click("text=Process again")
    page.wait_for_selector("text=Queued for processing.")
    assert "Pending" in page.text_content(".state-panel")


@pytest.fixture
def booked(transactional_db):
    """An appointment on the Wednesday of next week at 9:00 in Denver, and two reps."""
    acme = factories.CompanyFactory(name="Acme Roofing", slug="acme", timezone="America/Denver")
    for name in ("Ada", "Ralph"):
        factories.UserFactory(company=acme, role="rep", first_name=name, last_name="Reed")
    monday = (now() - timedelta(days=now().weekday() - 7)).date()
    start = datetime.combine(monday + timedelta(days=2), time(9), acme.zone)
    with all_tenants():
        ada = User.objects.get(first_name="Ada")
    return factories.AppointmentFactory(
        contact=factories.ContactFactory(company=acme, first_name="Casey", last_name="Customer"), status="scheduled",
        assigned_rep=ada, timezone="America/Denver", scheduled_start=start, scheduled_end=start + timedelta(hours=1),
    )  # fmt: skip


def place_now(appointment):
    appointment.refresh_from_db()
    return f"{appointment.date:%a} {appointment.time:%H:%M} {appointment.assigned_rep}"


@pytest.mark.parametrize(
    ("view", "cell", "place"),
    [
        ("week", "tr:has-text('Ralph') >> td >> nth=3", "Thu 09:00 Ralph Reed"),
        ("day", "tr:has(th:text-is('11:30')) >> td >> nth=1", "Wed 11:30 Ralph Reed"),
    ],
)
def test_appointment_is_dragged_to_another_time_and_rep(view, cell, place, open_page, booked):
    page = open_page(f"/admin/calls/appointment/{view}?day={booked.date}")
    page.drag_and_drop(".slot", cell)
    page.wait_for_selector(".messagelist")
    assert "Casey Customer is moved to" in page.text_content(".messagelist")
    assert place_now(booked) == place
    page.click("text=Put it back")
    page.click("input[value=Move]")
    page.wait_for_selector(".messagelist")
    assert place_now(booked) == "Wed 09:00 Ada Reed"


def test_appointment_is_moved_by_keyboard_and_a_taken_slot_is_shown(open_page, booked):
    with all_tenants():
        ralph = User.objects.get(first_name="Ralph")
    taken = {"scheduled_start": booked.scheduled_start, "scheduled_end": booked.scheduled_end}
    other = factories.ContactFactory(company=booked.company, first_name="Olga", last_name="Other")
    factories.AppointmentFactory(contact=other, assigned_rep=ralph, timezone="America/Denver", **taken)
    page = open_page(f"/admin/calls/appointment/week?day={booked.date}")
    page.focus("[aria-label='Move Casey Customer, 09:00']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/move?view=week")
    page.select_option("select[name=rep]", label="Ralph Reed")
    page.keyboard.press("Enter")
    page.press("input[name=time]", "Enter")
    page.wait_for_selector(".errorlist")
    assert "The rep has another appointment then: Olga Other" in page.text_content(".errorlist")
    page.check("text=Allow another appointment")
    page.press("input[name=time]", "Enter")
    page.wait_for_selector(".week-conflicts")
    assert page.locator(".slot.conflict").count() == 2
    assert place_now(booked) == "Wed 09:00 Ralph Reed"
