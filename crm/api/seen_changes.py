"""The recorded changes as one user sees them: the newest state of each object, within the user's reach."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, count
from typing import Any, TypedDict, cast

from django.db.models import CharField, Model, QuerySet, Value

from crm.api.base.roles import Grant, grant_for, visible
from crm.changes.cursors import Owner
from crm.changes.pages import Row
from crm.db.change_feed import CREATED, DELETED, LEFT, MOVED, UPDATED, Feed
from crm.db.tenancy import current_company_id, reading_connection
from crm.db.triggers import declared_triggers
from crm.models import Contact, User

HIDDEN = "hidden"
NO_ID = -(10**15)  # no row has it, nor a lower one
Key = tuple[str, int]  # resource and id


class SeenChange(TypedDict):
    resource: str
    id: int
    change: str
    at: Any


# Whoever sees own objects alone sees these if their contact is in reach, and no others.
OF_CONTACTS = ("activities", "contact-flags", "contacts", "conversations", "leads", "message-threads")
# Objects with a user: of those who see own objects alone only that user sees them, not every rep of their contact.
BY_USER = ("appointment-proposals", "appointments", "background-tasks", "calendar-feeds", "calls", "tasks", "time-off")


# Another resource that shows the same rows.
SAME_ROWS = {"users": "colleagues"}


@cache
def models_by_resource() -> dict[str, type[Model]]:
    """Return the model of each resource's objects. The thread of a contact has the contact's id."""
    feeds = declared_triggers(Feed)
    own = {feed.resource: model for model, feed in feeds if feed.key == "id"}
    own |= {also.resource: model for model, feed in feeds for also in feed.also if also.key == "id"}
    return own | {other: own[resource] for resource, other in SAME_ROWS.items()} | {"message-threads": Contact}


def changes_seen_by(user: User | Owner, rows: Iterable[Row]) -> list[SeenChange]:
    """Return the newest state of each changed object that the user sees, or saw before, in the order of the changes.

    The user's company must be the active tenant. For a role that sees own rows only, this takes one statement more.
    """
    grants = _grants_of(user.role)
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


def may_concern(user: User | Owner, row: Row, contact_in_reach: bool | None) -> bool:
    """Return False if the user neither sees nor saw the object of a change, so that `changes_seen_by` needn't ask.

    Args:
        contact_in_reach: whether the user, who sees own objects alone, has a call or an appointment of the contact.
            None: the change has no contact, or the user sees all objects.
    """
    is_of_another = row.rep_id != user.pk and row.resource in (*OF_CONTACTS, *BY_USER)
    return contact_in_reach is not False or not is_of_another


def concerning(user: User | Owner, rows: Sequence[Row], in_reach: Sequence[bool | None]) -> list[Row]:
    """Return the changes that may concern the user, with all others of the same objects: the last one tells the state.

    Args:
        in_reach: of each change, as `may_concern` takes it.
    """
    own = [row for row, reach in zip(rows, in_reach, strict=True) if may_concern(user, row, reach)]
    objects = {key for row in own for key in ((row.resource, row.object_id), ("contacts", row.contact_id))}
    return [row for row in rows if (row.resource, row.object_id) in objects]


def needs_reach(user: User | Owner, rows: Iterable[Row]) -> bool:
    """Return whether `changes_seen_by` asks which objects are in reach."""
    grants = _grants_of(user.role)
    return any(grants[row.resource].own for row in rows)


@cache
def _grants_of(role: str) -> dict[str, Grant]:
    return {resource: grant_for(role, resource) for resource in models_by_resource()}


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


def _moves_contact(row: Row, user: User | Owner) -> bool:
    """Return whether by this change of a call or appointment the rep may see its contact, or no longer."""
    return row.rep_id == user.pk and row.contact_id is not None and row.change in (CREATED, DELETED, LEFT, MOVED)


def _was_in_reach(row: Row, user: User | Owner, in_reach: set[Key]) -> bool:
    """Return whether the rep saw the object of a change. If not, not even its id may show."""
    if row.resource in BY_USER:
        return row.rep_id == user.pk
    return ("contacts", row.contact_id) in in_reach


def _find_in_reach(user: User | Owner, changed: dict[Key, list[Row]]) -> set[Key]:
    """Return the changed objects, and the contacts of their changes, that a rep sees now."""
    keys = set(changed) | {("contacts", row.contact_id) for its in changed.values() for row in its if row.contact_id}
    ids: dict[str, list[int]] = {}
    for resource, object_id in sorted(keys):
        if grant_for(user.role, resource).own:
            ids.setdefault(resource, []).append(object_id)
    if not ids:
        return set()
    if isinstance(user, User) and getattr(user, "api_token", None):  # it may narrow what its user sees
        return set(_rows_in_reach(user, ids))
    # A few lengths, so that a few statements do for all.
    padded = {name: [*its, *its[-1:] * ((1 << (len(its) - 1).bit_length()) - len(its))] for name, its in ids.items()}
    shape = tuple((resource, len(its_ids)) for resource, its_ids in padded.items())
    sql, parameters = _statement_of_reach(user.role, current_company_id(), shape)
    values = [user.pk, *chain.from_iterable(padded.values())]
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, [values[NO_ID - each] if _is_left_out(each) else each for each in parameters])
        return set(cursor.fetchall())


@lru_cache(1000)
def _statement_of_reach(role: str, company_id: int, shape: tuple[tuple[str, int], ...]) -> tuple[str, tuple[Any, ...]]:
    """Return the statement for so many ids of each resource. To make it takes longer than to run it.

    Its parameters have NO_ID in place of the user's id, and the numbers below in place of the others. The company must
    be the active tenant.
    """
    numbers = count(NO_ID - 1, -1)
    ids = {resource: [next(numbers) for _ in range(length)] for resource, length in shape}
    return _rows_in_reach(User(pk=NO_ID, role=role, company_id=company_id), ids).query.sql_with_params()


def _is_left_out(parameter: Any) -> bool:
    return isinstance(parameter, int) and parameter <= NO_ID


def _rows_in_reach(user: User, ids: Mapping[str, Sequence[int]]) -> QuerySet[Any, Any]:
    """Return the keys of those objects that the user sees."""
    first, *others = (
        visible(models_by_resource()[resource].objects.filter(pk__in=its_ids), user, resource)  # type: ignore[attr-defined]
        .annotate(resource_name=Value(resource, CharField()))
        .order_by()
        .values_list("resource_name", "pk")
        for resource, its_ids in ids.items()
    )
    return first.union(*others, all=True) if others else first
