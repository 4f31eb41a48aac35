"""Workers that are killed, or met by a deletion, while they move files: no file is lost, and no object forgotten."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from crm.db.tenancy import all_tenants, tenant
from crm.models import StoredFileChunk, StoredObject
from crm.services import moving_files
from tests.conftest import postgres_only
from tests.crm.file_storage.conftest import end_waits, keys, move_all
from tests.db.scratch import wait_until
from tests.messaging.test_workers import start_worker

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
FILES, KILLS = 24, 5


def count_begun(storage):
    return len([each for each in storage.asked if each[0] == "PUT"]) if hasattr(storage, "asked") else len(keys())


def test_killed_workers_lose_no_file_and_leave_no_object(storage, attach, ask, acme):
    lot = random.Random(18)  # noqa: S311
    attachments = {attach(content): content for content in (lot.randbytes(20_000) for _ in range(FILES))}
    if hasattr(storage, "delay_s"):
        storage.delay_s = 0.05
    for _ in range(KILLS):
        enough = count_begun(storage) + lot.randint(1, 4)
        worker = start_worker("--only", "file-moves", FILE_STORAGE_URL=storage.url, LOG_LEVEL="ERROR")
        wait_until(lambda enough=enough: count_begun(storage) >= enough)
        worker.kill()
        worker.communicate()
        end_waits()
        gone = next(iter(attachments))
        del attachments[gone]
        with tenant(acme.pk):
            gone.delete()
    with all_tenants():
        cut_off = StoredObject.objects.unfinished().count()
    assert move_all() == 0
    print(f"{len(attachments)} files whole, {KILLS} workers killed, {cut_off} copies and deletions done again")
    assert set(storage.objects) == keys()
    assert len(keys()) == len(attachments)
    for attachment, content in attachments.items():
        assert ask(attachment)[1] == content
    with all_tenants():
        assert not StoredFileChunk.objects.exists()


@postgres_only
def test_deletion_during_the_first_lease_waits_and_leaves_the_key(storage, attach, acme):
    attachment = attach()

    def delete():
        with tenant(acme.pk):
            attachment.delete()
        connection.close()

    def is_waiting():
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            return cursor.fetchone()[0]

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            leased = moving_files.claim_object()
            deletion = pool.submit(delete)
            wait_until(is_waiting)
        deletion.result()
    assert keys() == {leased.key}
    end_waits()
    move_all()
    assert keys() == set()
