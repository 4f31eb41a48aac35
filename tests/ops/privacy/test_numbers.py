"""Export and erasure by number: rows without a contact, deleted contacts, and texts that quote the number."""

import json

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from analytics.models import CallAnalysis
from calls.models import Call, CallDetail, MissedCaller
from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, AuditEntry, Contact, IdempotencyKey, OptOut
from crm.services.contacts import create_contact, delete_contact, update_contact
from crm.services.opt_outs import record_opt_out
from messaging.models import Message, WebhookEvent
from messaging.services.outbound.sending import send_next_messages
from ops.archive.restore import find_archives, restore_archive
from ops.privacy.spellings import compile_spellings
from tests import factories
from tests.ops.archive.fixture import OLD, archive
from tests.ops.archive.test_erasure import files_with
from tests.ops.privacy.test_export_erase import everything

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

PHONE, SECOND, OUR_NUMBER, OTHER = (factories.fictional_number(n) for n in (42_000, 42_001, 42_002, 42_003))
AREA, LAST = PHONE[2:5], PHONE[-4:]
SPELLINGS = [
    PHONE, PHONE[1:], PHONE[2:], f"({AREA}) 555-{LAST}", f"{AREA}-555-{LAST}", f"{AREA}.555.{LAST}",
    f"{AREA} 555 {LAST}",     f"+1 {AREA} 555 {LAST}", f"1-{AREA}-555-{LAST}",
]  # fmt: skip
QUOTES = f"Call ({AREA}) 555-{LAST}, not {OTHER}."


def traces():
    """Return where any spelling of the person's numbers, or the person's words, are found."""
    words = [*SPELLINGS, SECOND, SECOND[2:], "Zelda", "Zorro"]
    return {(table, word) for table, text in everything().items() for word in words if word in text}


@pytest.fixture
def deleted_contact(acme, staff):
    """Delete a contact that had both numbers, in the admin."""
    with tenant(acme.pk):
        contact = create_contact(company_id=acme.pk, phone=PHONE, first_name="Zelda")
        update_contact(contact=contact, phone=SECOND)
        record_opt_out(phone=PHONE, words="Zorro says stop", source="sms", occurred_at=now())
        pk = contact.pk
        delete_contact(contact=contact)
        LogEntry.objects.create(
            user=staff, content_type=ContentType.objects.get_for_model(Contact), object_id=str(pk),
            object_repr="Zelda", action_flag=DELETION,
        )  # fmt: skip
    return pk


@pytest.fixture
def unlinked_rows(acme):
    """Create a call, a voicemail, details and messages of the number without a contact."""
    of_nobody = {"company": acme, "contact": None, "direction": "incoming"}
    call = factories.CallFactory(
        **of_nobody, from_number=PHONE, to_number=OUR_NUMBER, status="lost", reason_for_lost_sale="Zorro",
        voicemail_url="https://x.test/Zorro",
        activity=factories.ActivityFactory(**of_nobody, openphone_id="ACzelda", activity_type="call", body=""),
    )  # fmt: skip
    factories.ActivityFactory(**of_nobody, openphone_id="ACzelda:voicemail", activity_type="voicemail", body="Zorro")
    factories.CallDetailFactory(call=call, openphone_id="ACzelda", summary="Zorro")
    factories.CallAnalysisFactory(call=call, summary="Zorro")
    factories.CallFactory(
        company=acme, contact=None, direction="outgoing", from_number=OUR_NUMBER, to_number=PHONE[1:], activity=None
    )
    text = factories.ActivityFactory(**of_nobody, activity_type="message", body="Zorro")
    factories.MessageFactory(**of_nobody, activity=text, from_number=PHONE, to_numbers=[OUR_NUMBER], body="Zorro")
    factories.WebhookEventFactory(company=acme, body=b'{"call": {"id": "ACzelda"}, "name": "Zelda"}')
    factories.WebhookEventFactory(company=acme, body=b"From=%%2B%s&Body=Zorro" % PHONE[1:].encode())


@pytest.fixture
def mentions(acme):
    """Quote the number in every kind of text of somebody else's rows."""
    other = factories.ContactFactory(company=acme, phone=OTHER, first_name="Otto")
    about = {"contact": other, "company": acme}
    group = factories.ActivityFactory(**about, activity_type="message", direction="outgoing")
    factories.MessageFactory(
        **about, activity=group, direction="outgoing", to_numbers=[OTHER, PHONE], body="Hello both", error=QUOTES
    )
    factories.MissedCallerFactory(**about, first_missed_at=now(), text_back="refused", text_back_reason=QUOTES)
    factories.CampaignMembershipFactory(**about, reason=QUOTES)
    factories.LeadFactory(**about, notes=QUOTES)
    factories.ContactFlagFactory(**about, flag_type="office_number", reason=QUOTES, evidence=QUOTES)
    factories.AppointmentFactory(**about, notes=QUOTES)
    factories.TaskFactory(**about, title=QUOTES)
    factories.ActivityFactory(**about, activity_type="note", body=QUOTES)
    call = factories.CallFactory(**about, status="lost", reason_for_lost_sale=QUOTES)
    factories.CallDetailFactory(call=call, transcript=[{"speaker": PHONE, "text": QUOTES}], next_steps=[QUOTES])
    factories.CallAnalysisFactory(call=call, summary=QUOTES)
    factories.PhoneLineFactory(company=acme, number=OUR_NUMBER, pause_reason=QUOTES)
    factories.WebhookEventFactory(company=acme, body=b"{}", error=QUOTES, headers={"X-From": PHONE})
    factories.IdempotencyKeyFactory(user__company=acme, response=json.dumps({"id": 1, "phone": PHONE}))
    with tenant(acme.pk):
        update_contact(contact=other, address=QUOTES)
    return other


