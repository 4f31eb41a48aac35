"""Export and erasure of a sender without a number: a name on a channel, or a short code."""

import json
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from calls.models import Call, CallDetail
from crm.db.tenancy import tenant
from crm.models import Activity, Contact, OptOut
from messaging.models import Message, WebhookEvent
from ops.privacy.spellings import compile_spellings
from tests import factories
from tests.messaging.payloads import call_v4, message_v4, post_event, twilio_message
from tests.messaging.worker_rounds import process_next_event
from tests.ops.archive.fixture import OLD, archive
from tests.ops.archive.test_erasure import files_with
from tests.ops.privacy.test_export_erase import everything, tables_with

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
SENDERS = ["client:ann", "whatsapp:US.13491208655302", "messenger:2125550100", "72975", "ACME", "Café 7"]


@pytest.fixture(params=SENDERS)
def sender(request):
    return request.param


@pytest.fixture
def rows(client, acme, sender):
    """Record a STOP, a voicemail, and a message that can't be read, from the sender, and one row about its digits."""
    for provider in ("openphone", "twilio"):
        factories.WebhookSecretFactory(company=acme, provider=provider)
    post_event(client, twilio_message(From=sender, Body="STOP Zorro"), provider="twilio")
    post_event(client, message_v4(sender=sender, text="STOP", id="Zorro" * 200))
    post_event(client, call_v4(participants=[sender], voicemail={"url": "https://x.test/Zorro"}, answeredAt=None))
    while process_next_event():
        pass
    factories.ContactFactory(company=acme, first_name="Otto", postal_code="72975", address="ACME Road 72975")
    post_event(client, twilio_message(FromZip="72975", FromCity="ACME", Body="Hello"), provider="twilio")
    process_next_event()


def test_sender_without_a_number_is_exported_as_it_was_sent(acme, rows, sender, capsys):
    call_command("export_contact", "acme", f" {sender} ")
    exported = json.loads(capsys.readouterr().out)
    assert [row["from_number"] for row in exported["message_threads"]] == [sender]
    assert [row["phone"] for row in exported["opt_outs"]] == [sender]
    assert {row["action"] for row in exported["opt_out_entries"]} <= {"opted_out", "suspected"}
    assert [row["from_number"] for row in exported["calls"]] == [sender]
    assert len(exported["webhook_events"]) == 3
    assert "Otto" not in str(exported)


def test_sender_without_a_number_is_in_no_table_after_an_erasure(acme, rows, sender):
    call_command("erase_contact", "acme", sender, "--yes")
    words = {word for word in (sender, urlencode({"x": sender})[2:], "Zorro") if word not in ("72975", "ACME")}
    assert not {word: tables_with(word) for word in words if tables_with(word)}
    with tenant(acme.pk):
        assert not Message.objects.filter(from_number=sender).exists()
        assert not Call.objects.filter(from_number=sender).exists()
        assert OptOut.objects.get().phone == ""
        assert OptOut.objects.get().state == "opted_out"


def test_digits_of_a_short_code_stay_in_the_rows_of_others(acme, rows, sender):
    call_command("erase_contact", "acme", sender, "--yes")
    with tenant(acme.pk):
        other = Contact.objects.get(first_name="Otto")
        assert (other.postal_code, other.address) == ("72975", "ACME Road 72975")
        assert sum(b"FromZip=72975" in bytes(body) for body in WebhookEvent.objects.values_list("body", flat=True)) == 1


def test_dry_run_counts_what_an_erasure_of_a_sender_changes(acme, rows, sender, capsys):
    before = everything()
    call_command("erase_contact", "acme", sender)
    counted = capsys.readouterr().out.splitlines()[:-1]
    assert everything() == before
    call_command("erase_contact", "acme", sender, "--yes")
    assert capsys.readouterr().out.splitlines()[:-1] == counted


@pytest.mark.parametrize("command", ["export_contact", "erase_contact"])
@pytest.mark.parametrize(
    ("text", "reason"), [("", "must be a phone number"), ("  ", "must be"), ("client:bob", "names it")]
)
def test_sender_that_no_row_names_is_reported(acme, command, text, reason):
    factories.CallFactory(company=acme, contact=None, activity=None, from_number="")
    with pytest.raises(CommandError, match=reason):
        call_command(command, "acme", text)


def test_name_is_found_escaped_and_not_within_another(acme):
    pattern = compile_spellings(["client:ann"])
    assert all(
        map(
            pattern.search, ["client:ann", "From=client%3Aann&", "x=client%3aann", '"client\\u003aann"', "(client:ann)"]
        )
    )
    assert not any(map(pattern.search, ["client:anna", "myclient:ann", "client:an", "client ann"]))


@pytest.mark.django_db(transaction=True)
def test_sender_without_a_number_is_in_no_archive_after_an_erasure(acme, rows, sender, tmp_path, settings):
    settings.ARCHIVE_DIR = tmp_path / "archives"
    with tenant(acme.pk):
        for model in (Activity, Call, CallDetail, Message):
            model.objects.update(created_at=now() - OLD)
        Call.objects.update(completed_at=None)
        WebhookEvent.objects.update(created_at=now() - OLD, processed=True, status="processed")
    archive(acme, settings.ARCHIVE_DIR)
    assert files_with(settings.ARCHIVE_DIR, sender) >= {"calls"}
    assert files_with(settings.ARCHIVE_DIR, "Zorro") >= {"calls", "webhook_events"}
    call_command("erase_contact", "acme", sender, "--yes")
    assert not files_with(settings.ARCHIVE_DIR, "Zorro")
    assert "calls" not in files_with(settings.ARCHIVE_DIR, sender)
