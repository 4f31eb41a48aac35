"""Export and erasure of a contact's personal data."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils.timezone import now

from calls.models import Appointment, Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import (
    Activity,
    AuditEntry,
    CampaignMembership,
    Contact,
    ContactPhone,
    IdempotencyKey,
    MarketingConsent,
    OptOut,
    OptOutEntry,
    SuppressedNumber,
)
from crm.models.audit import hash_number
from crm.services.contacts import create_contact, get_or_create_contact, update_contact
from crm.services.opt_outs import record_opt_out
from messaging.models import Message, WebhookEvent
from ops.privacy.export_erase import count_personal_data, erase_person, export_person
from ops.privacy.people import person_of
from ops.privacy.personal_data_map import ERASED, PERSONAL_DATA
from tests import factories
from tests.conftest import signed_in
from tests.db.catalogue import product_tables
from tests.messaging.payloads import call_v4, message_2026, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

PHONE, SECOND, OUR_NUMBER, THIRD = (factories.fictional_number(n) for n in (41_000, 41_001, 41_002, 41_003))
SAID = "My dog is called Zorro"
WORDS = [
    "Zelda",
    "Quux",
    "zelda@example.com",
    "Elm Street",
    "Zorro",
    PHONE[1:],
    SECOND[1:],
    THIRD[1:],
    "recordings.example.com",
]


@pytest.fixture
def zelda(acme, manager, client):
    """Create a contact with rows in every table that can hold personal data."""
    factories.WebhookSecretFactory(company=acme)
    factories.PhoneLineFactory(company=acme, number=OUR_NUMBER, provider_id="PNdesk")
    contact = factories.ContactFactory(
        company=acme, phone=PHONE, first_name="Zelda", last_name="Quux", email="zelda@example.com",
        address="12 Elm Street", city="Quuxville",
    )  # fmt: skip
    api = signed_in(manager)
    other = factories.ContactFactory(company=acme, phone=THIRD, first_name="Zelda", address="14 Elm Street")
    merged = api.post(f"/api/v1/contacts/{contact.pk}/merge", {"other": other.pk, "fields": {"city": "Zorrotown"}})
    assert merged.status_code == 200
    contact.refresh_from_db()
    about = {"contact": contact, "company": acme}
    with tenant(acme.pk):
        update_contact(contact=contact, address="13 Elm Street")
    factories.ContactPhoneFactory(**about, phone=SECOND, label="Zorro's owner")
    with tenant(acme.pk):
        for phone in (PHONE, SECOND):
            record_opt_out(phone=phone, words=SAID, source="sms", occurred_at=now())
    factories.ContactFlagFactory(**about, flag_type="do_not_contact", reason=SAID, evidence=SAID)
    factories.ContactListEntryFactory(**about)
    factories.ImportRowFactory(company=acme, contact_id=contact.pk, cells=["Zelda", PHONE], before={"address": SAID})
    factories.ContactFieldFactory(company=acme, key="pet", field_type="text")
    for pet in (SAID, f"{SAID}!"):
        labels = {"tags": ["VIP"], "fields": {"pet": pet}}
        assert api.patch(f"/api/v1/contacts/{contact.pk}", labels).status_code == 200
    factories.LeadFactory(**about, notes=SAID)
    factories.ActivityFactory(**about, body=SAID)
    factories.InvoiceFactory(**about)
    factories.CampaignMembershipFactory(**about)
    appointment = factories.AppointmentFactory(**about, notes=SAID)
    factories.AppointmentReminderFactory(appointment=appointment)
    factories.AppointmentProposalFactory(appointment=appointment, note=SAID)
    for phone in (PHONE, SECOND):
        factories.MarketingConsentFactory(company=acme, phone=phone, wording=SAID, proof=SAID, given_at=now())
    call = factories.CallFactory(
        **about, recording_url="https://recordings.example.com/1", voicemail_url="https://recordings.example.com/2",
        status="lost", reason_for_lost_sale=SAID, to_number=OUR_NUMBER,
    )  # fmt: skip
    factories.CallAnalysisFactory(call=call, summary=SAID)
    factories.CallDetailFactory(call=call, summary=SAID, voicemail_transcript=SAID)
    factories.MissedCallerFactory(**about, first_missed_at=now())
    factories.TaskFactory(**about, title=SAID)
    factories.AttachmentFactory(**about, file=None, status="failed", error=SAID)
    factories.DuplicateCandidateFactory(company=acme, first=contact)
    post_event(client, message_v4(sender=PHONE, to=[OUR_NUMBER], text=SAID))
    post_event(client, message_2026(text=SAID, context={
        "phoneNumberId": "PNdesk", "senderIdentifier": SECOND, "recipientIdentifiers": [OUR_NUMBER],
    }))  # fmt: skip
    post_event(client, message_v4("message.delivered", sender=OUR_NUMBER, to=[PHONE], direction="outgoing", text=SAID))
    post_event(client, call_v4(participants=[PHONE]))
    while process_next_event():
        pass
    api.patch(f"/api/v1/contacts/{contact.pk}", {"city": "Zorroville"})
    return contact


def everything(but=()):
    """Read every value of every row of the product's tables, as text."""
    with connection.cursor() as cursor:
        found = {}
        for table in sorted({*product_tables(), "django_admin_log"} - set(but)):
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            rows = [[bytes(v).decode() if isinstance(v, memoryview | bytes) else v for v in row] for row in cursor]
            found[table] = str(rows)
    return found