@pytest.fixture(params=["contact", "deleted contact", "number only"])
def known_as(request, acme, unlinked_rows, mentions):
    """Make the person a contact, a deleted contact, or a number that no contact ever had."""
    if request.param == "contact":
        factories.ContactFactory(company=acme, phone=PHONE, first_name="Zelda")
    elif request.param == "deleted contact":
        request.getfixturevalue("deleted_contact")
    return request.param


def test_number_is_in_no_table_after_an_erasure(acme, known_as, capsys):
    assert {table for table, _ in traces()} >= {
        "activities", "appointments", "audit_entries", "call_analysis", "call_details", "calls", "campaign_memberships",
        "contact_flags", "contacts", "idempotency_keys", "leads", "message_threads", "missed_callers", "phone_lines",
        "webhook_events",
    }  # fmt: skip
    call_command("erase_contact", "acme", SPELLINGS[3], "--yes")
    assert traces() == set()


def test_texts_of_others_keep_all_but_the_number(acme, known_as):
    call_command("erase_contact", "acme", PHONE, "--yes")
    with tenant(acme.pk):
        other = Contact.objects.get(phone=OTHER)
        assert other.address == f"Call [erased], not {OTHER}."
        assert MissedCaller.objects.get().text_back_reason == other.address
        group = Message.objects.get(contact=other)
        assert (group.to_numbers, group.body, group.error) == ([OTHER, "[erased]"], "Hello both", other.address)


def test_erased_call_without_a_contact_still_counts(acme, known_as):
    with tenant(acme.pk):
        calls = list(Call.objects.order_by("pk").values_list("pk", "status", "created_at"))
        call_command("erase_contact", "acme", PHONE, "--yes")
        assert list(Call.objects.order_by("pk").values_list("pk", "status", "created_at")) == calls
        assert set(Call.objects.filter(contact=None).values_list("from_number", "to_number")) == {
            ("[erased]", OUR_NUMBER), (OUR_NUMBER, "[erased]"),
        }  # fmt: skip


def test_export_by_number_has_every_trace(acme, known_as, capsys):
    call_command("export_contact", "acme", PHONE)
    exported = json.loads(capsys.readouterr().out)
    assert [call["direction"] for call in exported["calls"]] == ["incoming", "outgoing"]
    assert {row["body"] for row in exported["activities"]} == {"", "Zorro"}
    assert len(exported["webhook_events"]) == 2
    assert len(exported["idempotency_keys"]) == 1
    assert len(exported["call_details"]) == len(exported["call_analysis"]) == len(exported["message_threads"]) == 1
    mentioned = {row["table_name"]: row["texts"] for row in exported["mentions"]}
    assert mentioned["missed_callers"] == {"text_back_reason": QUOTES}
    assert mentioned["contacts"] == {"address": QUOTES}
    names = {"contact": "Zelda", "deleted contact": "Zelda", "number only": ""}[known_as]
    assert names in json.dumps(exported["audit_entries"])
    assert "Otto" not in json.dumps(exported)


def test_dry_run_counts_what_an_erasure_by_number_changes(acme, known_as, capsys):
    before = everything()
    call_command("erase_contact", "acme", PHONE)
    counted = capsys.readouterr().out.splitlines()[:-1]
    assert everything() == before
    call_command("erase_contact", "acme", PHONE, "--yes")
    erased = capsys.readouterr().out.splitlines()[:-1]
    without_audit = [[line for line in lines if "audit_entries" not in line] for lines in (counted, erased)]
    assert without_audit[0] == without_audit[1]


def test_number_of_a_deleted_contact_that_somebody_else_has_now_is_kept(acme, deleted_contact):
    with tenant(acme.pk):
        owner = create_contact(company_id=acme.pk, phone=SECOND, first_name="Otto")
        call_command("erase_contact", "acme", PHONE, "--yes")
        owner.refresh_from_db()
        assert (owner.phone, owner.first_name) == (SECOND, "Otto")
        assert OptOut.objects.get().phone == ""
        assert "Zelda" not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_number_removed_from_a_contact_is_erased_with_it(acme, unlinked_rows):
    with tenant(acme.pk):
        contact = create_contact(company_id=acme.pk, phone=SECOND, first_name="Zelda")
        factories.ContactPhoneFactory(contact=contact, company=acme, phone=PHONE)
        contact.phones.filter(phone=PHONE).delete()
        call_command("erase_contact", "acme", SECOND, "--yes")
    assert traces() == set()


