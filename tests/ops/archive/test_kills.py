"""Killed processes: each row stays in the database or in one valid file, and in no two places."""

import os
import signal
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import connection

from analytics.models import ArchivedChunk
from ops.archive import archiving, restore, storage
from ops.archive.restore import find_archives, restore_archive
from ops.archive.storage import recover_folder
from tests.ops.archive.fixture import archive, contents, dashboard, make_history

# A child process is killed at the given call of a function, before the function does anything.
ARCHIVE_KILLS = [
    (archiving, "make_folder", 1),
    (archiving, "write_part", 1),
    (archiving, "write_part", 2),  # one part is written
    (archiving, "_lock", 1),  # all parts are written
    (archiving, "add_archived_counts", 1),
    (archiving, "_delete", 1),
    (archiving, "_delete_rows", 3),  # some rows are deleted
    (ArchivedChunk, "save", 1),  # all rows are deleted
    (archiving, "publish_parts", 1),  # the transaction is committed
    (Path, "replace", 2),  # a part is published
    (archiving, "make_folder", 3),  # two chunks are archived
    (storage, "write_manifest", 1),  # all chunks are archived
]
RESTORE_KILLS = [
    (restore, "recover_folder", 1),
    (restore, "_restore_chunk", 1),
    (restore, "_insert", 1),
    (restore, "_insert", 3),  # rows of two tables are inserted
    (restore, "subtract_archived_counts", 1),
    (restore, "_clear_missing_references", 1),  # all rows are inserted
    (ArchivedChunk, "save", 1),
    (restore, "_restore_chunk", 3),  # two chunks are restored
]

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def kill_at(owner, name, call, act):
    """Run `act` in a child process that kills itself at a call of a function."""
    connection.close()
    child = os.fork()
    if child == 0:
        function, calls = getattr(owner, name), []

        def checkpoint(*args, **kwargs):
            calls.append(args)
            if len(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        setattr(owner, name, checkpoint)
        try:
            act()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{owner.__name__}.{name} was not called {call} times"


def places(company, root):
    """Count the places of each row, by table and id: the database, and valid files."""
    for folder in (path for path in (root / company.slug).glob("*") if path.is_dir()):
        recover_folder(company, folder)
    found = Counter((table, pk) for table, rows in contents().items() for pk in rows)
    for path in root.rglob("*.parquet*"):
        table = path.name.removesuffix(".parquet").partition("-")[2]
        found.update((table, pk) for pk in pq.ParquetFile(path).read(["id"]).column("id").to_pylist())
    return found


def restore_all(root):
    for found in find_archives(root):
        restore_archive(found)


def test_killed_archivers_and_restorers_lose_and_repeat_nothing(acme, tmp_path):
    make_history(acme, calls=20)
    before, numbers = contents(), dashboard(acme)
    once = Counter((table, pk) for table, rows in before.items() for pk in rows)
    for kill in ARCHIVE_KILLS:
        kill_at(*kill, lambda: archive(acme, tmp_path, batch_size=4))
        assert places(acme, tmp_path) == once, kill
        assert dashboard(acme) == numbers, kill
    assert sum(len(rows) for rows in contents().values()) < len(once) / 4
    for kill in RESTORE_KILLS:
        kill_at(*kill, lambda: restore_all(tmp_path))
        assert dashboard(acme) == numbers, kill
    restore_all(tmp_path)
    assert contents() == before
    assert dashboard(acme) == numbers


def test_killed_command_is_completed_by_the_next(acme, tmp_path, capsys):
    make_history(acme)
    before = contents()
    arguments = ["archive", "--older-than", "730d", "--to", str(tmp_path), "--batch", "5"]
    kill_at(archiving, "publish_parts", 3, lambda: call_command(*arguments))
    assert 0 < sum(len(rows) for rows in contents().values()) < sum(len(rows) for rows in before.values())
    call_command(*arguments)
    assert "archived" in capsys.readouterr().out
    restore_all(tmp_path)
    assert contents() == before
