"""What a person may ask: all that is kept about them, and to be forgotten."""

import json

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models
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
    OptOut,
    OptOutEntry,
    SuppressedNumber,
)
from crm.services.contacts import create_contact, get_or_create_contact, update_contact
from crm.services.opt_outs import record_opt_out
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.webhook_processing import process_next_event
from ops.privacy.export_erase import count_records, erase_contact, export_contact
from ops.privacy.personal_data_map import ERASED, RECORDS
from tests import factories
from tests.conftest import signed_in
from tests.db.catalogue import our_models, our_tables
from tests.messaging.payloads import call_v4, deliver, text_2026, text_v4

pytestmark = pytest.mark.django_db

PHONE, SECOND, OUR_NUMBER = (factories.fictional_number(n) for n in (41_000, 41_001, 41_002))
SAID = "My dog is called Zorro"
WORDS = ["Zelda", "Quux", "zelda@example.com", "Elm Street", "Zorro", PHONE[1:], SECOND[1:], "recordings.example.com"]


@pytest.fixture
def zelda(acme, manager, client):
    """Somebody who has left a trace wherever a trace can be left."""
    factories.WebhookSecretFactory(company=acme)
    factories.PhoneLineFactory(company=acme, number=OUR_NUMBER, provider_id="PNdesk")
    contact = factories.ContactFactory(
        company=acme, phone=PHONE, first_name="Zelda", last_name="Quux", email="zelda@example.com",
        address="12 Elm Street", city="Quuxville",
    )  # fmt: skip
    about = {"contact": contact, "company": acme}
    with tenant(acme.pk):
        update_contact(contact=contact, address="13 Elm Street")
    factories.ContactPhoneFactory(**about, phone=SECOND, label="Zorro's owner")
    with tenant(acme.pk):
        for phone in (PHONE, SECOND):
            record_opt_out(phone=phone, words=SAID, source="sms", occurred_at=now())
    factories.ContactFlagFactory(**about, flag_type="do_not_contact", reason=SAID, evidence=SAID)
    factories.LeadFactory(**about, notes=SAID)
    factories.ActivityFactory(**about, body=SAID)
    factories.InvoiceFactory(**about)
    factories.CampaignMembershipFactory(**about)
    factories.AppointmentFactory(**about, notes=SAID)
    call = factories.CallFactory(
        **about, recording_url="https://recordings.example.com/1", voicemail_url="https://recordings.example.com/2",
        status="lost", reason_for_lost_sale=SAID, to_number=OUR_NUMBER,
    )  # fmt: skip
    factories.CallAnalysisFactory(call=call, summary=SAID)
    factories.CallDetailFactory(call=call, summary=SAID, voicemail_transcript=SAID)
    factories.MissedCallerFactory(**about, first_missed_at=now())
    deliver(client, text_v4(sender=PHONE, to=[OUR_NUMBER], text=SAID))
    deliver(client, text_2026(text=SAID, context={
        "phoneNumberId": "PNdesk", "senderIdentifier": SECOND, "recipientIdentifiers": [OUR_NUMBER],
    }))  # fmt: skip
    deliver(client, text_v4("message.delivered", sender=OUR_NUMBER, to=[PHONE], direction="outgoing", text=SAID))
    deliver(client, call_v4(participants=[PHONE]))
    while process_next_event():
        pass
    signed_in(manager).patch(f"/api/v1/contacts/{contact.pk}", {"city": "Zorroville"})
    return contact


def everything(but=()):
    """Every value of every row of ours, as text."""
    with connection.cursor() as cursor:
        found = {}
        for table in sorted({*our_tables(), "django_admin_log"} - set(but)):
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            rows = [[bytes(v).decode() if isinstance(v, memoryview | bytes) else v for v in row] for row in cursor]
            found[table] = str(rows)
    return found


def tables_with(word):
    return {table for table, text in everything().items() if word in text}


