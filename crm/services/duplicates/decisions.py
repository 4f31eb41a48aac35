"""Decisions about candidates of duplicates."""

from collections.abc import Mapping
from typing import cast

from django.db import transaction
from django.utils import timezone

from crm.choices import DuplicateState
from crm.error_codes import ErrorCode
from crm.models import Contact, ContactMerge, DuplicateCandidate, User
from crm.refusals import Refusal
from crm.services.merging.merge import merge_contacts


class Decided(Refusal):
    """Somebody has decided about the two already."""

    code = ErrorCode.DUPLICATE_DECIDED


class NotOneOfTheTwo(Refusal):
    """The contact that shall stay is neither of the two."""

    code, attr = ErrorCode.OTHER_CONTACT, "kept"


def merge_duplicate(
    *,
    candidate: DuplicateCandidate,
    user: User | None,
    kept_id: int | None = None,
    fields: Mapping[str, str] | None = None,
) -> ContactMerge:
    """Merge the two contacts of a candidate.

    Args:
        kept_id: the one that stays. Default: the first, which is the older one.

    Raises:
        Decided, NotOneOfTheTwo, and what `merge_contacts` raises.
    """
    with transaction.atomic():
        pair = [cast(int, candidate.first_id), cast(int, candidate.second_id)]
        if candidate.state != DuplicateState.OPEN:
            raise Decided
        kept_id = kept_id or pair[0]
        if kept_id not in pair:
            raise NotOneOfTheTwo
        contacts = Contact.objects.in_bulk(pair)
        if len(contacts) < len(pair):
            raise Decided  # merged or deleted at this moment
        [gone_id] = set(pair) - {kept_id}
        try:
            return merge_contacts(kept=contacts[kept_id], gone=contacts[gone_id], user=user, fields=fields)
        except Contact.DoesNotExist:  # deleted while the locks were waited for
            raise Decided from None


def dismiss_duplicate(*, candidate: DuplicateCandidate, user: User | None) -> DuplicateCandidate:
    """Decide that the two aren't the same person. Raises Decided."""
    undecided = DuplicateCandidate.objects.filter(pk=candidate.pk, state=DuplicateState.OPEN)
    if not undecided.update(state=DuplicateState.NOT_THE_SAME, decided_by=user, decided_at=timezone.now()):
        raise Decided
    candidate.refresh_from_db()
    return candidate
