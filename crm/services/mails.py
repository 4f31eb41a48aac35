"""Mails to users: an outbox, which the worker empties.

A mail that fails is tried again with growing waits. After WORKER_MAX_TRIES it stays as failed, for staff to see. If a
worker is killed between sending a mail and noting it, the mail is sent again.
"""

import logging
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils.timezone import now

from crm.choices import MailKind, MailState
from crm.models import Mail, User
from crm.services.links import LIFETIMES, make_link
from crm.worker import backoff, first_line_of

KEPT_FOR = timedelta(days=30)
MAX_EXPIRED = 500
SUBJECTS = {
    MailKind.INVITATION: "Your account at Home-services CRM",
    MailKind.PASSWORD_RESET: "Choose a new password",
}
NOBODY = "No active user has this email address."

logger = logging.getLogger(__name__)


def queue_mail(*, kind: str, address: str, user: User | None = None) -> Mail:
    """Queue a mail in the caller's transaction."""
    return Mail.objects.create(kind=kind, address=address, user=user)


def send_next_mail() -> bool:
    """Send the mail that is due, or note why it could not be sent. Return False if none is due."""
    mail = _claim()
    if mail is None:
        return False
    user = _recipient(mail)
    try:
        if user is not None:
            _write(mail, user).send()
    except (OSError, SMTPException, ValueError) as error:
        _record_failure(mail, error)
        return True
    state = {"state": MailState.SENT} if user else {"state": MailState.SKIPPED, "error": NOBODY}
    Mail.objects.filter(pk=mail.pk).update(ended_at=now(), **state)
    return True


def try_again(*, mail: Mail) -> bool:
    """Queue a failed mail again. Return False if it hasn't failed."""
    changes: Any = {"state": MailState.QUEUED, "attempts": 0, "run_at": now(), "ended_at": None}
    return Mail.objects.filter(pk=mail.pk, state=MailState.FAILED).update(**changes) > 0


def is_mail_due() -> bool:
    return Mail.objects.filter(state=MailState.QUEUED, run_at__lte=now()).exists()


def has_queued_mails() -> bool:
    return Mail.objects.filter(state=MailState.QUEUED).exists()


def remove_expired_mails() -> None:
    """Delete mails after 30 days: their addresses may be those of strangers."""
    expired = Mail.objects.filter(created_at__lt=now() - KEPT_FOR).order_by("created_at")[:MAX_EXPIRED]
    Mail.objects.filter(pk__in=list(expired.values_list("pk", flat=True))).delete()


def _claim() -> Mail | None:
    """Return the next mail, hidden from other workers for the time of a lease."""
    with transaction.atomic():
        due = Mail.objects.filter(state=MailState.QUEUED, run_at__lte=now()).order_by("run_at", "id")
        if connection.features.has_select_for_update_skip_locked:  # SQLite has a single writer
            due = due.select_for_update(skip_locked=True)
        mail = due.first()
        if mail is not None:
            mail.run_at = now() + timedelta(seconds=settings.WORKER_LEASE_S)
            mail.save(update_fields=["run_at"])
    return mail


def _recipient(mail: Mail) -> User | None:
    """Return the user whom the mail is for, if the user is still active and has an address.

    If several have the mail's address, each gets a mail of their own: one that fails repeats none of the others.
    """
    users = User.accounts.filter(is_active=True)
    if mail.user_id is not None:
        return users.filter(pk=mail.user_id).exclude(email="").first()
    found = list(users.filter(email__iexact=mail.address).order_by("pk"))
    if len(found) > 1:
        with transaction.atomic():
            Mail.objects.filter(pk=mail.pk).update(user=found[0])
            Mail.objects.bulk_create(Mail(kind=mail.kind, address=mail.address, user=user) for user in found[1:])
    return found[0] if found else None


def _write(mail: Mail, user: User) -> EmailMessage:
    """Return the mail to the user's own address: the one that was asked for may only look like it."""
    hours = int(LIFETIMES[MailKind(mail.kind)].total_seconds()) // 3600
    context = {
        "user": user,
        "link": make_link(user=user, kind=mail.kind),
        "lifetime": f"{hours // 24} days" if hours > 24 else "one hour",
    }
    text = render_to_string(f"crm/mails/{mail.kind}.txt", context)
    return EmailMessage(subject=SUBJECTS[MailKind(mail.kind)], body=text, to=[user.email])


def _record_failure(mail: Mail, error: Exception) -> None:
    failures = mail.attempts + 1
    given_up = failures >= settings.WORKER_MAX_TRIES
    Mail.objects.filter(pk=mail.pk).update(
        attempts=failures,
        error=first_line_of(error),
        run_at=now() + backoff(failures),
        state=MailState.FAILED if given_up else MailState.QUEUED,
        ended_at=now() if given_up else None,
    )
    logger.warning("Mail #%s could not be sent (attempt %s): %s", mail.pk, failures, first_line_of(error))
