"""Taking rows out: a chunk is written, read again, compared with the rows under lock, and then they are deleted.

The database is the journal. What says that a file is true (ArchivedChunk) is committed with the deletion, and a file
has the ending `.part` until then: whenever the process is killed, a row is in the database or in one true file.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils.timezone import now

from analytics.models import ArchivedChunk
from calls.models import Call
from crm.db.tenancy import statement_limits, tenant
from crm.models import Company
from ops.archive.archived_counts import add_archived_counts
from ops.archive.bundles import BUNDLES, DERIVED, Bundle
from ops.archive.parquet import part_of, read_file, read_rows, write_part
from ops.archive.storage import exclusive_lock, make_folder, publish_parts, recover_folder

MAX_BYTES = 16 * 1024 * 1024  # of the long columns of a chunk: one delivery may have 10 MB
LOCK_TIMEOUT_MS = 2000
TRIES = 3  # at a chunk whose rows others are changing
LOCKED_OUT = ("55P03", "40P01")  # lock_not_available, deadlock_detected

Progress = Callable[[str, int], None]  # told the bundle and how many rows more have been looked at


def no_progress(bundle: str, rows: int) -> None:
    """Progress that nobody watches."""


class RowsChanged(Exception):
    """A row is another one than was written, or has become one that stays."""


@dataclass
class ArchiveResult:
    """What one run did for a company."""

    folder: Path
    rows: Counter[str] = field(default_factory=Counter)
    """By table."""
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Older roots that stay, by bundle and reason."""


@dataclass
class ArchiveBatch:
    """Some roots that follow each other: those that may go, and how many stay for which reason."""

    goes: list[int]
    keep_reasons: Counter[str]
    last: tuple[datetime, int]


