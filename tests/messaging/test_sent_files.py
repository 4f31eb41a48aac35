"""Files that are sent with replies: uploads, read by the provider through signed links."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from crm.db.tenancy import all_tenants
from crm.models import PhoneLine
from messaging.models import Message
from messaging.services.outbound import message_files, sending
from tests import factories
from tests.errors import codes_of
from tests.file_server import JPEG
from tests.messaging.payloads import CALLER, OUR_NUMBER
from tests.messaging.worker_rounds import work_until_idle
from tests.provider_server import KEY
from tests.provider_server.twilio import ACCOUNT


@pytest.fixture
def contact(acme):
    return factories.ContactFactory(company=acme, phone=CALLER)


@pytest.fixture
def line(acme):
    return factories.PhoneLineFactory(company=acme, provider="twilio", number=OUR_NUMBER)


@pytest.fixture
def upload(csr_api):
    def upload():
        file = SimpleUploadedFile("roof.jpg", JPEG)
        return csr_api.post("/api/v1/attachments", {"file": file}, format="multipart").json()["id"]

    return upload


@pytest.fixture
def reply(csr_api, contact):
    def reply(*ids, **more):
        body = {"body": "Here is the plan.", "attachments": [*ids], **more}
        return csr_api.post(f"/api/v1/message-threads/{contact.pk}", body)

    return reply


def test_twilio_reads_the_file_by_a_signed_link(provider_server, acme, line, upload, reply):
    factories.ProviderAccountFactory(company=acme, provider="twilio", account_id=ACCOUNT, api_key=KEY)
    file = upload()
    answer = reply(file)
    assert answer.status_code == 202, answer.content
    assert [each["id"] for each in answer.json()["attachments"]] == [file]
    work_until_idle()
    [sent] = [request for request in provider_server.requests if request.method == "POST"]
    [url] = parse_qs(sent.body.decode())["MediaUrl"]
    assert b"".join(Client().get(urlsplit(url).path).streaming_content) == JPEG


@pytest.mark.parametrize(("max_tries", "status"), [(2, "sent"), (1, "failed")])
def test_message_whose_links_cannot_be_made_is_tried_again_and_not_looked_up(
    provider_server, acme, line, upload, reply, monkeypatch, settings, max_tries, status
):
    settings.WORKER_MAX_TRIES = max_tries
    factories.ProviderAccountFactory(company=acme, provider="twilio", account_id=ACCOUNT, api_key=KEY)
    assert reply(upload()).status_code == 202

    def fail(message):
        raise DatabaseError("canceling statement due to statement timeout")

    with monkeypatch.context() as patch:
        patch.setattr(sending, "media_urls_of", fail)
        work_until_idle()
    with all_tenants():
        message = Message.objects.get()
        line.refresh_from_db()
    first = "queued" if status == "sent" else "failed"
    assert (message.status, message.tries, message.error) == (first, 1, "An internal error (DatabaseError).")
    assert line.sent_segments == 0
    Message._base_manager.filter(status="queued").update(run_at=timezone.now())
    PhoneLine._base_manager.update(next_send_at=timezone.now())
    work_until_idle()
    assert Message._base_manager.get().status == status
    assert {request.method for request in provider_server.requests} <= {"POST"}  # no list was asked for
    assert len(provider_server.sent) == (status == "sent")


def test_provider_without_files_is_a_clear_refusal(acme, upload, reply):
    factories.PhoneLineFactory(company=acme, provider="openphone", number=OUR_NUMBER)
    answer = reply(upload())
    assert (answer.status_code, codes_of(answer)) == (409, {"attachments": ["media_unsupported"]})
    with all_tenants():
        assert not Message.objects.exists()


def test_upload_is_sent_once(line, upload, reply):
    file = upload()
    assert reply(file).status_code == 202
    again = reply(file)
    assert codes_of(again) == {"attachments": ["does_not_exist"]}
    with all_tenants():
        assert Message.objects.count() == 1


def test_files_that_are_too_large_together_are_refused(line, upload, reply, monkeypatch):
    monkeypatch.setattr(message_files, "MAX_BYTES", len(JPEG) * 2 - 1)
    assert codes_of(reply(upload(), upload())) == {"attachments": ["does_not_exist"]}


def test_file_of_a_contact_is_not_sent(line, reply, contact):
    assert codes_of(reply(factories.AttachmentFactory(contact=contact).pk)) == {"attachments": ["does_not_exist"]}


def test_console_prints_the_links(line, upload, reply, capsys):
    reply(upload())
    work_until_idle()
    assert "/files/" in capsys.readouterr().out
