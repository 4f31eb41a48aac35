"""Queries that a lower app runs and a higher one provides, since the lower one may not import its models."""

from collections.abc import Callable

from django.db.models import QuerySet


class QuerySlot:
    """A query with one provider, registered in `AppConfig.ready`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._query: Callable[..., QuerySet] | None = None

    def register(self, query: Callable[..., QuerySet]) -> None:
        self._query = query

    def __call__(self, *args: object) -> QuerySet:
        if self._query is None:
            raise LookupError(f"No app provides {self.name}; register a query in its AppConfig.ready.")
        return self._query(*args)


# For a rep: the ids of contacts with a call or an appointment that is assigned to the rep, in one column.
contact_ids_of_rep = QuerySlot("contact_ids_of_rep")

# For a rep: the ids of activities that report a call assigned to the rep, in one column.
call_activity_ids_of_rep = QuerySlot("call_activity_ids_of_rep")

# Incoming messages that no user has read.
unread_messages = QuerySlot("unread_messages")

# The messages of activities, by a list of their ids.
messages_of_activities = QuerySlot("messages_of_activities")

# Rollups whose last updates, at least as many as the argument, have failed.
failing_rollups = QuerySlot("failing_rollups")

# Outgoing calls and messages to numbers, E.164, in any line's name.
outgoing_calls_to = QuerySlot("outgoing_calls_to")
outgoing_messages_to = QuerySlot("outgoing_messages_to")
