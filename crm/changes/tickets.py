"""Tickets: a browser's EventSource can't send an Authorization header, so it sends one of these in the URL, once."""

from secrets import token_urlsafe

from django.core.signing import BadSignature, TimestampSigner

from crm.db.rate_counters import is_first_use
from crm.error_codes import ErrorCode
from crm.models import User
from crm.refusals import Refusal

LIFETIME_S = 30
_signer = TimestampSigner(salt="crm.stream")


class InvalidTicket(Refusal):
    """The text isn't a ticket, or one that is too old or was used before."""

    code = ErrorCode.INVALID_TICKET


def issue_ticket(user: User, *, session: str) -> str:
    return _signer.sign_object([user.pk, session, token_urlsafe(16)])


def use_ticket(ticket: str) -> tuple[int, str]:
    """Return the id of the ticket's user, and its session, which may have ended. Raises InvalidTicket."""
    try:
        user_id, session, name = _signer.unsign_object(ticket, max_age=LIFETIME_S)
    except (BadSignature, ValueError) as error:
        raise InvalidTicket from error
    if not is_first_use(f"ticket {name}"):
        raise InvalidTicket
    return int(user_id), session
