"""Rows of an import, read a lease ahead."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from crm.models import Import, ImportRow
from crm.services.imports.reading.mapping import Mapping
from crm.services.imports.reading.people import Outcomes, people_of


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A stored row, and its people."""

    pk: int
    n: int
    outcomes: Outcomes


class RowsAhead:
    """The leases of an import. While the database writes one, a thread reads the people of the next one.

    The rows themselves are fetched by the caller's thread, in its transaction.
    """

    def __init__(self, source: Import, mapping: Mapping, *, rows: int) -> None:
        self._source, self._mapping, self._size = source, mapping, rows
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._leases: dict[int, Future[list[ReadRow]]] = {}  # by the row after which they begin

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def after(self, n: int) -> list[ReadRow]:
        """Return the rows of the lease after this one. A lease that is tried again isn't read again."""
        lease = self._leases.get(n)
        fetched_before = lease is not None
        rows = (lease or self._begin(n)).result()
        self._leases = {n: self._leases[n]}
        if rows:
            self._begin(rows[-1].n)
        return self._without_erased(rows) if rows and fetched_before else rows

    def _begin(self, n: int) -> Future[list[ReadRow]]:
        rows = list(self._rows_after(n).order_by("n").values_list("pk", "n", "cells")[: self._size])
        self._leases[n] = self._thread.submit(self._read, rows)
        return self._leases[n]

    def _read(self, rows: list[tuple[int, int, list[str] | None]]) -> list[ReadRow]:
        return [ReadRow(pk, n, people_of(cells or [], self._mapping)) for pk, n, cells in rows]

    def _without_erased(self, rows: list[ReadRow]) -> list[ReadRow]:
        """Forget the people of rows that an erasure has emptied since they were fetched."""
        emptied = self._rows_after(rows[0].n - 1).filter(n__lte=rows[-1].n, cells__isnull=True)
        erased = set(emptied.values_list("pk", flat=True))
        return [ReadRow(row.pk, row.n, people_of([], self._mapping)) if row.pk in erased else row for row in rows]

    def _rows_after(self, n: int) -> Any:
        return ImportRow.objects.filter(source=self._source, n__gt=n, person=1)
