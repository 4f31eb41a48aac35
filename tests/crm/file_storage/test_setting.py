"""FILE_STORAGE_URL: its values, the check of files that it leaves behind, and the job without it."""

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from config.file_storage import MISSING, SHAPE
from crm.db.tenancy import all_tenants
from crm.models import StoredObject
from crm.services import moving_files
from tests import factories
from tests.crm.file_storage.conftest import storages_of


@pytest.mark.parametrize(
    "url",
    [
        "/srv/crm/files", "file://srv/crm/files", "file:relative", "file:///", "file:///srv?mode=1", "gs://bucket",
        "ftp://host/files", "s3", "file:///srv?x",
    ],
)  # fmt: skip
def test_bad_value_is_named(url):
    with pytest.raises(ImproperlyConfigured) as error:
        storages_of(url)
    assert SHAPE in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "s3://", "s3:///bucket", "s3://bucket/folder", "s3://bucket?endpoint=minio.example.com", "s3://bucket?acl=public",
        "s3://key@bucket", "s3://bucket?region",
    ],
)  # fmt: skip
def test_bad_bucket_is_named(url):
    pytest.importorskip("boto3", reason="install requirements/s3.txt")
    with pytest.raises(ImproperlyConfigured) as error:
        storages_of(url)
    assert SHAPE in str(error.value)


def test_bucket_needs_its_packages(monkeypatch):
    monkeypatch.setattr("config.file_storage.find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured) as error:
        storages_of("s3://bucket")
    assert MISSING in str(error.value)


def test_bucket_is_read_from_the_url():
    pytest.importorskip("boto3", reason="install requirements/s3.txt")
    options = storages_of("s3://key:s%2Fecret@files?endpoint=https://s3.example.com&region=eu-1")["files"]["OPTIONS"]
    assert {name: options[name] for name in ("bucket_name", "endpoint_url", "region_name", "access_key")} == {
        "bucket_name": "files", "endpoint_url": "https://s3.example.com", "region_name": "eu-1", "access_key": "key",
    }  # fmt: skip
    assert options["secret_key"] == "s/ecret"
    assert storages_of("s3://files")["files"]["OPTIONS"]["access_key"] is None


def test_database_is_the_default():
    assert "files" not in storages_of("")


def problems():
    return [found for found in run_checks(databases=["default"]) if found.id == "crm.E005"]


@pytest.mark.django_db
def test_files_without_their_storage_are_refused(settings, tmp_path):
    assert not problems()
    factories.StoredObjectFactory()
    assert len(problems()) == 1
    settings.STORAGES = storages_of(tmp_path.as_uri())
    assert not problems()


@pytest.mark.django_db
def test_nothing_is_asked_without_a_storage(django_assert_num_queries):
    factories.StoredFileFactory(expires_at=None)
    with django_assert_num_queries(0):
        assert not moving_files.is_move_due()
        assert not moving_files.move_next_file()
        assert not moving_files.has_unfinished_objects()


@pytest.mark.django_db
def test_storage_is_looked_after_once_a_minute(settings, tmp_path, monkeypatch):
    settings.STORAGES = storages_of(tmp_path.as_uri())
    monkeypatch.setattr(moving_files, "_look_at_s", float("-inf"))
    factories.StoredFileFactory(expires_at=None)
    assert moving_files.has_unfinished_objects()
    assert [moving_files.is_move_due(), moving_files.is_move_due()] == [True, False]
    with all_tenants():
        assert not StoredObject.objects.exists()