def test_everything_that_points_at_a_contact_is_exported_and_erased():
    """A new foreign key to contacts fails here until personal_data_map says what is personal in its rows."""
    known = {(record.model, record.path) for record in RECORDS}
    pointing = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is Contact
    }
    assert pointing <= known


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.model.__name__)
def test_every_text_about_a_person_is_declared_personal_or_kept_on_purpose(record):
    texts = {
        field.name
        for field in record.model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField | models.BinaryField)
        and not field.choices
        and not field.generated
    }
    assert texts == set(record.personal) | record.kept
    assert not set(record.personal) & record.kept


def test_the_fixture_has_left_a_trace_in_every_table_there_is(zelda, in_acme):
    for record in RECORDS:
        assert record.rows(zelda).exists(), record.model
    assert tables_with("Zorro") >= {
        "activities", "appointments", "audit_entries", "call_analysis", "calls", "contact_flags", "contact_phones",
        "contacts", "leads", "message_threads", "opt_out_entries", "webhook_events",
    }  # fmt: skip
    assert Activity.objects.filter(contact=zelda).count() >= 5


def test_an_erased_person_is_in_no_column_of_any_table(zelda, in_acme):
    erase_contact(contact=zelda, by="test")
    assert {word: tables_with(word) for word in WORDS} == {word: set() for word in WORDS}


def test_the_admin_s_log_forgets_the_name_as_well(zelda, client, staff):
    client.force_login(staff)
    with all_tenants():
        from django.contrib.admin.models import CHANGE, LogEntry

        LogEntry.objects.log_actions(staff.pk, [zelda], CHANGE, change_message=f"Number {PHONE} added.")
        assert "django_admin_log" in tables_with("Zelda")
    with tenant(zelda.company_id):
        erase_contact(contact=zelda, by="test")
    assert not tables_with("Zelda") | tables_with(PHONE)


def test_the_dashboard_s_numbers_stay(zelda, manager_api, in_acme):
    urls = ["dashboard/metrics", "dashboard/booking-rate", "dashboard/top-objections", "invoices"]
    before = {url: manager_api.get(f"/api/v1/{url}").json() for url in urls}
    rows = (Call.objects.count(), Appointment.objects.count(), Message.objects.count())
    erase_contact(contact=zelda, by="test")
    assert {url: manager_api.get(f"/api/v1/{url}").json() for url in urls} == before
    assert (Call.objects.count(), Appointment.objects.count(), Message.objects.count()) == rows


def test_our_own_number_and_the_words_erased_are_what_is_left_of_a_text(zelda, in_acme):
    erase_contact(contact=zelda, by="test")
    incoming = Message.objects.filter(direction="incoming").first()
    assert (incoming.from_number, incoming.to_numbers, incoming.body) == (ERASED, [OUR_NUMBER], ERASED)
    outgoing = Message.objects.get(direction="outgoing")
    assert (outgoing.from_number, outgoing.to_numbers, outgoing.body) == (OUR_NUMBER, [ERASED], ERASED)


def test_everybody_else_is_left_alone(zelda, client, in_acme, globex):
    deliver(client, text_v4(text="Mine is called Rex"))
    process_next_event()
    factories.AppointmentFactory(company=in_acme, contact=Contact.objects.order_by("id").last(), notes="Rex bites.")
    twin = factories.ContactFactory(company=globex, phone=PHONE, first_name="Zelma")
    untouched = tables_with("Rex"), tables_with("Zelma")
    erase_contact(contact=zelda, by="test")
    assert (tables_with("Rex"), tables_with("Zelma")) == untouched
    with all_tenants():
        twin.refresh_from_db()
    assert twin.phone == PHONE


def test_a_longer_number_that_holds_the_person_s_digits_is_somebody_else_s(zelda, in_acme):
    body = b'{"id": "EVother", "from": "+4' + PHONE[1:].encode() + b'7"}'
    other = factories.WebhookEventFactory(company=in_acme, body=body)
    erase_contact(contact=zelda, by="test")
    other.refresh_from_db()
    assert bytes(other.body) == body


