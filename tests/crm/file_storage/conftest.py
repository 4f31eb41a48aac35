"""A folder and a bucket, each as the file storage."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from calls.services.attachments.links import make_link
from config.env import Env
from config.file_storage import read_file_storage
from crm.db.tenancy import all_tenants, tenant
from crm.models import StoredObject
from crm.services import moving_files, stored_files
from crm.services.stored_files import store_file
from tests import factories
from tests.bucket_server import Bucket

CONTENT = bytes(range(256)) * 20


class Folder:
    def __init__(self, path: Path):
        self.path, self.url = path, path.as_uri()
        path.mkdir()

    @property
    def objects(self):
        files = self.path.rglob("*")
        return {str(file.relative_to(self.path)): file.read_bytes() for file in files if file.is_file()}

    @property
    def is_down(self):
        return self.path.is_file()

    @is_down.setter
    def is_down(self, down):
        away = self.path.with_name("away")
        if down:
            self.path.rename(away)
            self.path.touch()
        else:
            self.path.unlink()
            away.rename(self.path)


def storages_of(url):
    env = Env()
    env.ENVIRON = {"FILE_STORAGE_URL": url}
    found = read_file_storage(env)
    env.raise_problems()
    return django_settings.STORAGES | found


@pytest.fixture(params=["folder", "bucket"])
def storage(request, settings, tmp_path):
    """An empty file storage, in use."""
    if request.param == "folder":
        folder = Folder(tmp_path / "files")
        settings.STORAGES = storages_of(folder.url)
        yield folder
        return
    if not (find_spec("storages") and find_spec("boto3")):
        pytest.skip("django-storages is not installed: install requirements/s3.txt")
    with Bucket() as bucket:
        settings.STORAGES = storages_of(bucket.url)
        yield bucket


@pytest.fixture
def attach(acme, monkeypatch):
    """Return a function that stores content, and returns it as the recording of a call."""
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 1000)

    def attach(content=CONTENT):
        with tenant(acme.pk):
            file = store_file(
                company_id=acme.pk, name="call.mp3", content_type="audio/mpeg", parts=[content], kept_for=None
            )
        call = factories.CallFactory(contact__company=acme)
        return factories.AttachmentFactory(contact=None, company=acme, call=call, kind="recording", file=file)

    return attach


@pytest.fixture
def ask(client):
    """Return a function that reads the link of an attachment. It returns the response and its body."""

    def ask(attachment, wanted="", method="get"):
        headers = {"range": wanted} if wanted else {}
        answer = getattr(client, method)(make_link(attachment).path, headers=headers)
        return answer, b"".join(answer.streaming_content) if answer.streaming else answer.content

    return ask


def move_all():
    """Move what is due. Returns the number of failures."""
    failures = 0
    for _ in range(50):
        try:
            if not moving_files.move_next_file():
                return failures
        except Exception:
            failures += 1
    raise AssertionError("It never ends.")


def end_waits():
    """Let the time of every lease and retry pass."""
    with all_tenants():
        StoredObject.objects.update(run_at="2026-01-01T00:00:00Z")


def keys():
    """Return the keys that the database knows."""
    with all_tenants():
        return set(StoredObject.objects.values_list("key", flat=True))
