"""Companions of missed callers: the latest message and call to each of them, by a person or the product.

The history is their source, so texts from the provider's own app are there, too.
"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from calls.models import MissedCaller
from crm.api.base.companions import Companion
from crm.choices import ActivityType
from crm.models import Activity, User
from crm.names import name_of_user

NAMES = ("user__first_name", "user__last_name", "user__username")
Responses = dict[ActivityType, dict[str, Any]]  # of one caller


class ResponseField(Companion):
    """A fact of the latest message or call to a missed caller, before they were reached. Null: there is none.

    Attributes:
        fact: which one.
    """

    fact: str

    def __init__(self, kind: ActivityType, *, help_text: str) -> None:
        super().__init__("id", help_text=help_text)
        self.kind = kind

    def load(self, keys: set[int], user: User) -> dict[int, Responses]:
        callers: Any = MissedCaller.objects.filter(pk__in=keys)
        columns = {ActivityType.MESSAGE: "latest_message", ActivityType.CALL: "latest_call"}
        latest = {pk: ids for pk, *ids in callers.with_responses().values_list("pk", *columns.values())}
        ids = {each for found in latest.values() for each in found if each}
        # A statement of its own, by primary key: joined with the first one, it could read all activities.
        rows: Any = Activity.objects.filter(pk__in=ids).values_list("pk", "created_at", "user", *NAMES) if ids else ()
        facts = {
            pk: {"at": at, "user": by, "name": name_of_user(*names) if by else None} for pk, at, by, *names in rows
        }
        return {
            pk: {kind: facts[each] for kind, each in zip(columns, found, strict=True) if each in facts}
            for pk, found in latest.items()
        }

    def value_of(self, loaded: Responses) -> Any:
        return loaded.get(self.kind, {}).get(self.fact)


@extend_schema_field(OpenApiTypes.DATETIME)
class RespondedAtField(ResponseField):
    """When it was."""

    fact = "at"


@extend_schema_field(int)
class ResponderField(ResponseField):
    """The user who did it."""

    fact = "user"


@extend_schema_field(serializers.CharField())
class ResponderNameField(ResponseField):
    """The name of that user."""

    fact = "name"

    def __init__(self, kind: ActivityType) -> None:
        super().__init__(kind, help_text="Name of that user. Null: there is none.")
