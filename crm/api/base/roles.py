"""Role-based permissions: role by resource by verb. `docs/roles.md` is generated from this table."""

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crm.choices import Role

if TYPE_CHECKING:
    from crm.models import User

LIST, READ, CREATE, CHANGE, DELETE = "list", "read", "create", "change", "delete"


@dataclass(frozen=True)
class Grant:
    """A role's permissions on one resource.

    Attributes:
        own: limits the role to rows that the queryset's `assigned_to(user)` returns.
        fields: the fields that CHANGE may change; None for every field. Any other one of a new row that names a
            colleague may name the user alone.
    """

    verbs: frozenset[str] = frozenset()
    own: bool = False
    fields: frozenset[str] | None = None


def own(grant: Grant, *, fields: Set[str] | None = None) -> Grant:
    """Limit the grant to rows assigned to the user, and its changes to `fields`."""
    return replace(grant, own=True, fields=None if fields is None else frozenset(fields))


def also(grant: Grant, *verbs: str) -> Grant:
    """Add names of the resource's extra actions to the grant's verbs."""
    return replace(grant, verbs=grant.verbs | set(verbs))


NOTHING = Grant()
LIST_ONLY = Grant(frozenset({LIST}))
CREATE_ONLY = Grant(frozenset({CREATE}))
RETRIEVE = Grant(frozenset({READ}))
RETRIEVE_UPDATE = Grant(frozenset({READ, CHANGE}))
READ_ONLY = Grant(frozenset({LIST, READ}))
READ_CREATE = Grant(READ_ONLY.verbs | {CREATE})
READ_UPDATE = Grant(READ_ONLY.verbs | {CHANGE})
READ_CREATE_DELETE = Grant(READ_CREATE.verbs | {DELETE})
READ_CREATE_UPDATE = Grant(READ_CREATE.verbs | {CHANGE})
ALL = Grant(READ_CREATE_UPDATE.verbs | {DELETE})
# The verbs "read" and "unread" mark a message for every user. A role with own rows alone must not have them.
LIST_CREATE_MARK_READ = also(LIST_ONLY, CREATE, "read", "unread")

CALL_OUTCOME_FIELDS = {"status", "quoted_price", "reason_for_lost_sale"}
# Without the assignee: a CSR claims and releases leads, so of two CSRs one gets a lead. Only managers give them out.
LEAD_FIELDS = frozenset({"status", "source", "value", "notes"})
APPOINTMENT_FIELDS = {"scheduled_start", "scheduled_end", "allow_overlap", "status", "notes"}