def tables_with(word):
    return {table for table, text in everything().items() if word in text}


def test_fixture_has_rows_in_every_table_of_the_map(zelda, in_acme):
    for data in PERSONAL_DATA:
        assert data.rows(person_of(zelda)).exists(), data.model
    assert tables_with("Zorro") >= {
        "activities", "appointments", "audit_entries", "call_analysis", "calls", "contact_flags", "contact_phones",
        "contacts", "leads", "message_threads", "opt_out_entries", "webhook_events",
    }  # fmt: skip
    assert Activity.objects.filter(contact=zelda).count() >= 5


def test_erased_contact_is_in_no_column_of_any_table(zelda, in_acme):
    erase_person(person=person_of(zelda), by="test")
    assert {word: tables_with(word) for word in WORDS} == {word: set() for word in WORDS}


def test_erased_consent_is_withdrawn_and_can_still_be_proved(zelda, in_acme):
    given_at = MarketingConsent.objects.values_list("given_at", flat=True)[0]
    MarketingConsent.objects.update(withdrawn_at=None)
    erase_person(person=person_of(zelda), by="test")
    consent = MarketingConsent.objects.get(number_hash=hash_number(PHONE))
    assert (consent.phone, consent.wording, consent.source, consent.given_at) == ("", ERASED, "form", given_at)
    assert consent.withdrawn_at is not None


def test_consent_of_another_number_is_not_erased(zelda, in_acme):
    other = factories.MarketingConsentFactory(company=in_acme)
    erase_person(person=person_of(zelda), by="test")
    other.refresh_from_db()
    assert (other.withdrawn_at, other.proof) == (None, "https://acme.example/quote")


def test_admin_log_is_erased(zelda, client, staff):
    client.force_login(staff)
    with all_tenants():
        from django.contrib.admin.models import CHANGE, LogEntry

        LogEntry.objects.log_actions(staff.pk, [zelda], CHANGE, change_message=f"Number {PHONE} added.")
        assert "django_admin_log" in tables_with("Zelda")
    with tenant(zelda.company_id):
        erase_person(person=person_of(zelda), by="test")
    assert not tables_with("Zelda") | tables_with(PHONE)