@pytest.mark.parametrize("spelling", [b"\\u002b%s", b"%%2B%s", b"+%s"])
def test_a_delivery_is_found_however_its_plus_is_written(zelda, in_acme, spelling):
    event = factories.WebhookEventFactory(company=in_acme, body=b'{"from": "' + spelling % PHONE[1:].encode() + b'"}')
    erase_contact(contact=zelda, by="test")
    event.refresh_from_db()
    assert (bytes(event.body), event.status, event.processed) == (b"", "ignored", True)


def test_a_repeated_delivery_does_not_bring_an_erased_text_back(zelda, client, in_acme):
    stored = WebhookEvent.objects.filter(event_type="message.received").first()
    body = bytes(stored.body)
    erase_contact(contact=zelda, by="test")
    again = json.loads(body)
    assert deliver(client, body).json()["status"] == "duplicate"
    deliver(client, again | {"id": "EVanother"})  # the provider tells of the same text in another event
    process_next_event()
    assert "message_threads" not in tables_with("Zorro") | tables_with(PHONE)


def test_the_evidence_stays_without_the_person(zelda, manager, in_acme):
    erase_contact(contact=zelda, by=manager)
    entries = AuditEntry.objects.filter(table_name="contacts", row_id=zelda.pk).order_by("id")
    assert {"city", "address"} <= {column for entry in entries for column in entry.changes}
    assert (entries.last().actor_id, entries.last().changes["first_name"]) == (manager.pk, [ERASED, ""])


def test_who_had_said_stop_and_comes_back_is_remembered(zelda, in_acme):
    erase_contact(contact=zelda, by="test")
    rows = everything()
    assert PHONE not in rows["suppressed_numbers"] + rows["opt_outs"]
    for phone in (PHONE, SECOND):
        back = get_or_create_contact(company_id=in_acme.pk, phone=phone)
        assert back != zelda
        assert set(back.flags.values_list("flag_type", flat=True)) == {"opted_out", "do_not_contact"}


def test_that_they_said_stop_and_when_stays_without_their_words(zelda, in_acme):
    before = list(OptOutEntry.objects.values("action", "occurred_at", "source"))
    erase_contact(contact=zelda, by="test")
    assert list(OptOutEntry.objects.values("action", "occurred_at", "source")) == before
    assert set(OptOutEntry.objects.values_list("words", flat=True)) == {ERASED}
    assert set(OptOut.objects.values_list("state", "phone")) == {("opted_out", "")}


def test_a_number_that_joins_another_contact_brings_its_stop_along(zelda, in_acme):
    erase_contact(contact=zelda, by="test")
    other = create_contact(company_id=in_acme.pk, phone=factories.fictional_number(41_005))
    assert not other.flags.exists()
    update_contact(contact=other, phone=SECOND)
    assert set(other.flags.values_list("flag_type", flat=True)) == {"opted_out", "do_not_contact"}


def test_a_number_that_staff_add_brings_its_stop_along(zelda, in_acme, client, staff):
    erase_contact(contact=zelda, by="test")
    other = create_contact(company_id=in_acme.pk, phone=factories.fictional_number(41_005))
    client.force_login(staff)
    form = {
        "phone": other.phone, "phones-TOTAL_FORMS": 2, "phones-INITIAL_FORMS": 1,
        "phones-0-id": other.phones.get().pk, "phones-0-contact": other.pk, "phones-0-phone": other.phone,
        "phones-1-id": "", "phones-1-contact": other.pk, "phones-1-phone": SECOND,
    }  # fmt: skip
    assert client.post(f"/admin/crm/contact/{other.pk}/change/", form).status_code == 302
    assert set(other.flags.values_list("flag_type", flat=True)) == {"opted_out", "do_not_contact"}


def test_another_company_is_not_told_of_a_stop(zelda, in_acme, globex):
    erase_contact(contact=zelda, by="test")
    with tenant(globex.pk):
        assert not create_contact(company_id=globex.pk, phone=PHONE).flags.exists()


