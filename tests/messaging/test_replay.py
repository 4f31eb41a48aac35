"""`manage.py replay_webhooks`."""

import json
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from crm.db.tenancy import tenant
from messaging.models import Message, WebhookEvent
from messaging.providers.registry import PROVIDERS
from tests.factories import WebhookSecretFactory
from tests.messaging.payloads import (
    EVERY_SHAPE,
    call_2026,
    callrail_call,
    legacy,
    message_2026,
    message_v3,
    message_v4,
    twilio_message,
    twilio_status,
)
from tests.messaging.worker_rounds import process_next_event


@pytest.fixture
def folder(tmp_path):
    """Write files into a folder and return it."""

    def write(**files):
        for name, content in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, indent=2).encode())
        return tmp_path

    return write


@pytest.fixture
def replay(secret, capsys):
    def replay(folder):
        call_command("replay_webhooks", str(folder), "--company", "acme")
        return capsys.readouterr().out.splitlines()

    return replay


def test_payloads_of_every_shape_are_accepted(folder, replay, acme):
    for provider in PROVIDERS.keys() - {"openphone"}:
        WebhookSecretFactory(company=acme, provider=provider)
    files = {f"file{number:02}": build() for number, (_, build) in enumerate(EVERY_SHAPE)}
    total = len(EVERY_SHAPE)
    assert replay(folder(**files)) == [
        f"{total} files: {total} accepted, 0 duplicate, 0 stored, 0 no secret, 0 refused"
    ]
    with tenant(acme.pk):
        stored = WebhookEvent.objects.filter(status="pending").values_list("provider", flat=True)
        assert Counter(stored) == Counter(provider for provider, _ in EVERY_SHAPE)
        assert set(stored) == PROVIDERS.keys()


def test_newest_secret_signs(folder, replay, acme):
    WebhookSecretFactory(company=acme, provider="twilio", secret="the-old-one")
    newest = WebhookSecretFactory(company=acme, provider="twilio", secret="the-new-one")
    place = folder(a=twilio_message())
    assert "1 accepted" in replay(place)[-1]
    newest.delete()
    assert "1 duplicate" in replay(place)[-1]


def test_summary_accounts_for_every_file_with_reasons(folder, replay):
    text = message_v4()
    lines = replay(
        folder(
            a_text=text,
            b_same=text,
            c_task=legacy("task.assigned", {"id": "TK1"}),
            d_callrail=callrail_call(),
            e_twilio=twilio_message(),
            e_twilio_too=twilio_status(),
            f_broken=b"not json",
            g_dirty=message_v3(body="\x00"),
            sub__h_shapeless={"data": {"id": "msg_1", "eventType": "message.received"}},
        )
    )
    assert lines == [
        "  duplicate  b_same.json",
        "  stored     c_task.json  task.assigned events aren't supported yet.",
        "  stored     f_broken.json  The request body isn't valid JSON: Expecting value: line 1 column 1 (char 0)",
        "  accepted   g_dirty.json  Replaced by U+FFFD: NUL or half a surrogate pair.",
        "  stored     sub/h_shapeless.json  type: must be the type of the event",
        "  no secret  CallRail signs with the company's secret token; set it with"
        " manage.py webhook_secret acme callrail",
        "  no secret  Twilio signs with the account's auth token; set it with manage.py webhook_secret acme twilio",
        "9 files: 2 accepted, 1 duplicate, 3 stored, 3 no secret, 0 refused",
    ]


def test_form_of_callrail_is_sent_to_its_webhook(folder, replay, acme):
    WebhookSecretFactory(company=acme, provider="callrail")
    form = {"resource_id": "FRM1", "form_data": {"message": "The roof leaks."}, "customer_name": "Ann Example"}
    replay(folder(form=form))
    with tenant(acme.pk):
        event = WebhookEvent.objects.get()
    assert (event.provider, event.event_type) == ("callrail", "form_submission")


def test_bytes_are_stored_as_in_the_file(folder, replay, acme):
    place = folder(a=message_2026())
    replay(place)
    with tenant(acme.pk):
        assert bytes(WebhookEvent.objects.get().body) == (place / "a.json").read_bytes()


def test_second_replay_gives_duplicates_only(folder, replay):
    place = folder(a=message_v4() | {"id": None}, b=call_2026() | {"id": None}, c=b"not json")
    assert replay(place)[-1] == "3 files: 2 accepted, 0 duplicate, 1 stored, 0 no secret, 0 refused"
    assert replay(place)[-1] == "3 files: 0 accepted, 3 duplicate, 0 stored, 0 no secret, 0 refused"


def test_current_event_without_an_id_gets_one(folder, replay, acme):
    replay(folder(a=call_2026() | {"id": None}))
    with tenant(acme.pk):
        assert WebhookEvent.objects.get().event_id.startswith("msg_")


def test_worker_processes_replayed_events(folder, replay, acme):
    replay(folder(a=message_v3(), b=message_v4(), c=message_2026()))
    while process_next_event():
        pass
    with tenant(acme.pk):
        assert Message.objects.count() == 3


def test_replay_uses_https_and_the_public_host(folder, replay, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.PUBLIC_URL = "https://crm.example.com"
    settings.ALLOWED_HOSTS = ["crm.example.com"]
    assert replay(folder(a=message_v4()))[-1] == "1 files: 1 accepted, 0 duplicate, 0 stored, 0 no secret, 0 refused"


def test_refused_file_is_counted_and_fails_the_command(folder, secret, settings, capsys):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    place = folder(a=message_v4(), b=message_v4(text="x" * 2000))
    with pytest.raises(CommandError, match="refused 1 of 2 files"):
        call_command("replay_webhooks", str(place), "--company", "acme")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "  refused    b.json  The request body must not exceed 10 MB.",
        "2 files: 1 accepted, 0 duplicate, 0 stored, 0 no secret, 1 refused",
    ]


@pytest.mark.filterwarnings("ignore")
def test_disallowed_host_is_refused(folder, secret, settings, capsys):
    settings.PUBLIC_URL = "https://elsewhere.example.com"
    with pytest.raises(CommandError, match="refused 1 of 1"):
        call_command("replay_webhooks", str(folder(a=message_v4())), "--company", "acme")
    assert "refused    a.json  HTTP 400" in capsys.readouterr().out


def test_missing_secret_is_reported_with_its_command(folder, acme, capsys):
    with pytest.raises(CommandError, match="No file could be signed"):
        call_command("replay_webhooks", str(folder(a=message_v4())), "--company", "acme")
    assert "manage.py webhook_secret acme openphone\n" in capsys.readouterr().out


def test_unknown_company_and_empty_folder_are_named(secret, tmp_path):
    with pytest.raises(CommandError, match="nobody"):
        call_command("replay_webhooks", str(tmp_path), "--company", "nobody")
    with pytest.raises(CommandError, match=r"\*\.json"):
        call_command("replay_webhooks", str(tmp_path), "--company", "acme")