def test_erasure_leaves_the_dashboard_unchanged(zelda, manager_api, in_acme):
    def read():
        urls = ["dashboard/metrics", "dashboard/booking-rate", "dashboard/top-objections", "invoices"]
        answers = {url: manager_api.get(f"/api/v1/{url}").json() for url in urls}
        names = [row.pop("contact_summary")["name"] for row in answers["invoices"]["results"]]
        return answers, names

    before, [name] = read()
    rows = (Call.objects.count(), Appointment.objects.count(), Message.objects.count())
    erase_person(person=person_of(zelda), by="test")
    after, [erased] = read()
    assert after == before
    assert name.startswith("Zelda")
    assert not erased.startswith("Zelda")
    assert (Call.objects.count(), Appointment.objects.count(), Message.objects.count()) == rows


def test_erased_message_keeps_the_company_s_own_number(zelda, in_acme):
    erase_person(person=person_of(zelda), by="test")
    incoming = Message.objects.filter(direction="incoming").first()
    assert (incoming.from_number, incoming.to_numbers, incoming.body) == (ERASED, [OUR_NUMBER], ERASED)
    outgoing = Message.objects.get(direction="outgoing")
    assert (outgoing.from_number, outgoing.to_numbers, outgoing.body) == (OUR_NUMBER, [ERASED], ERASED)


def test_erasure_leaves_other_contacts_unchanged(zelda, client, in_acme, globex):
    post_event(client, message_v4(text="Mine is called Rex"))
    process_next_event()
    factories.AppointmentFactory(company=in_acme, contact=Contact.objects.order_by("id").last(), notes="Rex bites.")
    twin = factories.ContactFactory(company=globex, phone=PHONE, first_name="Zelma")
    untouched = tables_with("Rex"), tables_with("Zelma")
    erase_person(person=person_of(zelda), by="test")
    assert (tables_with("Rex"), tables_with("Zelma")) == untouched
    with all_tenants():
        twin.refresh_from_db()
    assert twin.phone == PHONE


def test_longer_number_with_the_contact_s_digits_is_not_erased(zelda, in_acme):
    body = b'{"id": "EVother", "from": "+4' + PHONE[1:].encode() + b'7"}'
    other = factories.WebhookEventFactory(company=in_acme, body=body)
    erase_person(person=person_of(zelda), by="test")
    other.refresh_from_db()
    assert bytes(other.body) == body


@pytest.mark.parametrize("spelling", [b"\\u002b%s", b"%%2B%s", b"+%s"])
def test_webhook_event_is_found_for_each_spelling_of_plus(zelda, in_acme, spelling):
    event = factories.WebhookEventFactory(company=in_acme, body=b'{"from": "' + spelling % PHONE[1:].encode() + b'"}')
    erase_person(person=person_of(zelda), by="test")
    event.refresh_from_db()
    assert (bytes(event.body), event.status, event.processed) == (b"", "ignored", True)


@pytest.mark.parametrize("field", ["from", "callId"])
def test_webhook_event_in_another_encoding_is_found_by_a_number_and_by_an_id(zelda, in_acme, field):
    person = person_of(zelda)
    value = {"from": PHONE, "callId": min(person.provider_ids)}[field]
    event = factories.WebhookEventFactory(company=in_acme, body=f'{{"{field}": "{value}"}}'.encode("utf-16"))
    erase_person(person=person, by="test")
    event.refresh_from_db()
    assert bytes(event.body) == b""


@pytest.mark.parametrize("written", [b"+5215512345678", b"005215512345678", b"5215512345678", b"+525512345678"])
def test_webhook_event_is_erased_in_each_spelling_of_a_foreign_number(in_acme, written):
    contact = create_contact(company_id=in_acme.pk, phone="+525512345678")
    event = factories.WebhookEventFactory(company=in_acme, body=b'{"from": "' + written + b'"}')
    erase_person(person=person_of(contact), by="test")
    event.refresh_from_db()
    assert bytes(event.body) == b""


