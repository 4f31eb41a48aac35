"""Who may do what: the one table of role by resource by verb. `docs/roles.md` is written from it."""

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crm.choices import Role

if TYPE_CHECKING:
    from crm.models import User

LIST, READ, CREATE, CHANGE, DELETE = "list", "read", "create", "change", "delete"


@dataclass(frozen=True)
class Grant:
    """What one role may do with one resource."""

    verbs: frozenset[str] = frozenset()
    own: bool = False
    """Only with rows that are assigned to the user, by the queryset's word `assigned_to`."""
    fields: frozenset[str] | None = None
    """What CHANGE may change; None for every field."""


def own(grant: Grant, *, fields: Set[str] | None = None) -> Grant:
    """The grant, for rows assigned to the user alone, and for changes of these fields alone."""
    return replace(grant, own=True, fields=None if fields is None else frozenset(fields))


def also(grant: Grant, *verbs: str) -> Grant:
    """The grant, and these verbs: names of a resource's actions beside the usual five."""
    return replace(grant, verbs=grant.verbs | set(verbs))


NOTHING = Grant()
LIST_ONLY = Grant(frozenset({LIST}))
RETRIEVE = Grant(frozenset({READ}))
RETRIEVE_UPDATE = Grant(frozenset({READ, CHANGE}))
READ_ONLY = Grant(frozenset({LIST, READ}))
READ_CREATE = Grant(READ_ONLY.verbs | {CREATE})
READ_UPDATE = Grant(READ_ONLY.verbs | {CHANGE})
READ_CREATE_UPDATE = Grant(READ_CREATE.verbs | {CHANGE})
ALL = Grant(READ_CREATE_UPDATE.verbs | {DELETE})
TEXTS = also(LIST_ONLY, CREATE, "read")  # who reads a thread takes it out of everybody's unread ones

OUTCOME = {"status", "quoted_price", "reason_for_lost_sale"}
VISIT = {"scheduled_start", "scheduled_end", "status", "notes"}

# A resource is named by its URL below /api/v1/. What is not in the table nobody may do.
ROLES: tuple[str, ...] = (Role.MANAGER, Role.CSR, Role.REP)
TABLE: dict[str, tuple[Grant, Grant, Grant]] = {
    "activities": (READ_CREATE, READ_CREATE, own(READ_CREATE)),
    "appointments": (READ_CREATE_UPDATE, READ_CREATE_UPDATE, own(READ_UPDATE, fields=VISIT)),
    "call-analyses": (READ_CREATE, READ_ONLY, own(READ_ONLY)),
    "calls": (READ_CREATE_UPDATE, READ_CREATE_UPDATE, own(READ_UPDATE, fields=OUTCOME)),
    "campaign-memberships": (ALL, READ_ONLY, NOTHING),
    "campaigns": (ALL, READ_ONLY, NOTHING),
    "contact-flags": (READ_CREATE_UPDATE, READ_CREATE_UPDATE, own(READ_CREATE)),
    "company": (RETRIEVE_UPDATE, RETRIEVE, RETRIEVE),
    "contacts": (also(ALL, "timeline"), also(READ_CREATE_UPDATE, "timeline"), own(also(READ_ONLY, "timeline"))),
    "conversations": (READ_UPDATE, READ_UPDATE, own(READ_ONLY)),
    "dashboard/booking-rate": (RETRIEVE, RETRIEVE, NOTHING),
    "dashboard/calls": (LIST_ONLY, LIST_ONLY, own(LIST_ONLY)),
    "dashboard/metrics": (RETRIEVE, RETRIEVE, NOTHING),
    "dashboard/top-objections": (RETRIEVE, RETRIEVE, NOTHING),
    "invoices": (ALL, READ_CREATE_UPDATE, NOTHING),
    "leads": (ALL, READ_CREATE_UPDATE, own(READ_ONLY)),
    "message-threads": (TEXTS, TEXTS, own(LIST_ONLY)),
    "missed-calls": (also(READ_ONLY, "recover"), also(READ_ONLY, "recover"), NOTHING),
    "missed-calls/counts": (RETRIEVE, RETRIEVE, NOTHING),
    "notices": (RETRIEVE, NOTHING, NOTHING),
    "opt-outs": (also(READ_ONLY, "confirm", "dismiss"), also(READ_ONLY, "confirm", "dismiss"), NOTHING),
    "phone-lines": (also(READ_CREATE_UPDATE, "resume"), READ_ONLY, READ_ONLY),
    "users": (READ_CREATE_UPDATE, NOTHING, NOTHING),
    "webhook-events": (also(READ_ONLY, "replay"), NOTHING, NOTHING),
}


def grant_for(role: str, resource: str) -> Grant:
    """What a role may do with a resource: nothing, where either is unknown."""
    return dict(zip(ROLES, TABLE.get(resource, ()), strict=False)).get(role, NOTHING)


def visible(rows: Any, user: "User", resource: str) -> Any:
    """Those of `rows` that the user may see as that resource."""
    return rows.assigned_to(user) if grant_for(user.role, resource).own else rows
