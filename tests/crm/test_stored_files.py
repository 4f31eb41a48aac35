"""Files in the database."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm.db.tenancy import all_tenants, tenant
from crm.models import StoredFile, StoredFileChunk
from crm.services import stored_files
from crm.services.stored_files import file_on_disk, read_file, remove_expired_files, store_file
from tests import factories

pytestmark = pytest.mark.django_db


def store(company, parts, name="list.csv"):
    return store_file(company_id=company.pk, name=name, content_type="text/csv", parts=parts)


@pytest.mark.parametrize("parts", [[], [b"a"], [b"abcd"], [b"abcde", b"", b"fghijklm"], [b"a"] * 9])
def test_a_file_is_read_as_it_was_written(in_acme, monkeypatch, parts):
    monkeypatch.setattr(stored_files, "CHUNK_BYTES", 4)
    file, content = store(in_acme, iter(parts)), b"".join(parts)
    assert (b"".join(read_file(file=file)), file.size) == (content, len(content))
    assert file.chunks.count() == -(-len(content) // 4)
    with file_on_disk(file=file) as path:
        assert path.read_bytes() == content
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [("C:\\lists\\May.csv", "May.csv"), ("../../etc/passwd", "passwd"), ("a\r\nb.csv", "ab.csv"), ("", "file")],
)
def test_a_name_is_no_path_and_has_no_control_characters(in_acme, name, kept):
    assert store(in_acme, [b""], name).name == kept


def test_another_company_does_not_see_a_file(acme, globex):
    with tenant(acme.pk):
        file = store(acme, [b"secret"])
    with tenant(globex.pk):
        assert list(read_file(file=file)) == []


def test_expired_files_are_deleted_with_their_content(acme):
    kept, expired = (
        factories.StoredFileChunkFactory(company=acme).file,
        factories.StoredFileChunkFactory(company=acme).file,
    )
    task = factories.BackgroundTaskFactory(company=acme, result_file=expired)
    with all_tenants():
        StoredFile.objects.filter(pk=expired.pk).update(expires_at=now() - timedelta(days=1))
        remove_expired_files()
        assert [chunk.file_id for chunk in StoredFileChunk.objects.all()] == [kept.pk]
        task.refresh_from_db()
        assert task.result_file is None


def test_the_file_of_a_task_is_downloaded(manager_api, outsider_api, acme):
    with tenant(acme.pk):
        file = store(acme, [b"Name,Phone\r\n", b"Ann,1\r\n"], name="Rejected – May.csv")
    task = factories.BackgroundTaskFactory(company=acme, result_file=file)
    response = manager_api.get(f"/api/v1/background-tasks/{task.pk}/file")
    assert b"".join(response.streaming_content) == b"Name,Phone\r\nAnn,1\r\n"
    assert (response["Content-Type"], response["Content-Length"]) == ("text/csv", "19")
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''Rejected%20%E2%80%93%20May.csv"
    assert outsider_api.get(f"/api/v1/background-tasks/{task.pk}/file").status_code == 404
    without = factories.BackgroundTaskFactory(company=acme)
    assert manager_api.get(f"/api/v1/background-tasks/{without.pk}/file").status_code == 404