MANAGER, CSR, REP = Role.MANAGER, Role.CSR, Role.REP
# By the resource's URL below /api/v1/, then by role. A role without an entry may do nothing with the resource.
PERMISSIONS: dict[str, dict[str, Grant]] = {
    # Notes: the author's own, see crm/services/notes.py.
    "activities": {MANAGER: ALL, CSR: ALL, REP: own(ALL)},
    "api-tokens": {MANAGER: also(READ_CREATE, "revoke")},
    "appointment-proposals": {
        MANAGER: also(READ_CREATE, "accept", "decline", "withdraw"),
        CSR: also(READ_ONLY, "accept", "decline"),
        REP: own(also(READ_CREATE, "withdraw")),
    },
    "appointment-reminders": {MANAGER: READ_ONLY, CSR: READ_ONLY},
    "appointments": {
        MANAGER: also(READ_CREATE_UPDATE, "attachments", "change-series", "on-the-way"),
        CSR: also(READ_CREATE_UPDATE, "attachments", "change-series", "on-the-way"),
        REP: own(also(READ_UPDATE, "attachments", "on-the-way"), fields=APPOINTMENT_FIELDS),
    },
    "appointments/series": {MANAGER: CREATE_ONLY, CSR: CREATE_ONLY},
    "attachments": {
        MANAGER: also(RETRIEVE, CREATE, DELETE),
        CSR: also(RETRIEVE, CREATE, DELETE),
        REP: own(also(RETRIEVE, CREATE)),
    },
    "audit": {MANAGER: READ_ONLY},
    "background-tasks": {
        MANAGER: also(READ_ONLY, "cancel", "file"),
        CSR: own(also(READ_ONLY, "cancel", "file")),
        REP: own(also(READ_ONLY, "cancel", "file")),
    },
    "calendar-feeds": {
        MANAGER: also(READ_CREATE, "revoke"),
        CSR: own(also(READ_CREATE, "revoke")),
        REP: own(also(READ_CREATE, "revoke")),
    },
    "call-analyses": {MANAGER: READ_CREATE, CSR: READ_ONLY, REP: own(READ_ONLY)},
    "calls": {
        MANAGER: also(READ_CREATE_UPDATE, "recordings"),
        CSR: also(READ_CREATE_UPDATE, "recordings"),
        REP: own(also(READ_UPDATE, "recordings"), fields=CALL_OUTCOME_FIELDS),
    },
    "campaign-memberships": {MANAGER: READ_CREATE_DELETE, CSR: READ_ONLY},
    "campaigns": {
        MANAGER: also(
            ALL, "audience", "steps", "start", "pause", "resume", "cancel", "texts", "estimate", "test-send", "report"
        ),
        CSR: also(READ_ONLY, "texts", "estimate", "report"),
    },
    "changes": {MANAGER: RETRIEVE, CSR: RETRIEVE, REP: RETRIEVE},
    "colleagues": {MANAGER: LIST_ONLY, CSR: LIST_ONLY, REP: LIST_ONLY},
    "contact-fields": {MANAGER: also(ALL, "restore"), CSR: READ_ONLY, REP: READ_ONLY},
    "contact-flags": {MANAGER: READ_CREATE_UPDATE, CSR: READ_CREATE_UPDATE, REP: own(READ_CREATE)},
    "company": {MANAGER: RETRIEVE_UPDATE, CSR: RETRIEVE, REP: RETRIEVE},
    "contact-lists": {MANAGER: also(ALL, "add", "remove"), CSR: also(READ_ONLY, "add", "remove")},
    "contacts": {
        MANAGER: also(ALL, "card", "vcard", "timeline", "merge"),
        CSR: also(READ_CREATE_UPDATE, "card", "vcard", "timeline", "merge"),
        REP: own(also(READ_ONLY, "card", "vcard", "timeline")),
    },
    "contacts/attachments": {MANAGER: RETRIEVE, CSR: RETRIEVE, REP: own(RETRIEVE)},
    "contacts/phones": {MANAGER: ALL, CSR: ALL, REP: own(READ_ONLY)},
    "conversations": {MANAGER: READ_UPDATE, CSR: READ_UPDATE, REP: own(READ_ONLY)},
    "dashboard/booking-rate": {MANAGER: RETRIEVE, CSR: RETRIEVE},
    "dashboard/calls": {MANAGER: LIST_ONLY, CSR: LIST_ONLY, REP: own(LIST_ONLY)},
    "dashboard/lead-conversion": {MANAGER: RETRIEVE, CSR: RETRIEVE},
    "dashboard/metrics": {MANAGER: RETRIEVE, CSR: RETRIEVE},
    "dashboard/top-objections": {MANAGER: RETRIEVE, CSR: RETRIEVE},
    "duplicates": {MANAGER: also(READ_ONLY, "merge", "dismiss"), CSR: also(READ_ONLY, "merge", "dismiss")},
    "duplicates/search": {MANAGER: CREATE_ONLY},
    "events/ticket": {MANAGER: CREATE_ONLY, CSR: CREATE_ONLY, REP: CREATE_ONLY},
    "held-messages": {MANAGER: also(READ_ONLY, "release", "cancel")},
    "imports": {MANAGER: also(READ_CREATE, "rejected", "undo")},
    "invoices": {MANAGER: ALL, CSR: READ_CREATE_UPDATE},
    "leads": {
        MANAGER: also(ALL, "claim", "release", "stages"),
        CSR: also(replace(READ_CREATE_UPDATE, fields=LEAD_FIELDS), "claim", "release", "stages"),
        REP: own(also(READ_ONLY, "stages")),
    },
    "marketing-consents": {MANAGER: also(READ_CREATE, "withdraw"), CSR: also(READ_CREATE, "withdraw")},
    "merges": {MANAGER: also(READ_ONLY, "undo"), CSR: also(READ_ONLY, "undo")},
    "message-threads": {MANAGER: LIST_CREATE_MARK_READ, CSR: LIST_CREATE_MARK_READ, REP: own(LIST_ONLY)},
    "messages": {
        MANAGER: also(RETRIEVE_UPDATE, "cancel", "release"),
        CSR: also(RETRIEVE_UPDATE, "cancel", "release"),
        REP: own(RETRIEVE),
    },
    "missed-calls": {
        MANAGER: also(READ_ONLY, "recover", "undo", "claim", "release"),
        CSR: also(READ_ONLY, "recover", "undo", "claim", "release"),
    },
    "missed-calls/counts": {MANAGER: RETRIEVE, CSR: RETRIEVE},
    "notices": {MANAGER: RETRIEVE, CSR: RETRIEVE, REP: RETRIEVE},
    "opt-outs": {MANAGER: also(READ_ONLY, "confirm", "dismiss"), CSR: also(READ_ONLY, "confirm", "dismiss")},
    "outgoing-events": {MANAGER: also(READ_ONLY, "replay")},
    "outgoing-webhooks": {MANAGER: also(ALL, "rotate-secret")},
    "phone-lines": {MANAGER: also(READ_CREATE_UPDATE, "resume"), CSR: READ_ONLY, REP: READ_ONLY},
    "provider-connections": {MANAGER: RETRIEVE_UPDATE},
    "provider-connections/test": {MANAGER: CREATE_ONLY},
    "segments": {MANAGER: ALL, CSR: READ_ONLY},
    "segments/preview": {MANAGER: CREATE_ONLY, CSR: CREATE_ONLY},
    "segments/schema": {MANAGER: RETRIEVE, CSR: RETRIEVE},
    "setup": {MANAGER: RETRIEVE},
    "slots": {MANAGER: RETRIEVE, CSR: RETRIEVE, REP: own(RETRIEVE)},
    "snippets": {MANAGER: ALL, CSR: READ_ONLY, REP: READ_ONLY},
    "tags": {MANAGER: ALL, CSR: READ_CREATE, REP: READ_ONLY},
    "tasks": {
        MANAGER: also(ALL, "done", "reopen"),
        CSR: also(ALL, "done", "reopen"),
        REP: own(also(READ_ONLY, "done", "reopen")),
    },
    "time-off": {MANAGER: ALL, CSR: READ_ONLY, REP: own(ALL)},
    "users": {MANAGER: also(READ_CREATE_UPDATE, "invite", "reset-second-factor")},
    "webhook-events": {MANAGER: also(READ_ONLY, "replay")},
}


def grant_for(role: str, resource: str) -> Grant:
    """Return a role's grant on a resource; an unknown role or resource has none."""
    return PERMISSIONS.get(resource, {}).get(role, NOTHING)


def visible(rows: Any, user: "User", resource: str) -> Any:
    """Return the rows that the user may see as that resource."""
    grant = grant_for(user.role, resource)
    if not grant.verbs:
        return rows.none()
    return rows.assigned_to(user) if grant.own else rows