def archive_company(
    *,
    company: Company,
    cut_off: datetime,
    root: Path,
    batch: int,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> ArchiveResult:
    """Move what of the company is older than the cut-off, and closed, into a new archive below `root`.

    First it finishes what an earlier run of this company, that was killed, has left.

    Args:
        batch: the most calls (activities, deliveries …) that go in one transaction.
        dry_run: only count.
    """
    home = root / company.slug
    for folder in sorted(path for path in home.glob("*") if path.is_dir()):
        recover_folder(company, folder)
    taken = ArchiveResult(folder=home / f"{now():%Y%m%dT%H%M%S%fZ}")
    number = 0
    for bundle in BUNDLES:
        after, tries = None, 0
        while batch_range := _look(company, bundle, cut_off, after=after, batch=batch):
            if batch_range.goes:
                if dry_run:
                    taken.rows.update(_count(company, bundle, batch_range.goes))
                else:
                    rows = _take(company, bundle, cut_off, batch_range.goes, folder=taken.folder, number=number + 1)
                    tries += 1
                    if rows is None and tries < TRIES:
                        continue
                    if rows is None:
                        batch_range.keep_reasons["in use"] += len(batch_range.goes)
                    else:
                        number += 1
                        taken.rows.update(rows)
            tries = 0
            taken.kept.update({(bundle.name, why): count for why, count in batch_range.keep_reasons.items()})
            progress(bundle.name, len(batch_range.goes) + batch_range.keep_reasons.total())
            after = batch_range.last
    if number:
        recover_folder(company, taken.folder)  # writes the manifest
    return taken


def count_candidates(*, company: Company, cut_off: datetime) -> int:
    """How many roots an archive of the company would look at."""
    with tenant(company.pk):
        return sum(bundle.roots(cut_off).count() for bundle in BUNDLES)


def _look(
    company: Company, bundle: Bundle, cut_off: datetime, *, after: tuple[datetime, int] | None, batch: int
) -> ArchiveBatch | None:
    """The next roots after these, at most `batch`, and few enough that their long columns fit into memory."""
    with tenant(company.pk):
        candidates = bundle.candidates(cut_off)
        when = bundle.root.when
        if after:
            at, pk = after
            candidates = candidates.filter(~Q(**{when: at, "pk__lte": pk}), **{f"{when}__gte": at})
        batch_range, weight = None, 0
        for pk, at, reason, long in candidates.values_list("pk", when, "reason", "weight")[:batch]:
            weight += 0 if reason else long
            if batch_range is None:
                batch_range = ArchiveBatch([], Counter(), (at, pk))
            elif weight > MAX_BYTES:
                break
            batch_range.last = (at, pk)
            if reason:
                batch_range.keep_reasons[reason] += 1
            else:
                batch_range.goes.append(pk)
        return batch_range


def _count(company: Company, bundle: Bundle, roots: Sequence[int]) -> dict[str, int]:
    with tenant(company.pk):
        return {member.model._meta.db_table: member.rows(roots).count() for member in bundle.members}


def _take(
    company: Company, bundle: Bundle, cut_off: datetime, roots: Sequence[int], *, folder: Path, number: int
) -> dict[str, int] | None:
    """Move one chunk. Returns how many rows went of each table; None where others were at them, and nothing went."""
    with exclusive_lock(folder.parent):
        make_folder(folder)
        paths, files = [], []
        with tenant(company.pk):
            for table, rows in _read(bundle, roots):
                paths.append(folder / f"{number:06}-{table}.parquet")
                files.append({"table": table} | write_part(rows, paths[-1]))
        try:
            with (
                statement_limits(statement_timeout=0, lock_timeout=LOCK_TIMEOUT_MS),
                tenant(company.pk),
                transaction.atomic(),
            ):
                _lock(bundle, roots)
                if bundle.candidates(cut_off).filter(pk__in=roots, reason="").count() != len(roots):
                    raise RowsChanged
                for path, standing in zip_longest(paths, _read(bundle, roots)):
                    if not (path and standing and standing[1].equals(read_file(part_of(path)))):
                        raise RowsChanged
                if bundle.root.model is Call:
                    add_archived_counts(roots)
                _delete(bundle, roots)
                ArchivedChunk.objects.create(
                    company=company, folder=str(folder.resolve()), archive=folder.name, number=number,
                    bundle=bundle.name, cut_off=cut_off, files=files,
                )  # fmt: skip
        except (RowsChanged, IntegrityError, OperationalError) as error:
            # A foreign key that has come meanwhile is noticed when the transaction ends.
            if isinstance(error, OperationalError) and getattr(error.__cause__, "pgcode", "") not in LOCKED_OUT:
                raise
            for path in paths:
                part_of(path).unlink()
            return None
        publish_parts(paths)
    return {file["table"]: file["rows"] for file in files}


def _read(bundle: Bundle, roots: Sequence[int]) -> Iterator[tuple[str, pa.Table]]:
    """Each table of the bundle that has rows, one at a time."""
    for member in bundle.members:
        rows = read_rows(member.rows(roots))
        if rows.num_rows:
            yield member.model._meta.db_table, rows


def _lock(bundle: Bundle, roots: Sequence[int]) -> None:
    """Lock the rows of the chunk. None is added to it meanwhile, since a new one would point at its root."""
    for member in bundle.members:
        locked = member.rows(roots).select_for_update(of=("self",)).values_list("pk")
        with connection.cursor() as cursor:
            cursor.execute(*locked.query.sql_with_params())


def _delete(bundle: Bundle, roots: Sequence[int]) -> None:
    """What points at others goes before them; the activities of calls are known by these, and so they are named."""
    ids = {member: list(member.rows(roots).values_list("pk", flat=True)) for member in bundle.members}
    if bundle.root.model is Call:
        for model in DERIVED:
            _delete_rows(model.objects.filter(call__in=roots))
    for member in reversed(bundle.members):
        _delete_rows(member.model.objects.filter(pk__in=ids[member]))


def _delete_rows(rows: Any) -> None:
    rows._raw_delete(rows.db)  # one statement: nothing points at a row any more
