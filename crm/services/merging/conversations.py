"""Merging of conversations: a contact and a phone line have one."""

from typing import Any

from crm.choices import ConversationStatus
from crm.models import Conversation
from crm.services.merging.journal import Journal
from crm.services.merging.rules import pairs_of

MORE = ("status", "snoozed_until", "last_activity_at", "created_at", "assignee_id")


class JoinConversations:
    """Conversations move; two with the same line become the kept contact's.

    It takes the status of the one with the later activity, and keeps its assignee or gets that of the other. A snooze
    until a time ends: it was chosen for one of them.
    """

    def merge(self, model: Any, journal: Journal) -> None:
        pairs = pairs_of(model, journal, ("phone_line",), more=MORE)
        for (pk, _, *mine), (_, _, *other) in pairs:  # one for each phone line, of which a company has few
            values = joined_values(dict(zip(MORE, mine, strict=True)), dict(zip(MORE, other, strict=True)))
            together: dict[str, Any] = {
                name: values.pop(name) for name in ("status", "snoozed_until") if name in values
            }
            apart: list[dict[str, Any]] = [{name: value} for name, value in values.items()]
            for each in (together, *apart):  # each is undone by itself
                if each:
                    journal.change(journal.of(journal.kept, Conversation).filter(pk=pk), **each)
        journal.replace(model, {gone[0]: kept[0] for kept, gone in pairs})
        journal.move(model)


def joined_values(mine: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of the kept conversation that change."""
    status = max(mine, other, key=lambda row: row["last_activity_at"])["status"]
    joined = {
        "snoozed_until": None,
        "status": ConversationStatus.WAITING if status == ConversationStatus.SNOOZED else status,
        "last_activity_at": max(mine["last_activity_at"], other["last_activity_at"]),
        "created_at": min(mine["created_at"], other["created_at"]),
        "assignee_id": mine["assignee_id"] or other["assignee_id"],
    }
    return {name: value for name, value in joined.items() if value != mine[name]}
