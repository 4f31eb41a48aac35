"""`archive --verify`."""

import json
import re
import shutil

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from ops.archive.manifest import NAME
from tests import factories
from tests.ops.archive.fixture import OLD, archive, make_history

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def archived(acme, tmp_path):
    """Return the folder of an archive with a few files."""
    make_history(acme, calls=4)
    return archive(acme, tmp_path).folder


def verify(root):
    call_command("archive", "--verify", "--to", str(root))


def files_of(root):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*") if path.is_file()}


def test_verification_reads_every_file_and_changes_none(acme, globex, archived, tmp_path, capsys):
    before = files_of(tmp_path)
    number = len(list(archived.glob("*.parquet")))
    rows = sum(table["rows"] for table in json.loads((archived / NAME).read_text())["tables"].values())
    verify(tmp_path)
    out = capsys.readouterr().out
    assert f"acme: {number} files with {rows} rows read." in out
    assert "globex: 0 files with 0 rows read." in out
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("harm", ["changed", "shortened", "missing"])
def test_each_damaged_file_is_named(archived, tmp_path, harm):
    paths = sorted(archived.glob("*.parquet"))[:2]
    for path in paths:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        if harm == "missing":
            path.unlink()
        else:
            path.write_bytes(data if harm == "changed" else data[:-9])
    with pytest.raises(CommandError) as refusal:
        verify(tmp_path)
    assert refusal.value.returncode == 1
    assert all(str(path) in str(refusal.value) for path in paths)
    assert "2 faults" in str(refusal.value)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("rows", 99, "has other columns or rows"),
        ("content", "0" * 64, "has rows whose checksum differs"),
        ("sha256", "0" * 64, "has been changed"),
    ],
)
def test_manifest_that_was_edited_is_a_fault(archived, tmp_path, key, value, complaint):
    path = archived / NAME
    manifest = json.loads(path.read_text())
    file = manifest["chunks"][0]["files"][0]
    file[key] = value
    path.write_text(json.dumps(manifest))
    with pytest.raises(CommandError) as refusal:
        verify(tmp_path)
    assert f"{archived / file['file']} {complaint}" in str(refusal.value)
    assert f"{archived / file['file']} is described otherwise in {NAME} than in the database" in str(refusal.value)


@pytest.mark.parametrize("lost", ["the manifest", "the folder"])
def test_lost_archive_is_a_fault_though_no_manifest_lists_it(archived, tmp_path, lost):
    if lost == "the folder":
        shutil.rmtree(archived)
    else:
        (archived / NAME).unlink()
    with pytest.raises(CommandError, match=re.escape(str(archived / NAME))):
        verify(tmp_path)


def test_restored_archive_may_be_deleted(archived, tmp_path, capsys):
    call_command("restore_archive", str(tmp_path))
    shutil.rmtree(archived)
    verify(tmp_path)
    assert "Every file is as its manifest says." in capsys.readouterr().out


def test_archive_in_another_folder_is_verified_too(acme, archived, tmp_path):
    factories.WebhookEventFactory(company=acme, created_at=now() - OLD, processed=True, status="processed")
    elsewhere = archive(acme, tmp_path / "elsewhere").folder
    [path] = elsewhere.glob("*.parquet")
    path.write_bytes(b"")
    with pytest.raises(CommandError, match=re.escape(str(path))):
        verify(tmp_path)
