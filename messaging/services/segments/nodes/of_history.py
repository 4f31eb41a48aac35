"""Conditions on what happened with a contact: messages, calls, appointments, invoices, campaigns."""

from datetime import timedelta

from django.db.models import Exists, Q

from calls.choices import AppointmentStatus, CallStatus
from calls.models import Appointment, Call
from crm.choices import ActivityType, Direction, InvoiceStatus, MembershipStatus
from crm.models import Activity, Campaign, CampaignMembership, Invoice
from messaging.services.segments.nodes.base import (
    DAYS,
    MAX_DAYS,
    ROW_ID,
    UNKNOWN,
    Names,
    Node,
    Schema,
    Terms,
    Value,
    a,
    choices_of,
    days,
    in_the_last,
    labels,
    properties,
)

DIRECTION: Schema = {"type": "string", "enum": Direction.values}
UNPAID = (InvoiceStatus.SENT, InvoiceStatus.PARTIAL, InvoiceStatus.OVERDUE)


class MessageNode(Node):
    name = "message"
    title = "Message"
    description = "A message from the contact (`incoming`) or to the contact (`outgoing`), in the last days or ever."
    schema = properties(direction=DIRECTION, within_days=DAYS)

    def condition(self, value: Value, terms: Terms) -> Q:
        # Activities have an index by company and time, which finds the few recent ones of many contacts.
        messages = terms.rows_of_contact(Activity).filter(activity_type=ActivityType.MESSAGE)
        if "direction" in value:
            messages = messages.filter(direction=value["direction"])
        if "within_days" in value:
            messages = messages.filter(created_at__gte=terms.days_ago(value["within_days"]))
        return Q(Exists(messages))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        verb = {"incoming": "wrote", "outgoing": "were sent"}.get(value.get("direction", ""), "wrote or were sent")
        return f"{verb} {a('message', negated=negated)}{in_the_last(value)}"


class CallNode(Node):
    name = "call"
    title = "Call"
    description = "A call with the contact, of one of these statuses if they are given, in the last days or ever."
    schema = properties(status=choices_of(CallStatus), direction=DIRECTION, within_days=DAYS)

    def condition(self, value: Value, terms: Terms) -> Q:
        calls = terms.rows_of_contact(Call)
        if "status" in value:
            calls = calls.filter(status__in=value["status"])
        if "direction" in value:
            calls = calls.filter(direction=value["direction"])
        if "within_days" in value:
            calls = calls.filter(created_at__gte=terms.days_ago(value["within_days"]))
        return Q(Exists(calls))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        words = [labels(value["status"])] if "status" in value else []
        noun = " ".join([*words, *([value["direction"]] if "direction" in value else []), "call"])
        return f"had {a(noun, negated=negated)}{in_the_last(value)}"


class AppointmentNode(Node):
    name = "appointment"
    title = "Appointment"
    description = "An appointment in the last or next days, or at any time. Without a status: any that isn't cancelled."
    schema = properties(status=choices_of(AppointmentStatus), within_days=DAYS, next_days=DAYS) | {
        "not": {"required": ["within_days", "next_days"]}
    }

    def condition(self, value: Value, terms: Terms) -> Q:
        statuses = value.get("status") or [each for each in AppointmentStatus if each != AppointmentStatus.CANCELLED]
        appointments = terms.rows_of_contact(Appointment).filter(status__in=statuses)
        if "within_days" in value:
            start, end = terms.days_ago(value["within_days"]), terms.now
            appointments = appointments.filter(scheduled_start__gte=start, scheduled_start__lt=end)
        if "next_days" in value:
            start, end = terms.now, terms.now + timedelta(days=value["next_days"])
            appointments = appointments.filter(scheduled_start__gte=start, scheduled_start__lt=end)
        return Q(Exists(appointments))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        noun = f"{labels(value['status'])} appointment" if "status" in value else "appointment"
        thing = a(noun, negated=negated)
        if "next_days" in value:
            return f"have {thing} in the next {days(value['next_days'])}"
        return f"had {thing}{in_the_last(value)}" if "within_days" in value else f"have {thing}"


class InvoiceNode(Node):
    name = "invoice"
    title = "Overdue invoice"
    description = "An unpaid invoice that has been due for more than this number of days, in the company's time zone."
    schema = properties(required=["overdue_days"], overdue_days={"type": "integer", "minimum": 0, "maximum": MAX_DAYS})

    def condition(self, value: Value, terms: Terms) -> Q:
        latest = terms.today - timedelta(days=value["overdue_days"])
        return Q(Exists(terms.rows_of_contact(Invoice).filter(status__in=UNPAID, due_date__lt=latest)))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        if value["overdue_days"] == 0:
            return f"have {a('overdue invoice', negated=negated)}"
        limit = "one day" if value["overdue_days"] == 1 else days(value["overdue_days"])
        return f"have {a('invoice', negated=negated)} that has been overdue for more than {limit}"


class CampaignNode(Node):
    name = "campaign"
    title = "Campaign"
    description = "The contact is or was in this campaign, with one of these statuses if they are given."
    schema = properties(required=["id"], id=ROW_ID, status=choices_of(MembershipStatus))
    campaign_ids = ("id",)

    def condition(self, value: Value, terms: Terms) -> Q:
        memberships = terms.rows_of_contact(CampaignMembership).filter(campaign=value["id"])
        if "status" in value:
            memberships = memberships.filter(status__in=value["status"])
        return UNKNOWN if terms.lack(Campaign, value["id"]) else Q(Exists(memberships))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        name = names.campaigns.get(value["id"], f"#{value['id']}")
        status = f" with the status {labels(value['status'])}" if "status" in value else ""
        return f"{'were not' if negated else 'were'} in the campaign “{name}”{status}"
