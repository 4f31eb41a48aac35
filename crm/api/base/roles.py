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
LISTS = Grant(frozenset({LIST}))
SHOWS = Grant(frozenset({READ}))
SETS = Grant(frozenset({READ, CHANGE}))
READS = Grant(frozenset({LIST, READ}))
ADDS = Grant(READS.verbs | {CREATE})
CHANGES = Grant(READS.verbs | {CHANGE})
EDITS = Grant(ADDS.verbs | {CHANGE})
ALL = Grant(EDITS.verbs | {DELETE})
TEXTS = also(LISTS, CREATE, "read")  # who reads a thread takes it out of everybody's unread ones

OUTCOME = {"status", "quoted_price", "reason_for_lost_sale"}
VISIT = {"scheduled_start", "scheduled_end", "status", "notes"}

# A resource is named by its URL below /api/v1/. What is not in the table nobody may do.
ROLES: tuple[str, ...] = (Role.MANAGER, Role.CSR, Role.REP)
TABLE: dict[str, tuple[Grant, Grant, Grant]] = {
    "activities": (ADDS, ADDS, own(ADDS)),
    "appointments": (EDITS, EDITS, own(CHANGES, fields=VISIT)),
    "call-analyses": (ADDS, READS, own(READS)),
    "calls": (EDITS, EDITS, own(CHANGES, fields=OUTCOME)),
    "campaign-memberships": (ALL, READS, NOTHING),
    "campaigns": (ALL, READS, NOTHING),
    "contact-flags": (EDITS, EDITS, own(ADDS)),
    "company": (SETS, SHOWS, SHOWS),
    "contacts": (also(ALL, "timeline"), also(EDITS, "timeline"), own(also(READS, "timeline"))),
    "conversations": (CHANGES, CHANGES, own(READS)),
    "dashboard/booking-rate": (SHOWS, SHOWS, NOTHING),
    "dashboard/calls": (LISTS, LISTS, own(LISTS)),
    "dashboard/metrics": (SHOWS, SHOWS, NOTHING),
    "dashboard/top-objections": (SHOWS, SHOWS, NOTHING),
    "invoices": (ALL, EDITS, NOTHING),
    "leads": (ALL, EDITS, own(READS)),
    "message-threads": (TEXTS, TEXTS, own(LISTS)),
    "missed-calls": (also(READS, "recover"), also(READS, "recover"), NOTHING),
    "missed-calls/counts": (SHOWS, SHOWS, NOTHING),
    "notices": (SHOWS, NOTHING, NOTHING),
    "opt-outs": (also(READS, "confirm", "dismiss"), also(READS, "confirm", "dismiss"), NOTHING),
    "phone-lines": (also(EDITS, "resume"), READS, READS),
    "users": (EDITS, NOTHING, NOTHING),
    "webhook-events": (also(READS, "replay"), NOTHING, NOTHING),
}


def grant_of(role: str, resource: str) -> Grant:
    """What a role may do with a resource: nothing, where either is unknown."""
    return dict(zip(ROLES, TABLE.get(resource, ()), strict=False)).get(role, NOTHING)


def visible(rows: Any, user: "User", resource: str) -> Any:
    """Those of `rows` that the user may see as that resource."""
    return rows.assigned_to(user) if grant_of(user.role, resource).own else rows
