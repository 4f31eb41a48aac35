"""Signed links to attachments: for some minutes, without a session, whole or in ranges."""

import re
import zlib
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from calls.services.attachments.links import LIFETIME, STEP_S, make_link
from crm.db.tenancy import all_tenants, tenant
from crm.services import stored_files
from crm.services.stored_files import store_file
from tests import factories
from tests.file_server import MP3


@pytest.fixture
def attachment(acme, monkeypatch):
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 1000)
    with tenant(acme.pk):
        file = store_file(
            company_id=acme.pk, name="Zoë's call.mp3", content_type="audio/mpeg", parts=[MP3], kept_for=None
        )
    call = factories.CallFactory(contact__company=acme)
    return factories.AttachmentFactory(contact=None, company=acme, call=call, kind="recording", file=file)


@pytest.fixture
def ask(client, attachment):
    path = make_link(attachment).path

    def ask(wanted="", method="get", **headers):
        answer = getattr(client, method)(path, headers={**({"range": wanted} if wanted else {}), **headers})
        return answer, b"".join(answer.streaming_content) if answer.streaming else answer.content

    return ask


def test_link_needs_no_session_and_the_file_is_only_played(ask):
    answer, body = ask()
    assert (answer.status_code, body) == (200, MP3)
    assert answer["Content-Length"] == str(len(MP3))
    assert answer["Content-Type"] == "audio/mpeg"
    assert answer["Content-Disposition"] == "inline; filename*=utf-8''Zo%C3%AB%27s%20call.mp3"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Accept-Ranges"] == "bytes"


SIZE = len(MP3)


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1), ("bytes=0-0", 0, 0), ("bytes=998-1001", 998, 1001), ("bytes=1000-1999", 1000, 1999),
        ("bytes=-5", SIZE - 5, SIZE - 1), (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        (f"bytes=10-{SIZE * 2}", 10, SIZE - 1), (f"bytes=-{SIZE * 2}", 0, SIZE - 1),
    ],
)  # fmt: skip
def test_part_of_the_file_is_sent(wanted, first, last, ask):
    answer, body = ask(wanted)
    assert (answer.status_code, body) == (206, MP3[first : last + 1])
    assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", "bytes=99999-100000", "bytes=-0"])
def test_part_outside_of_the_file_is_refused(wanted, ask):
    answer, _ = ask(wanted)
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=a-b", "bytes"])
def test_other_ranges_are_ignored(wanted, ask):
    answer, body = ask(wanted)
    assert (answer.status_code, body) == (200, MP3)


def test_range_of_another_version_is_ignored(ask):
    tag = ask()[0]["ETag"]
    assert ask("bytes=0-9", **{"if-range": tag})[0].status_code == 206
    assert ask("bytes=0-9", **{"if-range": '"other"'})[0].status_code == 200


def test_head_tells_the_size_without_the_file(ask):
    answer, body = ask(method="head")
    assert (answer.status_code, answer["Content-Length"], body) == (200, str(SIZE), b"")
    assert ask(method="post")[0].status_code == 405


def test_link_ends(ask, monkeypatch):
    begun = timezone.now()
    for after, status in ((LIFETIME - timedelta(seconds=5), 200), (LIFETIME + timedelta(seconds=STEP_S + 5), 410)):
        monkeypatch.setattr("calls.services.attachments.links.timezone.now", lambda after=after: begun + after)
        assert ask()[0].status_code == status


def test_link_stays_the_same_for_minutes(attachment):
    assert len({make_link(attachment).path for _ in range(3)}) <= 2  # a new period may begin meanwhile


def test_changed_link_leads_nowhere(client, attachment, globex):
    path = make_link(attachment).path
    foreign = factories.AttachmentFactory(contact__company=globex)
    for changed in (
        path.replace(f"-{attachment.pk}-", f"-{foreign.pk}-"),
        path.replace(f"/{attachment.company_id}-", f"/{globex.pk}-"), path[:-1] + ("A" if path[-1] != "A" else "B"),
        "/files/x", "/files/1-1-1", "/files/1.2",
    ):  # fmt: skip
        assert client.get(changed).status_code == 404, changed


def test_link_to_a_deleted_file_says_so(client, attachment):
    path = make_link(attachment).path
    with all_tenants():
        attachment.delete()
    assert client.get(path).status_code == 410


def test_document_is_saved_and_not_shown(client, acme):
    for name, content_type, how in (("plan.pdf", "application/pdf", "attachment"), ("a.png", "image/png", "inline")):
        file = factories.StoredFileFactory(company=acme, name=name, content_type=content_type, size=5, expires_at=None)
        factories.StoredFileChunkFactory(company=acme, file=file, data=zlib.compress(b"12345"))
        attachment = factories.AttachmentFactory(contact__company=acme, file=file)
        answer = client.get(make_link(attachment).path)
        assert re.match(r"\w+", answer["Content-Disposition"]).group() == how


def test_staff_open_a_file_from_the_admin(staff_client, attachment):
    answer = staff_client.get(reverse("admin:calls_attachment_file", args=[attachment.pk]), follow=True)
    assert b"".join(answer.streaming_content) == MP3


def test_others_do_not_open_it_from_the_admin(client, attachment, csr):
    url = reverse("admin:calls_attachment_file", args=[attachment.pk])
    assert client.get(url)["Location"].startswith("/admin/login/")
    client.force_login(csr)
    assert client.get(url)["Location"].startswith("/admin/login/")
    client.force_login(factories.UserFactory(company=None, role="", is_staff=True))
    assert client.get(url).status_code == 403
