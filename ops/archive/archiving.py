"""Archiving of rows: write a chunk, read it again, compare it with the locked rows, and delete these.

The database is the journal. ArchivedChunk, which makes a file valid, is committed with the deletion, and until then
the file ends in `.part`. So whenever the process is killed, a row is in the database or in one valid file.
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
from calls.choices import AttachmentStatus
from calls.models import Attachment, Call, CallDetail
from crm.db.audit_context import moving_to
from crm.db.tenancy import statement_limits, tenant
from crm.models import Activity, Company
from crm.services.archived_ids import remember_archived
from crm.services.idle_conversations import close_idle_conversations
from ops.archive.archived_counts import add_archived_counts
from ops.archive.bundles import BUNDLES, DERIVED, IN_OPEN_CONVERSATIONS, Bundle
from ops.archive.parquet import part_of, read_file, read_rows, write_part
from ops.archive.storage import exclusive_lock, make_folder, publish_parts, recover_folder

MAX_BYTES = 16 * 1024 * 1024  # of the long columns of a chunk: one webhook event may have 10 MB
LOCK_TIMEOUT_MS = 2000
TRIES = 3  # for a chunk whose rows others are changing
RETRIED_CODES = ("55P03", "40P01")  # lock_not_available, deadlock_detected

Progress = Callable[[str, int], None]  # receives the bundle's name and the number of further rows done


def no_progress(bundle: str, rows: int) -> None:
    """Ignore progress."""


class RowsChanged(Exception):
    """A row differs from the written one, or must be kept now."""


@dataclass
class ArchiveResult:
    """Result of one run for a company."""

    folder: Path
    rows: Counter[str] = field(default_factory=Counter)
    """Archived rows by table."""
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Old roots kept in the database, by bundle and reason."""


@dataclass
class ArchiveBatch:
    """Consecutive roots of a bundle."""

    roots: list[int]
    """Ids of the roots to archive."""
    keep_reasons: Counter[str]
    """Number of kept roots by reason."""
    last: tuple[datetime, int]
    """Time and id of the last root, archived or kept."""


