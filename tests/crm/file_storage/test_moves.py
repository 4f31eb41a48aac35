"""Files that a worker moves to a folder or a bucket: read there, in ranges, and deleted there."""

import pytest
from django.db import IntegrityError, transaction

from crm.db.tenancy import all_tenants, tenant
from crm.models import StoredFile, StoredFileChunk, StoredObject
from crm.services import file_storage, moving_files
from crm.services.stored_files import open_range, store_file
from tests import factories
from tests.crm.file_storage.conftest import CONTENT, end_waits, keys, move_all

SIZE = len(CONTENT)
OF_REQUEST = {"X-Request-ID": ""}


def test_moved_file_is_only_in_the_storage(storage, attach):
    attach()
    attach(b"")
    assert move_all() == 0
    assert sorted(storage.objects.values()) == [b"", CONTENT]
    assert set(storage.objects) == keys()
    with all_tenants():
        assert not StoredFileChunk.objects.exists()
        assert not StoredObject.objects.unfinished().exists()


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("", 0, SIZE - 1), ("bytes=998-3001", 998, 3001), ("bytes=-5", SIZE - 5, SIZE - 1), ("bytes=7-7", 7, 7)],
)
def test_moved_file_is_read_by_the_same_link(wanted, first, last, storage, attach, ask):
    attachment = attach()
    before, _ = ask(attachment, wanted)
    move_all()
    answer, body = ask(attachment, wanted)
    assert body == CONTENT[first : last + 1]
    assert answer.status_code == before.status_code
    assert dict(answer.headers) | OF_REQUEST == dict(before.headers) | OF_REQUEST
    if hasattr(storage, "asked"):
        assert storage.asked[-1] == ("GET", *keys(), f"bytes={first}-{last}")
    assert ask(attachment, method="head")[0].status_code == 200


def test_files_that_expire_stay_in_the_database(storage, acme):
    with tenant(acme.pk):
        store_file(company_id=acme.pk, name="May.csv", content_type="text/csv", parts=[b"Phone"])
    assert move_all() == 0
    assert not storage.objects


def test_reader_of_a_file_that_is_moved_meanwhile_gets_all_of_it(storage, attach):
    body = open_range(file=attach().file, first=0, last=SIZE - 1)
    beginning = next(body)
    move_all()
    assert beginning + b"".join(body) == CONTENT


def test_deleted_file_leaves_its_key_until_the_object_is_deleted(storage, attach, acme):
    attachment, kept = attach(), attach(b"kept")
    move_all()
    with tenant(acme.pk):
        attachment.delete()
    assert len(storage.objects) == len(keys()) == 2
    assert move_all() == 0
    assert storage.objects == {kept.file.object.key: b"kept"}
    assert keys() == {kept.file.object.key}


def test_file_that_is_deleted_while_it_is_copied_leaves_no_object(storage, attach, acme, monkeypatch):
    attachment = attach()
    real = file_storage.put_object

    def put_object(key, path):
        with tenant(acme.pk):
            attachment.delete()
        real(key, path)

    monkeypatch.setattr(moving_files, "put_object", put_object)
    move_all()
    end_waits()
    move_all()
    assert (storage.objects, keys()) == ({}, set())


def test_copy_that_ends_after_its_key_was_given_up_is_deleted(storage, attach, acme, monkeypatch):
    attachment = attach()
    real = file_storage.put_object

    def put_object(key, path):
        with tenant(acme.pk):
            attachment.delete()
        end_waits()
        assert moving_files.move_next_file()  # another worker
        real(key, path)

    monkeypatch.setattr(moving_files, "put_object", put_object)
    move_all()
    assert (storage.objects, keys()) == ({}, set())


def test_outage_delays_moves_and_moved_files_alone(storage, attach, ask):
    moved = attach()
    move_all()
    storage.is_down = True
    held, removed = attach(b"still in the database"), attach(b"")
    failures = move_all()
    assert failures == 2
    assert ask(held)[1] == b"still in the database"
    answer, _ = ask(moved)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "unavailable")
    assert answer["Retry-After"]
    assert answer["Cache-Control"] == "no-store"
    with all_tenants():
        failing = StoredObject.objects.failing()
        assert {each.file_id for each in failing} == {held.file_id, removed.file_id}
        assert all(each.tries == 1 for each in failing)
    storage.is_down = False
    end_waits()
    assert move_all() == 0
    assert ask(moved)[1] == CONTENT
    assert set(storage.objects) == keys()


def test_deletion_is_tried_again_after_an_outage(storage, attach, acme):
    attachment = attach()
    move_all()
    with tenant(acme.pk):
        attachment.delete()
    if hasattr(storage, "asked"):  # a folder that is away has no such file either
        storage.is_down = True
        assert move_all() == 1
        storage.is_down = False
        assert len(storage.objects) == len(keys()) == 1
    end_waits()
    move_all()
    assert (storage.objects, keys()) == ({}, set())


def test_damaged_file_stops_no_other(storage, attach, ask):
    damaged, whole = attach(), attach(b"whole")
    with all_tenants():
        StoredFileChunk.objects.filter(file=damaged.file, position__gte=2).delete()
    assert move_all() == 1
    assert list(storage.objects.values()) == [b"whole"]
    with all_tenants():
        assert StoredObject.objects.get(file=damaged.file).error == (
            "FileDamaged: The database doesn't have the whole file."
        )
        assert StoredFileChunk.objects.filter(file=damaged.file).count() == 2
    assert ask(whole)[1] == b"whole"


def test_object_that_is_not_whole_does_not_replace_the_database(storage, attach, ask, monkeypatch):
    attachment = attach()
    backend = type(file_storage._storage())
    with monkeypatch.context() as patch:
        patch.setattr(backend, "size", lambda self, key: 1)
        assert move_all() == 1
    assert ask(attachment)[1] == CONTENT


def test_another_company_does_not_see_an_object(storage, attach, globex):
    attach()
    move_all()
    with tenant(globex.pk):
        assert not StoredObject.objects.exists()


def test_lost_object_is_named_in_the_log(storage, attach, ask, caplog):
    attachment = attach()
    move_all()
    [key] = keys()
    file_storage.delete_object(key)
    assert ask(attachment)[0].status_code == 503
    assert f"Object {key} can't be read: " in caplog.text


def test_folder_that_is_missing_is_not_made(storage, attach, ask):
    if hasattr(storage, "asked"):
        pytest.skip("about folders")
    attachment = attach()
    storage.path.rmdir()
    assert move_all() == 1
    assert not storage.path.exists()
    assert ask(attachment)[1] == CONTENT


def test_expiring_file_can_have_no_object(acme):
    file = factories.StoredFileFactory(company=acme)
    with tenant(acme.pk), pytest.raises(IntegrityError, match="stored_files_object_is_kept"), transaction.atomic():
        StoredFile.objects.filter(pk=file.pk).update(has_object=True)
