"""Files of messages and calls: fetched once from the provider, checked, and kept in the company's own store."""

import base64
from datetime import timedelta

import pytest
from django.utils.timezone import now

from calls.models import Attachment, Call
from calls.services.attachments.noting import noted
from calls.services.attachments.retention import remove_old_recordings
from crm import public_http
from crm.db.tenancy import all_tenants
from crm.models import StoredFile, StoredFileChunk
from crm.services.stored_files import read_file
from messaging.services import attachments
from messaging.services.attachments import claim_file, fetch_next_file, is_file_due, store_content
from tests import factories
from tests.conftest import signed_in
from tests.file_server import JPEG, MP3, FileServer
from tests.messaging.payloads import AT, call_v2, message_v3, post_event, twilio_message, voicemail_2026
from tests.messaging.worker_rounds import process_next_event

SENT_KEY = f"Basic {base64.b64encode(b'ACtest:secret-key').decode()}"


@pytest.fixture
def files(settings):
    settings.FILE_NETWORKS = ["127.0.0.0/8"]
    with FileServer() as server:
        server.files = {"/roof.jpg": JPEG, "/call.mp3": MP3, "/plan.html": b"<html><script>alert(1)</script>"}
        yield server


@pytest.fixture
def arrive(client, secret, in_acme):
    def arrive(payload, *, provider="openphone"):
        key = {} if provider == "openphone" else {"secret": "token-of-twilio"}
        if provider != "openphone":
            factories.WebhookSecretFactory(company=in_acme, provider=provider, secret="token-of-twilio")
        assert post_event(client, payload, provider=provider, **key).status_code == 200
        assert process_next_event()

    return arrive


def fetch_all():
    while fetch_next_file():
        pass


def picture(url, **message):
    return message_v3(media=[{"url": url, "type": "image/png"}], **message)


def make_pending(url, company, **values):
    call = factories.CallFactory(contact__company=company)
    values = {"call": call, "kind": "recording", "created_at": now()} | values
    return factories.AttachmentFactory(
        contact=None, company=company, provider="twilio", source_url=url, file=None, status="pending", run_at=now(),
        **values,
    )  # fmt: skip


def test_picture_of_a_message_is_stored_and_shown_in_its_thread(files, arrive, csr_api, client):
    arrive(picture(f"{files.url}/roof.jpg"))
    contact = Attachment.objects.get().activity.contact_id
    [waiting] = csr_api.get(f"/api/v1/message-threads/{contact}").json()["results"]
    assert [(file["status"], file["url"]) for file in waiting["attachments"]] == [("pending", None)]
    fetch_all()
    [message] = csr_api.get(f"/api/v1/message-threads/{contact}").json()["results"]
    [file] = message["attachments"]
    assert (file["status"], file["content_type"], file["size"]) == ("stored", "image/jpeg", len(JPEG))
    answer = client.get(file["url"])
    assert b"".join(answer.streaming_content) == JPEG
    assert csr_api.get(f"/api/v1/attachments/{file['id']}").json()["name"] == file["name"]


def test_repeated_event_fetches_no_file_again(files, arrive):
    event = picture(f"{files.url}/roof.jpg", id="ACsame")
    arrive(event)
    fetch_all()
    arrive(event | {"id": "EVagain"})
    fetch_all()
    assert (Attachment.objects.count(), len(files.asked)) == (1, 1)


def test_messages_recorded_together_have_their_files(files, client, secret, desk, in_acme):
    from messaging.services.inbound.webhook_processing import process_due_events
    from tests.messaging.payloads import CALLER

    factories.ContactFactory(company=in_acme, phone=CALLER)
    for n in range(3):
        post_event(client, picture(f"{files.url}/roof.jpg", id=f"ACplain{n}"))
    process_due_events()
    fetch_all()
    assert list(Attachment.objects.values_list("kind", "status")) == [("message", "stored")] * 3


def test_recording_and_voicemail_are_kept(files, arrive, csr_api):
    arrive(call_v2("call.recording.completed", id="ACcall", answeredAt=AT, media=[{"url": f"{files.url}/call.mp3"}]))
    arrive(call_v2(id="ACmissed", answeredAt=None, voicemail={"url": f"{files.url}/call.mp3", "type": "audio/mpeg"}))
    fetch_all()
    for openphone_id, kind in (("ACcall", "recording"), ("ACmissed", "voicemail")):
        call = Call.objects.get(activity__openphone_id=openphone_id)
        [file] = csr_api.get(f"/api/v1/calls/{call.pk}/recordings").json()["recordings"]
        assert (file["kind"], file["content_type"], file["size"]) == (kind, "audio/mpeg", len(MP3))