def archive_company(
    *,
    company: Company,
    cut_off: datetime,
    root: Path,
    batch_size: int,
    bundles: Sequence[Bundle] = BUNDLES,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> ArchiveResult:
    """Move the company's closed rows from before the cut-off into a new archive below `root`.

    First it completes earlier runs of the company that were killed, and closes idle conversations if that frees rows of
    these bundles.

    Args:
        batch_size: the maximum of roots (calls, activities, webhook events …) archived in one transaction.
        dry_run: only count.
    """
    home = root / company.slug
    for folder in sorted(path for path in home.glob("*") if path.is_dir()):
        recover_folder(company, folder)
    if not dry_run and any(IN_OPEN_CONVERSATIONS in bundle.keep_reasons for bundle in bundles):
        close_idle_conversations(company=company)
    result = ArchiveResult(folder=home / f"{now():%Y%m%dT%H%M%S%fZ}")
    number = 0
    for bundle in bundles:
        after, tries = None, 0
        while batch := _next_batch(company, bundle, cut_off, after=after, size=batch_size):
            if batch.roots and dry_run:
                result.rows.update(_count_rows(company, bundle, batch.roots))
            elif batch.roots:
                rows = _archive_chunk(company, bundle, cut_off, batch.roots, folder=result.folder, number=number + 1)
                tries += 1
                if rows is None and tries < TRIES:
                    continue
                if rows is None:
                    batch.keep_reasons["in use"] += len(batch.roots)
                else:
                    number += 1
                    result.rows.update(rows)
            tries = 0
            result.kept.update({(bundle.name, reason): count for reason, count in batch.keep_reasons.items()})
            progress(bundle.name, len(batch.roots) + batch.keep_reasons.total())
            after = batch.last
    if number:
        recover_folder(company, result.folder)  # writes the manifest
    return result


def count_candidates(*, company: Company, cut_off: datetime, bundles: Sequence[Bundle] = BUNDLES) -> int:
    """Return the number of roots that an archive of the company examines."""
    with tenant(company.pk):
        return sum(bundle.roots(cut_off).count() for bundle in bundles)


def _next_batch(
    company: Company, bundle: Bundle, cut_off: datetime, *, after: tuple[datetime, int] | None, size: int
) -> ArchiveBatch | None:
    """Return the next roots, at most `size`, and few enough that their long columns fit into memory."""
    with tenant(company.pk):
        candidates = bundle.candidates(cut_off)
        age_column = bundle.root.age_column
        if after:
            at, pk = after
            candidates = candidates.filter(~Q(**{age_column: at, "pk__lte": pk}), **{f"{age_column}__gte": at})
        batch, total = None, 0
        for pk, at, reason, weight in candidates.values_list("pk", age_column, "reason", "weight")[:size]:
            total += 0 if reason else weight
            if batch is None:
                batch = ArchiveBatch([], Counter(), (at, pk))
            elif total > MAX_BYTES:
                break
            batch.last = (at, pk)
            if reason:
                batch.keep_reasons[reason] += 1
            else:
                batch.roots.append(pk)
        return batch


def _count_rows(company: Company, bundle: Bundle, roots: Sequence[int]) -> dict[str, int]:
    with tenant(company.pk):
        return {table.name: table.rows(roots).count() for table in bundle.tables}


def _archive_chunk(
    company: Company, bundle: Bundle, cut_off: datetime, roots: Sequence[int], *, folder: Path, number: int
) -> dict[str, int] | None:
    """Move one chunk. Returns the number of rows by table, or None if others used the rows and nothing was moved."""
    with exclusive_lock(folder.parent):
        make_folder(folder)
        paths, files = [], []
        with tenant(company.pk):
            for name, rows in _read(bundle, roots):
                paths.append(folder / f"{number:06}-{name}.parquet")
                files.append({"table": name} | write_part(rows, paths[-1]))
        try:
            with (
                statement_limits(statement_timeout=0, lock_timeout=LOCK_TIMEOUT_MS),
                tenant(company.pk),
                transaction.atomic(),
            ):
                _lock(bundle, roots)
                if bundle.candidates(cut_off).filter(pk__in=roots, reason="").count() != len(roots):
                    raise RowsChanged
                for path, current in zip_longest(paths, _read(bundle, roots)):
                    if not (path and current and current[1].equals(read_file(part_of(path)))):
                        raise RowsChanged
                if bundle.root.model is Call:
                    add_archived_counts(roots)
                _remember_ids(bundle, roots)
                chunk = ArchivedChunk.objects.create(
                    company=company, folder=str(folder.resolve()), archive=folder.name, number=number,
                    bundle=bundle.name, cut_off=cut_off, files=files,
                )  # fmt: skip
                with moving_to(chunk.pk):
                    _delete(bundle, roots)
        except (RowsChanged, IntegrityError, OperationalError) as error:
            # A new row that references the chunk raises IntegrityError when the transaction ends.
            if isinstance(error, OperationalError) and getattr(error.__cause__, "pgcode", "") not in RETRIED_CODES:
                raise
            for path in paths:
                part_of(path).unlink()
            return None
        publish_parts(folder, paths)
    return {file["table"]: file["rows"] for file in files}


def _read(bundle: Bundle, roots: Sequence[int]) -> Iterator[tuple[str, pa.Table]]:
    """Yield the name and the rows of each table of the bundle that has rows, one table at a time."""
    for table in bundle.tables:
        rows = read_rows(table.rows(roots))
        if rows.num_rows:
            yield table.name, rows


def _lock(bundle: Bundle, roots: Sequence[int]) -> None:
    """Lock the rows of the chunk. New rows can't join it, since they would reference its locked roots."""
    for table in bundle.tables:
        locked = table.rows(roots).select_for_update(of=("self",)).values_list("pk")
        with connection.cursor() as cursor:
            cursor.execute(*locked.query.sql_with_params())


def _remember_ids(bundle: Bundle, roots: Sequence[int]) -> None:
    """Remember the provider's ids of the chunk: what comes again must not be counted again."""
    ids: set[str | None] = set()
    for table in bundle.tables:
        if table.model in (Activity, CallDetail):
            ids |= set(table.rows(roots).values_list("openphone_id", flat=True))
    remember_archived(openphone_id for openphone_id in ids if openphone_id)


def _delete(bundle: Bundle, roots: Sequence[int]) -> None:
    """Delete referencing rows first. Ids are read before that, because activities are found through their calls."""
    ids = {table: list(table.rows(roots).values_list("pk", flat=True)) for table in bundle.tables}
    if bundle.root.model is Call:
        for model in DERIVED:
            _delete_rows(model.objects.filter(call__in=roots))
    for table, reference in bundle.references():
        if reference.model is Attachment:  # one that was stored meanwhile refuses the chunk
            unstored = Attachment.objects.filter(**{f"{reference.name}__in": ids[table]})
            _delete_rows(unstored.exclude(status=AttachmentStatus.STORED))
    for table in reversed(bundle.tables):
        _delete_rows(table.model.objects.filter(pk__in=ids[table]))


def _delete_rows(rows: Any) -> None:
    rows._raw_delete(rows.db)  # one statement, since no row references these any more
