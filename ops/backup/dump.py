"""Backup of the database: a dump by `pg_dump`, and a manifest of what it contains."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import now

from ops.backup.checksums import TableContent, read_contents, table_names

DUMPED = "dumping contents of table"  # pg_dump says so of each table
SESSION_ONLY = {
    "client_encoding",
    "cursor_factory",
    "options",
}  # parameters of the product's sessions, not of pg_dump's


class BackupFailed(Exception):
    """No backup was made, or it differs. The message says why."""


@dataclass(frozen=True)
class Manifest:
    created_at: str
    server_version: str
    tables: dict[str, TableContent]

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read a manifest. Raises BackupFailed."""
        try:
            content = json.loads(path.read_text())
            tables = {name: TableContent(**table) for name, table in content.pop("tables").items()}
            return cls(**content, tables=tables)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupFailed(f"{path} is not a manifest of this command ({error}).") from error


def manifest_path(dump: Path) -> Path:
    return dump.with_name(f"{dump.name}.manifest")


@transaction.atomic
def make_backup(*, to: Path, progress: Callable[[str], Any], total: Callable[[int], Any]) -> Manifest:
    """Write a dump to `to` and its manifest beside it. Both show the database at one instant.

    `pg_dump` and this transaction read the same snapshot. A file gets its name once it is complete.

    Raises BackupFailed.
    """
    if to.exists() or manifest_path(to).exists():
        raise BackupFailed(f"{to} or its manifest exists already. Choose another name.")
    snapshot = _begin_snapshot()
    tables = table_names()
    total(2 * len(tables))
    with _new_file(to) as part:
        _run_pg_dump(part, snapshot=snapshot, progress=progress)
        manifest = Manifest(
            created_at=now().isoformat(),
            server_version=_show("server_version"),
            tables=read_contents(tables, progress=progress),
        )
        with _new_file(manifest_path(to)) as text:
            text.write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    return manifest


@transaction.atomic
def compare_with_manifest(
    manifest: Manifest, *, progress: Callable[[str], Any], total: Callable[[int], Any]
) -> list[str]:
    """Return a sentence for each table of the database that differs from the manifest."""
    _begin_snapshot()
    tables = table_names()
    total(len(tables))
    found = read_contents(tables, progress=progress)
    differences = [f"{name}: the table is missing." for name in sorted(manifest.tables.keys() - found.keys())]
    differences += [f"{name}: the backup has no such table." for name in sorted(found.keys() - manifest.tables.keys())]
    for name in sorted(found.keys() & manifest.tables.keys()):
        before, after = manifest.tables[name], found[name]
        if before.rows != after.rows:
            differences.append(f"{name}: {after.rows:,} rows, but the backup has {before.rows:,}.")
        elif before != after:
            differences.append(f"{name}: the same number of rows, but other values.")
    return differences


def _begin_snapshot() -> str:
    """Let the open transaction see one instant only. Returns the snapshot's name. Raises BackupFailed."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot: str = cursor.fetchone()[0]
        cursor.execute(
            "SELECT current_user FROM pg_roles WHERE rolname = current_user AND NOT (rolsuper OR rolbypassrls)"
        )
        bound = cursor.fetchone()
    if bound:
        raise BackupFailed(
            f"Row-level security would hide rows from the role {bound[0]}. Connect as the backup role, which is"
            " BYPASSRLS, by DIRECT_DATABASE_URL; docs/deploying.md creates it."
        )
    return snapshot


def _show(setting: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [setting])
        value: str = cursor.fetchone()[0]
    return value


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which only this user can read. It becomes `path` at the end, or is deleted."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        yield part
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def _run_pg_dump(part: Path, *, snapshot: str, progress: Callable[[str], Any]) -> None:
    program = str(Path(settings.PG_BIN, "pg_dump")) if settings.PG_BIN else "pg_dump"
    parameters = connection.get_connection_params()
    # Every user of the machine can read arguments; the environment is this user's.
    password = parameters.pop("password", None)
    target = cast(Any, connection).Database.extensions.make_dsn(
        **{name: value for name, value in parameters.items() if name not in SESSION_ONLY}
    )
    command = [
        program, "--format=custom", f"--snapshot={snapshot}", "--no-password", "--verbose",
        f"--file={part}", f"--dbname={target}",
    ]  # fmt: skip
    messages: list[str] = []
    try:
        with subprocess.Popen(  # noqa: S603  # pg_dump with our own arguments
            command,
            env=os.environ | ({"PGPASSWORD": password} if password else {}),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stderr or ():
                messages.append(line.strip())
                if DUMPED in line:
                    progress(line.rpartition(" ")[2].strip().strip('"').rpartition(".")[2])
    except OSError as error:
        raise BackupFailed(
            f"{program} can't be started ({error}). Install PostgreSQL's client, or set PG_BIN to its folder."
        ) from error
    if process.returncode != 0:
        errors = [message for message in messages if "error" in message or "mismatch" in message] or messages[-3:]
        raise BackupFailed("\n".join(["pg_dump failed:", *errors]))