def test_same_recording_with_another_signature_is_one_file(files, arrive):
    files.files["/call.mp3?sig=2"] = MP3
    event = call_v2("call.recording.completed", id="ACcall", answeredAt=AT, media=[{"url": f"{files.url}/gone?sig=1"}])
    arrive(event)
    fetch_all()
    assert Attachment.objects.get().tries == 1
    for sig in (2, 3):  # the first link has expired, so the second one is taken
        event["data"]["object"]["media"] = [{"url": f"{files.url}/gone?sig={sig}"}]
        arrive(event | {"id": f"EV{sig}"})
    attachment = Attachment.objects.get()
    assert (attachment.source_url, attachment.tries) == (f"{files.url}/gone?sig=3", 0)


def test_voicemail_event_of_today_is_kept(files, arrive):
    arrive(voicemail_2026(recordingUrl=f"{files.url}/call.mp3"))
    fetch_all()
    assert list(Attachment.objects.values_list("kind", "status")) == [("voicemail", "stored")]


def test_key_of_the_account_goes_to_the_providers_own_host_alone(files, arrive, in_acme, settings):
    factories.ProviderAccountFactory(company=in_acme, provider="twilio", account_id="ACtest", api_key="secret-key")
    settings.PROVIDER_API_URLS = {"twilio": files.url}
    with FileServer() as elsewhere:
        elsewhere.files["/signed.jpg"] = JPEG
        url = files.redirect("/media/ME1", f"{elsewhere.url}/signed.jpg")
        arrive(twilio_message(NumMedia="1", MediaUrl0=url, MediaContentType0="image/jpeg"), provider="twilio")
        fetch_all()
        assert files.asked == [("/media/ME1", SENT_KEY)]
        assert elsewhere.asked == [("/signed.jpg", "")]
    assert Attachment.objects.get().status == "stored"


def test_redirect_to_a_private_address_is_refused(files, acme, settings, monkeypatch):
    real = public_http.getaddrinfo
    settings.FILE_NETWORKS = ["127.0.0.1/32"]
    url = files.redirect("/media", "http://internal.example.com/secrets")

    def look_up(host, *args, **options):
        return real("10.0.0.7" if host == "internal.example.com" else host, *args, **options)

    monkeypatch.setattr(public_http, "getaddrinfo", look_up)
    make_pending(url, acme)
    fetch_all()
    with all_tenants():
        attachment = Attachment.objects.get()
    assert (attachment.status, attachment.error) == ("failed", "The host has no public address.")


def test_private_address_is_refused_without_a_network(files, acme, settings):
    settings.FILE_NETWORKS = []
    for url in (f"{files.url}/roof.jpg", "https://127.0.0.1/roof.jpg", "https://169.254.169.254/latest"):
        attachment = make_pending(url, acme)
        fetch_all()
        with all_tenants():
            attachment.refresh_from_db()
        assert attachment.status == "failed", url
    assert files.asked == []


def test_file_of_another_type_is_refused_whatever_it_is_called(files, acme):
    files.files["/roof.svg"] = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    files.files["/fake.jpg"] = b"<!DOCTYPE html><script>alert(1)</script>"
    for path in ("/plan.html", "/roof.svg", "/fake.jpg"):
        attachment = make_pending(files.url + path, acme)
        fetch_all()
        with all_tenants():
            attachment.refresh_from_db()
        assert (attachment.status, attachment.tries, attachment.file_id) == ("failed", 1, None), path
        assert "neither a picture" in attachment.error
    with all_tenants():
        assert not StoredFile.objects.exists()


def test_file_that_is_too_large_is_refused(files, acme, monkeypatch):
    monkeypatch.setattr(attachments, "MAX_RECORDING", 1024**2)
    files.files["/long.mp3"] = MP3 + bytes(1024**2)
    make_pending(f"{files.url}/long.mp3", acme)
    fetch_all()
    with all_tenants():
        attachment = Attachment.objects.get()
    assert (attachment.status, attachment.error) == ("failed", "The file has more than 1 MiB.")