def test_repeated_webhook_event_does_not_restore_an_erased_message(zelda, client, in_acme):
    stored = WebhookEvent.objects.filter(event_type="message.received").first()
    body = bytes(stored.body)
    erase_person(person=person_of(zelda), by="test")
    again = json.loads(body)
    assert post_event(client, body).json()["status"] == "duplicate"
    post_event(client, again | {"id": "EVanother"})  # another event about the same message
    process_next_event()
    assert "message_threads" not in tables_with("Zorro") | tables_with(PHONE)


def test_audit_entries_are_kept_without_personal_values(zelda, manager, in_acme):
    erase_person(person=person_of(zelda), by=manager)
    entries = AuditEntry.objects.filter(table_name="contacts", row_id=zelda.pk).order_by("id")
    assert {"city", "address"} <= {column for entry in entries for column in entry.changes}
    assert (entries.last().actor_id, entries.last().changes["first_name"]) == (manager.pk, [ERASED, ""])


def test_returning_number_keeps_its_opt_out_after_an_erasure(zelda, in_acme):
    erase_person(person=person_of(zelda), by="test")
    rows = everything()
    assert PHONE not in rows["suppressed_numbers"] + rows["opt_outs"]
    for phone in (PHONE, SECOND):
        back = get_or_create_contact(company_id=in_acme.pk, phone=phone)
        assert back != zelda
        assert set(back.flags.values_list("flag_type", flat=True)) == {"opted_out", "do_not_contact"}


def test_opt_out_is_kept_without_its_words(zelda, in_acme):
    before = list(OptOutEntry.objects.values("action", "occurred_at", "source"))
    erase_person(person=person_of(zelda), by="test")
    assert list(OptOutEntry.objects.values("action", "occurred_at", "source")) == before
    assert set(OptOutEntry.objects.values_list("words", flat=True)) == {ERASED}
    assert set(OptOut.objects.values_list("state", "phone")) == {("opted_out", "")}


def test_opt_out_follows_a_number_to_another_contact(zelda, in_acme):
    erase_person(person=person_of(zelda), by="test")
    other = create_contact(company_id=in_acme.pk, phone=factories.fictional_number(41_005))
    assert not other.flags.exists()
    update_contact(contact=other, phone=SECOND)
    assert set(other.flags.values_list("flag_type", flat=True)) == {"opted_out", "do_not_contact"}


def test_opt_out_follows_a_number_added_in_the_admin(zelda, in_acme, client, staff):
    erase_person(person=person_of(zelda), by="test")
    other = create_contact(company_id=in_acme.pk, phone=factories.fictional_number(41_005))
    client.force_login(staff)
    form = {
        "phone": other.phone, "phones-TOTAL_FORMS": 2, "phones-INITIAL_FORMS": 1,
        "phones-0-id": other.phones.get().pk, "phones-0-contact": other.pk, "phones-0-phone": other.phone,
        "phones-1-id": "", "phones-1-contact": other.pk, "phones-1-phone": SECOND,
    }  # fmt: skip
    assert client.post(f"/admin/crm/contact/{other.pk}/change/", form).status_code == 302
    assert set(other.flags.values_list("flag_type", flat=True)) == {"opted_out", "do_not_contact"}


def test_opt_out_is_not_shared_with_another_company(zelda, in_acme, globex):
    erase_person(person=person_of(zelda), by="test")
    with tenant(globex.pk):
        assert not create_contact(company_id=globex.pk, phone=PHONE).flags.exists()


@pytest.mark.parametrize("flag", [None, "office_number", "expired"])
def test_contact_without_an_opt_out_is_erased_entirely(in_acme, flag):
    contact = factories.ContactFactory(company=in_acme, phone=PHONE)
    if flag:
        expired = {"flag_type": "do_not_contact", "expires_at": "2020-01-01T00:00Z"}
        kind = expired if flag == "expired" else {"flag_type": flag}
        factories.ContactFlagFactory(company=in_acme, contact=contact, **kind)
    erase_person(person=person_of(contact), by="test")
    assert not SuppressedNumber.objects.exists()
    assert not get_or_create_contact(company_id=in_acme.pk, phone=PHONE).flags.exists()


