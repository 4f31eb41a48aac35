"""Claims of missed callers: colleagues see at once that somebody calls back. A claim ends by itself."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from calls.models import MissedCaller
from crm.choices import Role
from crm.error_codes import ErrorCode
from crm.models import User
from crm.refusals import Refusal

CLAIM_FOR = timedelta(minutes=15)


class AlreadyClaimed(Refusal):
    """A colleague has the claim."""

    code = ErrorCode.ALREADY_CLAIMED


class NotWaiting(Refusal):
    """The caller was reached already."""

    code = ErrorCode.NOT_WAITING


class NotYours(Refusal):
    """The claim is a colleague's, and the user isn't a manager."""

    code = ErrorCode.NOT_YOURS


def claim_caller(*, caller: MissedCaller, user: User) -> None:
    """Claim a caller who waits for CLAIM_FOR, or renew the own claim. Of two users at the same time, one gets it.

    Raises:
        AlreadyClaimed: a colleague has it.
        NotWaiting: the caller was reached.
    """
    now = timezone.now()
    waiting = MissedCaller.objects.waiting().filter(pk=caller.pk)
    if waiting.filter(_is_free(now) | Q(claimed_by=user)).update(claimed_by=user, claimed_until=now + CLAIM_FOR):
        return
    row = MissedCaller.objects.select_related("claimed_by").get(pk=caller.pk)
    if row.recovered_at is not None:
        raise NotWaiting
    raise AlreadyClaimed(f"{row.claimed_by} is calling back already.")


def release_caller(*, caller: MissedCaller, user: User) -> None:
    """End the own claim; a manager ends anybody's. Raises NotYours."""
    now = timezone.now()
    rows = MissedCaller.objects.filter(pk=caller.pk)
    mine = rows if user.role == Role.MANAGER else rows.filter(_is_free(now) | Q(claimed_by=user))
    if not mine.update(claimed_by=None, claimed_until=None):
        raise NotYours


def _is_free(now: datetime) -> Q:
    return Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