def test_failed_attempts_wait_longer_and_end_visibly(files, acme, settings, staff_client):
    settings.WORKER_MAX_TRIES = 3
    attachment = make_pending(f"{files.url}/missing.mp3", acme)
    waits = []
    with all_tenants():
        for _ in range(3):
            Attachment.objects.update(run_at=now())
            before = now()
            fetch_all()
            after = now()
            attachment.refresh_from_db()
            waits.append(attachment.run_at and (attachment.run_at - after, attachment.run_at - before))
    (least, most), (least_again, most_again), last = waits
    assert least <= timedelta(seconds=30) <= most
    assert least_again <= timedelta(seconds=120) <= most_again
    assert last is None
    assert (attachment.status, attachment.error) == ("failed", "The server answered with status 404.")
    files.files["/missing.mp3"] = MP3
    page = "/admin/calls/attachment/"
    staff_client.post(page, {"action": "fetch_again", "_selected_action": attachment.pk, "confirmed": attachment.pk})
    fetch_all()
    with all_tenants():
        attachment.refresh_from_db()
    assert attachment.status == "stored"


def test_leased_file_is_fetched_by_nobody_else(files, acme):
    make_pending(f"{files.url}/call.mp3", acme)
    first = claim_file()
    assert claim_file() is None
    with all_tenants():
        Attachment.objects.update(run_at=now() - timedelta(seconds=1))  # the lease of a killed worker ends
    fetch_all()
    import io

    store_content(first, io.BytesIO(MP3))  # it was not killed, but slow
    with all_tenants():
        assert StoredFile.objects.count() == 1
        assert Attachment.objects.get().status == "stored"


def test_recording_link_of_callrail_is_json_that_names_the_file(files, acme):
    files.files["/recording.json"] = f'{{"url": "{files.url}/call.mp3"}}'.encode()
    make_pending(f"{files.url}/recording.json", acme)
    fetch_all()
    with all_tenants():
        assert b"".join(read_file(file=Attachment.objects.get().file)) == MP3


def test_worker_asks_once_a_minute_and_at_once_after_a_note(acme, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(attachments, "_look_at_s", float("-inf"))
    noted.clear()
    assert not is_file_due()  # asked
    make_pending("https://files.example.com/1", acme)
    assert not is_file_due()  # noted by another process: not asked
    noted.set()
    assert is_file_due()


def test_company_deletes_recordings_after_its_days(files, acme, globex, manager_api):
    assert manager_api.patch("/api/v1/company", {"recording_retention_days": 90}).status_code == 200
    assert manager_api.patch("/api/v1/company", {"recording_retention_days": 29}).status_code == 400
    old = {"created_at": now() - timedelta(days=91)}
    kept = [
        make_pending(f"{files.url}/call.mp3", company, created_at=at)
        for company, at in ((acme, now() - timedelta(days=89)), (globex, now() - timedelta(days=400)))
    ]
    fetch_all()
    gone = factories.AttachmentFactory(
        contact=None, company=acme, call=factories.CallFactory(contact__company=acme), kind="voicemail", **old
    )
    factories.StoredFileChunkFactory(file=gone.file, company=acme)
    photo = factories.AttachmentFactory(contact__company=acme, **old)
    remove_old_recordings()
    with all_tenants():
        assert set(Attachment.objects.all()) == {*kept, photo}
        assert not StoredFileChunk.objects.filter(file=gone.file_id).exists()
        assert StoredFile.objects.count() == 3


def test_recording_that_is_too_old_is_not_kept_at_all(files, acme):
    acme.recording_retention_days = 90
    acme.save()
    make_pending(f"{files.url}/call.mp3", acme, created_at=now() - timedelta(days=91))
    fetch_all()
    with all_tenants():
        assert not Attachment.objects.exists()
        assert not StoredFile.objects.exists()


def test_rep_hears_own_calls_alone(rep, acme, globex):
    own = factories.CallFactory(contact__company=acme, assigned_rep=rep)
    other = factories.CallFactory(contact__company=acme)
    foreign = factories.CallFactory(contact__company=globex)
    api = signed_in(rep)
    statuses = {}
    for call in (own, other, foreign):
        file = factories.AttachmentFactory(contact=None, company=call.company, call=call, kind="recording")
        statuses[call] = (
            api.get(f"/api/v1/calls/{call.pk}/recordings").status_code,
            api.get(f"/api/v1/attachments/{file.pk}").status_code,
        )
    assert statuses == {own: (200, 200), other: (404, 404), foreign: (404, 404)}


def test_deleted_call_takes_its_files_with_it(acme):
    call = factories.CallFactory(contact__company=acme)
    file = factories.AttachmentFactory(contact=None, company=acme, call=call, kind="recording").file
    with all_tenants():
        call.delete()
        assert not StoredFile.objects.filter(pk=file.pk).exists()
