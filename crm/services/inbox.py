"""Assigning, snoozing, closing and reopening conversations."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from crm.choices import ASSIGNABLE_ROLES, ConversationStatus
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants, all_tenants_autocommit
from crm.error_codes import ErrorCode
from crm.models import Conversation, User
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action

MAX_SNOOZE = timedelta(days=366)
BATCH = 500  # rows locked at once
PROGRAM = "snoozed conversations"


class SnoozeTimeRefused(Refusal):
    """The chosen time is past, or too far ahead."""

    code, attr = ErrorCode.OUT_OF_RANGE, "snoozed_until"


class NotAssignable(Refusal):
    """The user isn't an active manager or CSR of the conversation's company."""

    code, attr = ErrorCode.DOES_NOT_EXIST, "assignee"


def assignable_users(company_id: int) -> QuerySet[User]:
    """Return the users to whom a conversation may be assigned."""
    users = User.objects.filter(company=company_id, is_active=True, role__in=ASSIGNABLE_ROLES["assignee"])
    return users.order_by("first_name", "last_name", "username")


def assign_conversation(*, conversation: Conversation, assignee: User | None, user: User) -> Conversation:
    """Give the conversation to a colleague, or to nobody. Raises NotAssignable."""
    if assignee and not assignable_users(conversation.company_id).filter(pk=assignee.pk).exists():
        raise NotAssignable("Choose an active manager or CSR of this company.")
    return _change(conversation, user, assignee_id=assignee.pk if assignee else None)


def close_conversation(*, conversation: Conversation, user: User) -> Conversation:
    """Close the conversation. The contact's next message or call opens it again."""
    return _change(conversation, user, status=ConversationStatus.CLOSED, snoozed_until=None)


def reopen_conversation(*, conversation: Conversation, user: User) -> Conversation:
    return _change(conversation, user, status=ConversationStatus.OPEN, snoozed_until=None)


def snooze_conversation(*, conversation: Conversation, until: datetime | None, user: User) -> Conversation:
    """Snooze the conversation until a time, and in any case until the contact writes or calls.

    Raises:
        SnoozeTimeRefused: the time is past, or too far ahead.
    """
    if until is not None:
        check_snoozed_until(until)
    return _change(conversation, user, status=ConversationStatus.SNOOZED, snoozed_until=until)


def check_snoozed_until(until: datetime) -> None:
    """Check the end of a snooze that a user has chosen. Raises SnoozeTimeRefused."""
    if until <= now():
        raise SnoozeTimeRefused("Must be in the future.")
    if until > now() + MAX_SNOOZE:
        raise SnoozeTimeRefused(f"Must be within {MAX_SNOOZE.days} days.")


def wake_next_conversations() -> bool:
    """Let the snoozed conversations of one company wait again whose time has come. Returns False if there are none."""
    with all_tenants():
        first = Conversation.objects.due_to_wake(now()).values_list("company", flat=True).first()
    if first is None:
        return False
    with program_transaction(PROGRAM, company_id=first):
        due = Conversation.objects.due_to_wake(now())
        # One that is locked has news of its own, which ends the snooze, or is looked at next time.
        locked = due.select_for_update(skip_locked=True, no_key=True, of=("self",))
        found = list(locked.values_list("pk", flat=True)[:BATCH])
        woken = Conversation.objects.filter(pk__in=found)
        woken.update(status=ConversationStatus.WAITING, snoozed_until=None)
    return bool(found)


def is_wake_up_due() -> bool:
    with all_tenants_autocommit():
        return Conversation.objects.due_to_wake(now()).exists()


def _change(conversation: Conversation, user: User, **values: Any) -> Conversation:
    with transaction.atomic():
        locked = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
        changes = {name: (getattr(locked, name), value) for name, value in values.items()}
        changes = {name: each for name, each in changes.items() if each[0] != each[1]}
        if changes:
            for name, (_, value) in changes.items():
                setattr(locked, name, value)
            locked.save(update_fields=[*changes])
            said = {name: tuple(_as_text(each) for each in values) for name, values in changes.items()}
            record_staff_action(user=user, table="conversations", row_id=locked.pk, changes=said)
    return locked


def _as_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