@pytest.mark.parametrize("flag", [None, "office_number", "expired"])
def test_who_had_not_said_stop_is_forgotten_entirely(in_acme, flag):
    contact = factories.ContactFactory(company=in_acme, phone=PHONE)
    if flag:
        expired = {"flag_type": "do_not_contact", "expires_at": "2020-01-01T00:00Z"}
        kind = expired if flag == "expired" else {"flag_type": flag}
        factories.ContactFlagFactory(company=in_acme, contact=contact, **kind)
    erase_contact(contact=contact, by="test")
    assert not SuppressedNumber.objects.exists()
    assert not get_or_create_contact(company_id=in_acme.pk, phone=PHONE).flags.exists()


def test_what_was_still_to_be_sent_is_skipped(zelda, in_acme):
    erase_contact(contact=zelda, by="test")
    assert CampaignMembership.objects.get().status == "skipped"


def test_erasing_twice_does_no_harm(zelda, in_acme):
    erase_contact(contact=zelda, by="test")
    before = everything(but={"audit_entries", "contacts"})
    erase_contact(contact=Contact.objects.get(pk=zelda.pk), by="test")
    assert everything(but={"audit_entries", "contacts"}) | {"suppressed_numbers": ""} == before | {
        "suppressed_numbers": ""
    }


def test_a_failure_half_way_leaves_everything_as_it_was(zelda, in_acme, monkeypatch):
    before = everything()
    monkeypatch.setattr("ops.privacy.export_erase.erase_entries", None)
    with pytest.raises(TypeError):
        erase_contact(contact=zelda, by="test")
    assert everything() == before


def test_an_export_holds_all_that_is_kept(zelda, in_acme, globex):
    factories.ContactFactory(company=in_acme, first_name="Somebody", last_name="Else")
    exported = json.dumps(export_contact(contact=zelda), cls=DjangoJSONEncoder)
    assert {record.model._meta.db_table for record in RECORDS} <= json.loads(exported).keys()
    assert all(json.loads(exported).values())
    assert not [word for word in WORDS if word not in exported]
    assert "Somebody" not in exported


def test_the_commands_show_export_and_erase(zelda, capsys, tmp_path):
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


def test_what_the_dry_run_counts_is_what_goes(zelda, in_acme):
    counted = count_records(contact=zelda)
    erased = erase_contact(contact=zelda, by="test")
    for table in set(counted) - {"audit_entries", "contact_phones"}:  # the erasure adds entries, and deletes numbers
        assert counted[table] == erased[table], table


@pytest.mark.parametrize("command", ["export_contact", "erase_contact"])
@pytest.mark.parametrize(("slug", "phone"), [("nobody", PHONE), ("acme", "abc"), ("acme", "+12125550142")])
def test_an_unknown_person_is_named(zelda, command, slug, phone):
    with pytest.raises(CommandError, match=f"{slug if slug == 'nobody' else 'PHONE'}"):
        call_command(command, slug, phone)


def test_another_company_s_person_is_not_found(zelda, globex):
    with pytest.raises(CommandError, match="nobody at"):
        call_command("erase_contact", "globex", PHONE, "--yes")
    with all_tenants():
        assert ContactPhone.objects.filter(phone=PHONE).exists()


def test_every_model_that_records_a_person_is_ours():
    assert {record.model for record in RECORDS} <= set(our_models())


def test_answers_kept_for_a_repeated_request_are_forgotten(in_acme):
    contact = factories.ContactFactory(company=in_acme)
    theirs = factories.IdempotencyKeyFactory(
        user__company=in_acme, response=f'{{"id":7,"contact":{contact.pk},"notes":"Zelda"}}'
    )
    others = factories.IdempotencyKeyFactory(
        user__company=in_acme, response=f'{{"id":8,"contact":{contact.pk}1,"notes":"Ann"}}'
    )
    erase_contact(contact=contact, by="test")
    assert [key.pk for key in IdempotencyKey.objects.all()] == [others.pk] != [theirs.pk]
