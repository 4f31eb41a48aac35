"""The recorded changes as one user sees them: the newest state of each object, within the user's reach."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypedDict, cast

from django.db.models import CharField, Model, Value

from crm.api.base.roles import grant_for, visible
from crm.changes.pages import Row
from crm.db.change_feed import CREATED, DELETED, LEFT, MOVED, UPDATED, Feed
from crm.db.triggers import declared_triggers
from crm.models import Contact, User

HIDDEN = "hidden"
Key = tuple[str, int]  # resource and id


class SeenChange(TypedDict):
    resource: str
    id: int
    change: str
    at: Any


# A call or appointment is seen by its rep alone, not by every rep of its contact.
BY_REP = ("appointments", "calls")


# Another resource that shows the same rows.
SAME_ROWS = {"users": "colleagues"}


@cache
def models_by_resource() -> dict[str, type[Model]]:
    """Return the model of each resource's objects. The thread of a contact has the contact's id."""
    feeds = declared_triggers(Feed)
    own = {feed.resource: model for model, feed in feeds if feed.key == "id"}
    own |= {also.resource: model for model, feed in feeds for also in feed.also if also.key == "id"}
    return own | {other: own[resource] for resource, other in SAME_ROWS.items()} | {"message-threads": Contact}


def changes_seen_by(user: User, rows: Iterable[Row]) -> list[SeenChange]:
    """Return the newest state of each changed object that the user sees, or saw before, in the order of the changes.

    The user's company must be the active tenant. For a role that sees own rows only, this takes one statement more.
    """
    grants = {resource: grant_for(user.role, resource) for resource in models_by_resource()}
    changed: dict[Key, list[Row]] = {}
    for row in _with_same_rows(rows):
        grant = grants[row.resource]
        if grant.own and _moves_contact(row, user):
            _append(changed, ("contacts", cast(int, row.contact_id)), row)
        if grant.verbs and (grant.own or row.change != LEFT):
            _append(changed, (row.resource, row.object_id), row)
    in_reach = _find_in_reach(user, changed)
    seen = []
    for (resource, object_id), its_rows in changed.items():
        last = its_rows[-1]
        is_deleted = last.change == DELETED and last.resource == resource
        if not grants[resource].own or (resource, object_id) in in_reach:
            state = DELETED if is_deleted else UPDATED
        elif any(_was_in_reach(row, user, in_reach) for row in its_rows):
            state = DELETED if is_deleted else HIDDEN
        else:
            continue
        seen.append(SeenChange(resource=resource, id=object_id, change=state, at=last.at))
    return seen


def _with_same_rows(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        yield row
        if other := SAME_ROWS.get(row.resource):
            yield row._replace(resource=other)


def _append(changed: dict[Key, list[Row]], key: Key, row: Row) -> None:
    """Append the row to those of its object, and the object to the end of the order."""
    its_rows = changed.pop(key, [])
    its_rows.append(row)
    changed[key] = its_rows


def _moves_contact(row: Row, user: User) -> bool:
    """Return whether by this change of a call or appointment the rep may see its contact, or no longer."""
    return row.rep_id == user.pk and row.contact_id is not None and row.change in (CREATED, DELETED, LEFT, MOVED)


def _was_in_reach(row: Row, user: User, in_reach: set[Key]) -> bool:
    """Return whether the rep saw the object of a change. If not, not even its id may show."""
    if row.resource in BY_REP:
        return row.rep_id == user.pk
    return ("contacts", row.contact_id) in in_reach


def _find_in_reach(user: User, changed: dict[Key, list[Row]]) -> set[Key]:
    """Return the changed objects, and the contacts of their changes, that a rep sees now."""
    keys = set(changed) | {("contacts", row.contact_id) for its in changed.values() for row in its if row.contact_id}
    ids: dict[str, list[int]] = {}
    for resource, object_id in sorted(keys):
        if grant_for(user.role, resource).own:
            ids.setdefault(resource, []).append(object_id)
    found = [
        visible(models_by_resource()[resource].objects.filter(pk__in=its_ids), user, resource)  # type: ignore[attr-defined]
        .annotate(resource_name=Value(resource, CharField()))
        .order_by()
        .values_list("resource_name", "pk")
        for resource, its_ids in ids.items()
    ]
    if not found:
        return set()
    first, *others = found
    return set(first.union(*others, all=True) if others else first)
