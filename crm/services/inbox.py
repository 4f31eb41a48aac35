"""Assigning, closing and reopening conversations."""

from django.db import transaction
from django.db.models import QuerySet

from crm.choices import ASSIGNABLE_ROLES, ConversationStatus
from crm.error_codes import ErrorCode
from crm.models import Conversation, User
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action


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
    return _change(conversation, user, "assignee_id", assignee.pk if assignee else None)


def close_conversation(*, conversation: Conversation, user: User) -> Conversation:
    """Close the conversation. The contact's next message or call opens it again."""
    return _change(conversation, user, "status", ConversationStatus.CLOSED)


def reopen_conversation(*, conversation: Conversation, user: User) -> Conversation:
    return _change(conversation, user, "status", ConversationStatus.OPEN)


def _change(conversation: Conversation, user: User, field: str, value: int | str | None) -> Conversation:
    with transaction.atomic():
        locked = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
        before = getattr(locked, field)
        if before != value:
            setattr(locked, field, value)
            locked.save(update_fields=[field])
            changes = {field: (before, value)}
            record_staff_action(user=user, table="conversations", row_id=locked.pk, changes=changes)
    return locked
