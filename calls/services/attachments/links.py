"""Signed links to attachments: each for a short time, without a session.

Who gets a link has been checked when it is made. Until it ends, it works for everybody who has it.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils import timezone

from calls.models import Attachment

LIFETIME = timedelta(minutes=15)
STEP_S = 300  # within which a file has the same link, so that browsers and tags know it again
_signer = Signer(sep=".", salt="attachments")


class Link(NamedTuple):
    path: str
    expires_at: datetime


class Target(NamedTuple):
    company_id: int
    attachment_id: int


class LinkInvalid(Exception):
    """Nobody has signed this link."""


class LinkExpired(Exception):
    """The time of the link is over."""


def make_link(attachment: Attachment, *, lifetime: timedelta = LIFETIME) -> Link:
    """Return a link to the file. The caller has checked that its reader may have the file."""
    ends_at = (timezone.now() + lifetime).timestamp() // STEP_S * STEP_S + STEP_S
    value = f"{attachment.company_id}-{attachment.pk}-{int(ends_at)}"
    return Link(reverse("attachment-file", args=[_signer.sign(value)]), datetime.fromtimestamp(ends_at, UTC))


def read_link(token: str) -> Target:
    """Return what a link leads to. Raises LinkInvalid or LinkExpired."""
    try:
        company_id, attachment_id, expires_at = map(int, _signer.unsign(token).split("-"))
    except (BadSignature, ValueError):
        raise LinkInvalid from None
    if datetime.fromtimestamp(expires_at, UTC) <= timezone.now():
        raise LinkExpired
    return Target(company_id, attachment_id)
