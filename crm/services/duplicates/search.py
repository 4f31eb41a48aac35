"""Search for duplicate contacts, company by company in the background."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from crm.choices import DuplicateState
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants, all_tenants_autocommit, tenant_autocommit
from crm.models import Company, Contact, DuplicateCandidate
from crm.names import name_of_contact
from crm.services.duplicates.pairs import Pair, find_pairs
from crm.services.duplicates.scores import LOWEST, score_of

PROGRAM = "duplicates"
EVERY = timedelta(hours=1)
LEASE = timedelta(minutes=15)  # a search of a million contacts takes less than one
OVERLAP = timedelta(minutes=10)  # longer than any transaction: its contacts have the times of their writing
EVER = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 1000  # pairs in one transaction
T = TypeVar("T")
Found = tuple[Pair, list[str], int]  # a pair, its reasons and its score


def is_search_due() -> bool:
    with all_tenants_autocommit():
        return Company.objects.filter(duplicates_run_at__lte=timezone.now()).exists()


def search_next_company() -> bool:
    """Search one company that is due for duplicates. Returns False if none is.

    The first search compares all contacts; later ones those that were changed since.
    """
    company = _claim_company()
    if company is None:
        return False
    started_at = timezone.now()
    since = company.duplicates_searched_at
    search_duplicates(company_id=company.pk, since=since and since - OVERLAP)
    with all_tenants():
        own = Company.objects.filter(pk=company.pk, duplicates_run_at=company.duplicates_run_at)
        own.update(duplicates_searched_at=started_at, duplicates_run_at=timezone.now() + EVERY)
    return True


def request_search(*, company_id: int) -> None:
    """Let the worker search the company next."""
    Company.objects.filter(pk=company_id).update(duplicates_run_at=timezone.now())


def search_duplicates(*, company_id: int, since: datetime | None = None) -> int:
    """Find the company's pairs with a contact that was changed since that time. Returns the number of candidates.

    Open candidates of such contacts that have nothing in common any more are deleted. Decisions stay.
    """
    with tenant_autocommit(company_id):
        pairs = find_pairs(company_id=company_id, since=since or EVER)
        found = {pair: (reasons, score) for batch in _batched(sorted(pairs)) for pair, reasons, score in
                 _score(batch, pairs)}  # fmt: skip
        changed = Q(first__updated_at__gte=since) | Q(second__updated_at__gte=since) if since else Q()
        opened = DuplicateCandidate.objects.filter(changed, state=DuplicateState.OPEN)
        ended = [pk for pk, *pair in opened.values_list("pk", "first", "second") if tuple(pair) not in found]
    for ids in _batched(ended):
        with program_transaction(PROGRAM, company_id=company_id):
            DuplicateCandidate.objects.filter(pk__in=ids, state=DuplicateState.OPEN).delete()
    for some in _batched(found.items()):
        with program_transaction(PROGRAM, company_id=company_id):
            _write(company_id, [(pair, *rest) for pair, rest in some])
    return len(found)


def _claim_company() -> Company | None:
    with program_transaction(PROGRAM, company_id=0), all_tenants():
        due = Company.objects.filter(duplicates_run_at__lte=timezone.now()).order_by("duplicates_run_at")
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True, no_key=True)
        company: Company | None = due.first()
        if company:
            company.duplicates_run_at = timezone.now() + LEASE
            company.save(update_fields=["duplicates_run_at"])
    return company


def _score(batch: Sequence[Pair], pairs: dict[Pair, set[str]]) -> Iterator[Found]:
    ids = {pk for pair in batch for pk in pair}
    contacts = Contact.objects.filter(pk__in=ids).values_list("pk", "first_name", "last_name")
    names = {pk: name_of_contact(first, last) for pk, first, last in contacts}
    for pair in batch:
        if names.keys() >= set(pair):  # one may be merged meanwhile
            score = score_of(pairs[pair], *(names[pk] for pk in pair))
            if score >= LOWEST:
                yield pair, sorted(pairs[pair]), score


def _write(company_id: int, found: Sequence[Found]) -> None:
    """Insert candidates that are new, and correct open ones."""
    firsts = {first for (first, _), *_ in found}
    known = DuplicateCandidate.objects.filter(first__in=firsts)
    stored = {(row.first_id, row.second_id): row for row in known}
    ids = {pk for pair, *_ in found for pk in pair}
    # Locked, so that none is merged before this transaction ends.
    locked = Contact.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    present = set(locked.values_list("pk", flat=True))
    changed, added = [], []
    for pair, reasons, score in found:
        row = stored.get(pair)
        if row is None and present.issuperset(pair):
            added.append(
                DuplicateCandidate(
                    company_id=company_id, first_id=pair[0], second_id=pair[1], reasons=reasons, score=score
                )
            )
        elif row and row.state == DuplicateState.OPEN and (row.reasons, row.score) != (reasons, score):
            row.reasons, row.score = reasons, score
            changed.append(row)
    DuplicateCandidate.objects.bulk_create(added, ignore_conflicts=True)
    DuplicateCandidate.objects.bulk_update(changed, ["reasons", "score"])


def _batched(rows: Iterable[T]) -> Iterator[list[T]]:
    """Yield lists of BATCH rows: itertools has this from Python 3.12 on."""
    rows = list(rows)
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