def test_other_company_keeps_its_rows_about_the_number(acme, globex, known_as, staff):
    twin = factories.ContactFactory(company=globex, phone=PHONE)
    factories.CallFactory(company=globex, contact=None, activity=None, from_number=PHONE)
    kept = LogEntry.objects.create(
        user=staff, content_type=ContentType.objects.get_for_model(Contact), object_id=str(twin.pk), object_repr=PHONE,
        action_flag=DELETION,
    )  # fmt: skip
    call_command("erase_contact", "acme", PHONE, "--yes")
    kept.refresh_from_db()
    assert kept.object_repr == PHONE
    with all_tenants():
        assert Contact.objects.get(pk=twin.pk).phone == PHONE
        assert Call.objects.filter(company=globex, from_number=PHONE).exists()


def test_queued_message_to_an_erased_contact_is_not_sent(acme):
    message = factories.MessageFactory(
        contact__company=acme, contact__phone=PHONE, direction="outgoing", kind="reply", status="queued", run_at=now(),
        to_numbers=[PHONE], phone_line=factories.PhoneLineFactory(company=acme),
    )  # fmt: skip
    call_command("erase_contact", "acme", PHONE, "--yes")
    assert not send_next_messages()
    with tenant(acme.pk):
        message.refresh_from_db()
    assert (message.status, message.error) == ("failed", "The contact was erased.")


@pytest.mark.parametrize("command", ["export_contact", "erase_contact"])
def test_phone_line_of_the_company_is_no_person(acme, command):
    factories.PhoneLineFactory(company=acme, number=OUR_NUMBER)
    with pytest.raises(CommandError, match="phone line of"):
        call_command(command, "acme", OUR_NUMBER)


@pytest.mark.parametrize("text", [
    *SPELLINGS, f"001{PHONE[2:]}", f"+1%28{AREA}%29%20555-{LAST}", f"\\u002b{PHONE[1:]}", f"%20{PHONE[2:]}",
    f"tel:{PHONE}", f"+1\u00a0{AREA}\u2011555\u2011{LAST}",
])  # fmt: skip
def test_spelling_is_replaced_without_a_rest(text):
    assert not any(
        c.isdigit() for c in compile_spellings([PHONE]).sub("", text).replace("%20", "").replace("\\u002b", "")
    )


@pytest.mark.parametrize("text", [f"4{PHONE[1:]}7", f"{PHONE}7", f"9{PHONE[2:]}", PHONE[2:-1], f"{AREA}:555:{LAST}"])
def test_other_digits_are_not_the_number(text):
    assert compile_spellings([PHONE]).search(text) is None


def test_date_is_not_a_number_without_country_code():
    pattern = compile_spellings(["+12026112912", "+4520261129"])
    assert pattern.search("at 2026-11-29 12:00") is None
    assert pattern.sub("", "202-611-2912, +45 20 26 11 29, 0045 20261129") == ", , "


@pytest.mark.django_db(transaction=True)
def test_number_is_in_no_archive_after_an_erasure(acme, known_as, tmp_path, settings, capsys):
    settings.ARCHIVE_DIR = tmp_path / "archives"
    with tenant(acme.pk):
        old = now() - OLD
        for model in (Activity, Call, Message):
            model.objects.update(created_at=old)
        CallDetail.objects.update(created_at=old)
        CallAnalysis.objects.update(analyzed_at=old)
        MissedCaller.objects.update(last_missed_at=old, recovered_at=old, recovered_by="reply")
        WebhookEvent.objects.update(created_at=old, processed=True, status="processed")
        IdempotencyKey.objects.all().delete()
    archive(acme, settings.ARCHIVE_DIR)
    found = {word: files_with(settings.ARCHIVE_DIR, word) for word in (*SPELLINGS, "Zorro")}
    assert found[PHONE] >= {"calls", "message_threads", "webhook_events", "call_details"}
    assert "missed_callers" in found[SPELLINGS[3]]
    capsys.readouterr()
    call_command("export_contact", "acme", PHONE)
    archived = json.loads(capsys.readouterr().out)["archived"]
    assert len(archived["calls"]) == 2
    assert {"Zorro"} <= {row["body"] for row in archived["activities"]}
    assert {row["table_name"] for row in archived["mentions"]} >= {"missed_callers", "message_threads", "call_details"}
    call_command("erase_contact", "acme", PHONE, "--yes")
    assert not {word for word in found if files_with(settings.ARCHIVE_DIR, word)}
    assert traces() == set()
    [one] = find_archives(settings.ARCHIVE_DIR)
    assert not restore_archive(one).conflicts
    assert traces() == set()
    with tenant(acme.pk):
        assert MissedCaller.objects.get().text_back_reason == f"Call [erased], not {OTHER}."
