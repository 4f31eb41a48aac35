"""Passwords that users choose themselves: own, forgotten and first ones."""

from datetime import timedelta

from axes.models import AccessAttempt
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils.timezone import now

from crm.choices import MailKind, MailState
from crm.db.audit_context import acting_as
from crm.db.tenancy import all_tenants
from crm.error_codes import ErrorCode
from crm.models import Mail, User
from crm.refusals import Refusal
from crm.services.links import user_of_token
from crm.services.login_throttling import one_spelling
from crm.services.mails import queue_mail

ASK_AGAIN_AFTER = timedelta(minutes=5)


class NotInvited(Refusal):
    """The user can't get an invitation."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code=code)


def set_password(*, user: User, password: str) -> None:
    """Set a user's own password, which ends all sessions. Raises ValidationError for a weak one."""
    validate_password(password, user)
    with all_tenants(), acting_as(user.pk, user.get_username()):
        user.set_password(password)
        user.save(update_fields=["password"])


def set_password_by_link(*, token: str, password: str) -> User:
    """Set the password of a link's user, once. Raises LinkRefused, and ValidationError for a weak password.

    Lockouts of the user end: somebody else's guesses must not keep out the owner of the mailbox.
    """
    with all_tenants(), transaction.atomic():
        user = user_of_token(token, lock=True)
        set_password(user=user, password=password)
        AccessAttempt.objects.filter(username=one_spelling(user.get_username())).delete()
    return user


def ask_for_reset(*, email: str) -> None:
    """Queue the mail for a forgotten password, unless one is on its way. The worker looks for users with this address.

    So the request takes as long for an unknown address as for any other. Repeated requests,
    also from many network addresses, don't fill a mailbox.
    """
    asked = Mail.objects.filter(created_at__gt=now() - ASK_AGAIN_AFTER, kind=MailKind.PASSWORD_RESET)
    if not asked.filter(address__iexact=email).exclude(state=MailState.FAILED).exists():
        queue_mail(kind=MailKind.PASSWORD_RESET, address=email)


def invite(*, user: User) -> None:
    """Queue an invitation, and make earlier ones worthless. Raises NotInvited."""
    if not user.is_active:
        raise NotInvited(ErrorCode.NOT_ACTIVE)
    if user.has_usable_password():
        raise NotInvited(ErrorCode.ALREADY_JOINED)
    if not user.email:
        raise NotInvited(ErrorCode.NO_EMAIL)
    with transaction.atomic():
        user.set_unusable_password()  # a new one each time: links are bound to it
        user.save(update_fields=["password"])
        queue_mail(kind=MailKind.INVITATION, address=user.email, user=user)