def test_pending_campaign_membership_is_skipped(zelda, in_acme):
    erase_person(person=person_of(zelda), by="test")
    assert CampaignMembership.objects.get().status == "skipped"


def test_erasing_twice_is_harmless(zelda, in_acme):
    erase_person(person=person_of(zelda), by="test")
    changing = {"audit_entries", "contacts", "suppressed_numbers"}  # times of the change
    before = everything(but=changing)
    erase_person(person=person_of(Contact.objects.get(pk=zelda.pk)), by="test")
    assert everything(but=changing) == before


def test_failed_erasure_changes_nothing(zelda, in_acme, monkeypatch):
    before = everything()
    monkeypatch.setattr("ops.privacy.export_erase.erase_audit_entries", None)
    with pytest.raises(TypeError):
        erase_person(person=person_of(zelda), by="test")
    assert everything() == before


def test_export_is_complete(zelda, in_acme, globex):
    factories.ContactFactory(company=in_acme, first_name="Somebody", last_name="Else")
    exported = json.dumps(export_person(person=person_of(zelda)), cls=DjangoJSONEncoder)
    assert {data.model._meta.db_table for data in PERSONAL_DATA} <= json.loads(exported).keys()
    assert {table for table, rows in json.loads(exported).items() if not rows} == {
        "idempotency_keys",
        "mentions",
        "stored_files",
    }
    assert not [word for word in WORDS if word not in exported]
    assert "Somebody" not in exported


def test_commands_export_and_erase(zelda, capsys, tmp_path):
    file = tmp_path / "zelda.json"
    call_command("export_contact", "acme", SECOND, "--out", str(file))
    assert json.loads(file.read_text())["contacts"][0]["first_name"] == "Zelda"
    assert file.stat().st_mode & 0o077 == 0
    call_command("export_contact", "acme", PHONE)
    before = everything()
    call_command("erase_contact", "acme", PHONE)
    assert "Nothing was changed" in capsys.readouterr().out
    assert everything() == before
    call_command("erase_contact", "acme", PHONE, "--yes")
    assert "Erased." in capsys.readouterr().out
    assert not tables_with("Zelda")


def test_dry_run_counts_the_rows_of_an_erasure(zelda, in_acme):
    counted = count_personal_data(person=person_of(zelda))
    erased = erase_person(person=person_of(zelda), by="test")
    for table in set(counted) - {"audit_entries", "contact_phones"}:  # the erasure adds entries and deletes numbers
        assert counted[table] == erased[table], table


@pytest.mark.parametrize("command", ["export_contact", "erase_contact"])
@pytest.mark.parametrize(("slug", "phone"), [("nobody", PHONE), ("acme", "abc"), ("acme", "+12125550142")])
def test_unknown_company_or_number_is_rejected_by_name(zelda, command, slug, phone):
    with pytest.raises(CommandError, match=f"{slug if slug == 'nobody' else 'PHONE'}"):
        call_command(command, slug, phone)


def test_contact_of_another_company_is_not_found(zelda, globex):
    with pytest.raises(CommandError, match="no contact of"):
        call_command("erase_contact", "globex", PHONE, "--yes")
    with all_tenants():
        assert ContactPhone.objects.filter(phone=PHONE).exists()


def test_idempotency_keys_with_the_contact_are_deleted(in_acme):
    contact = factories.ContactFactory(company=in_acme)
    own = factories.IdempotencyKeyFactory(
        user__company=in_acme, response=f'{{"id":7,"contact":{contact.pk},"notes":"Zelda"}}'
    )
    others = factories.IdempotencyKeyFactory(
        user__company=in_acme, response=f'{{"id":8,"contact":{contact.pk}1,"notes":"Ann"}}'
    )
    erase_person(person=person_of(contact), by="test")
    assert [key.pk for key in IdempotencyKey.objects.all()] == [others.pk] != [own.pk]
