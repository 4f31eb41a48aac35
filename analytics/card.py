"""The card of a contact, read with four statements."""

from typing import Any

from django.db.models import Count, F, FilteredRelation, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from calls.choices import COMING
from calls.models import Appointment, Call, Task
from crm.api.base.roles import visible
from crm.choices import CLOSED_LEADS, FlagType, OptOutState, ReviewState
from crm.models import Contact, ContactPhone, MarketingConsent, User
from crm.names import name_of_line, name_of_user
from crm.querysets import flag_in_force
from messaging.models import Message

FLAG = ("id", "flag_type", "review_state", "reason", "created_at", "expires_at")
LEAD = ("id", "status", "source", "created_at")
APPOINTMENT = ("id", "scheduled_start", "scheduled_end", "status", "assigned_rep")
CALL = ("id", "direction", "status", "created_at", "duration_s", "assigned_rep", "phone_line")
MAX_TASKS = 5
# Columns of appointments, and of tasks as if they were appointments: one statement reads both.
PLANS = ("kind", "key", "start", "end", "label", "person", "first_name", "last_name", "username")
REP_NAME = ("assigned_rep__first_name", "assigned_rep__last_name", "assigned_rep__username")
LINE_NAME = ("phone_line__name", "phone_line__number", "phone_line__provider_id")

Row = dict[str, Any]


def read_card(contact_id: int, fields: list[str], *, user: User) -> Row | None:
    """Return what this user may see of a contact, with these fields; None if the user may not see the contact."""
    rows = _contact_with_flags_and_lead(contact_id, fields, user)
    if not rows:
        return None
    flags = {row["flag__id"]: _part(row, "flag__", FLAG) for row in rows if row["flag__id"]}
    next_one, last_one, tasks = _plans(contact_id, user)
    return {
        "contact": {name: rows[0][name] for name in fields},
        "phones": _numbers(contact_id),
        "flags": list(flags.values()),
        "opt_out": _opt_out_state(flags.values()),
        "open_lead": _part(rows[0], "open_lead__", LEAD) if rows[0]["open_lead__id"] else None,
        "next_appointment": next_one,
        "last_appointment": last_one,
        "open_tasks": tasks,
        "unread": rows[0]["unread"],
        "last_call": _last_call(contact_id, user),
    }


def _contact_with_flags_and_lead(contact_id: int, fields: list[str], user: User) -> list[Row]:
    """Return a row for each flag in force, at least one. The first has the latest open lead."""
    unread = Message.objects.unread().filter(contact=OuterRef("pk")).order_by()
    contacts = visible(Contact.objects.filter(pk=contact_id), user, "contacts").annotate(
        unread=Coalesce(Subquery(unread.values("contact").annotate(n=Count("pk")).values("n")), 0),
        flag=FilteredRelation("flags", condition=flag_in_force("flags__")),
        open_lead=FilteredRelation("leads", condition=~Q(leads__status__in=CLOSED_LEADS)),
    )
    return list(
        contacts.order_by(F("open_lead__id").desc(nulls_last=True), "flag__id").values(
            *fields, "unread", *(f"flag__{name}" for name in FLAG), *(f"open_lead__{name}" for name in LEAD)
        )
    )


def _numbers(contact_id: int) -> list[Row]:
    numbers: Any = ContactPhone.objects.with_is_main().filter(contact=contact_id).order_by("created_at", "id")
    consent = MarketingConsent.objects.valid().filter(phone=OuterRef("phone")).values("given_at")[:1]
    numbers = numbers.annotate(number=F("phone"), marketing_consent_at=Subquery(consent))
    return list(numbers.values("id", "number", "label", "is_main", "marketing_consent_at"))


def _plans(contact_id: int, user: User) -> tuple[Row | None, Row | None, list[Row]]:
    """Return the next appointment and the last one, in which the present one counts as the last, and open tasks."""
    now = timezone.now()
    rows = visible(Appointment.objects.filter(contact=contact_id).not_cancelled(), user, "appointments")
    to_come = rows.filter(scheduled_start__gt=now, status__in=COMING).order_by("scheduled_start", "id")
    begun = rows.filter(scheduled_start__lte=now).order_by("-scheduled_start", "-id")
    either = Q(pk=Subquery(to_come.values("pk")[:1])) | Q(pk=Subquery(begun.values("pk")[:1]))
    appointments = _as_plans(
        Appointment.objects.filter(either), "appointment", "scheduled_start", "scheduled_end", "status", "assigned_rep"
    )
    open_tasks = visible(Task.objects.open().filter(contact=contact_id), user, "tasks").order_by("due_at", "id")
    tasks = Task.objects.filter(pk__in=Subquery(open_tasks.values("pk")[:MAX_TASKS]))
    found = list(appointments.union(_as_plans(tasks, "task", "due_at", "due_at", "title", "assignee"), all=True))
    by_side = {row["start"] > now: _appointment(row) for row in found if row["kind"] == "appointment"}
    by_due = sorted((row for row in found if row["kind"] == "task"), key=lambda row: (row["start"], row["key"]))
    return by_side.get(True), by_side.get(False), [_task(row) for row in by_due]


def _as_plans(rows: Any, kind: str, start: str, end: str, label: str, person: str) -> Any:
    names = {name: F(f"{person}__{name}") for name in ("first_name", "last_name", "username")}
    columns = {"key": F("pk"), "start": F(start), "end": F(end), "label": F(label), "person": F(person), **names}
    return rows.order_by().annotate(kind=Value(kind), **columns).values(*PLANS)


def _appointment(plan: Row) -> Row:
    columns = dict(zip(APPOINTMENT, [plan[column] for column in PLANS[1:6]], strict=True))
    return columns | {"assigned_rep_name": _name_of_person(plan)}


def _task(plan: Row) -> Row:
    return {
        "id": plan["key"], "title": plan["label"], "due_at": plan["start"], "assignee": plan["person"],
        "assignee_name": _name_of_person(plan),
    }  # fmt: skip


def _name_of_person(plan: Row) -> str | None:
    return name_of_user(*(plan[name] for name in PLANS[6:])) if plan["person"] else None


def _last_call(contact_id: int, user: User) -> Row | None:
    calls = visible(Call.objects.filter(contact=contact_id), user, "calls").order_by("-created_at", "-id")
    row = calls.values(*CALL, *REP_NAME, *LINE_NAME).first()
    return _with_names(row) if row else None


def _with_names(row: Row) -> Row:
    shown = {name: value for name, value in row.items() if "__" not in name}
    shown["assigned_rep_name"] = name_of_user(*(row[path] for path in REP_NAME)) if row["assigned_rep"] else None
    if "phone_line" in row:
        shown["phone_line_name"] = name_of_line(*(row[path] for path in LINE_NAME)) if row["phone_line"] else None
    return shown


def _part(row: Row, prefix: str, names: tuple[str, ...]) -> Row:
    return {name: row[prefix + name] for name in names}


def _opt_out_state(flags: Any) -> str:
    """Return the state that the flag `opted_out` follows: it is kept in step with the opt-outs of all numbers."""
    states = {flag["review_state"] for flag in flags if flag["flag_type"] == FlagType.OPTED_OUT}
    if not states:
        return OptOutState.CLEAR
    return OptOutState.UNDER_REVIEW if states == {ReviewState.PENDING} else OptOutState.OPTED_OUT
