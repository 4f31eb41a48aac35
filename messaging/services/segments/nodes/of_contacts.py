"""Conditions on contacts themselves: their columns, flags, leads, and lists of them."""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Exists, F, Func, Q
from django.db.models import Value as Constant

from crm.choices import FlagType, LeadStatus
from crm.models import ContactFlag, Lead
from crm.querysets import flag_in_force
from messaging.services.segments.nodes.base import (
    DAY,
    DAYS,
    ROW_ID,
    TEXT,
    Names,
    Node,
    Terms,
    Value,
    a,
    choices_of,
    days,
    either,
    exactly_one,
    labels,
    properties,
    values_of,
)
from messaging.states import spellings_of_state

MAX_CONTACTS = 1000
FIELDS = ["city", "state", "postal_code", "address", "first_name", "last_name", "email"]
PLACES = ("city", "state")


class StartsWith(Func):
    """Test of a text's beginning. Leakproof, unlike LIKE; on SQLite LIKE would also ignore case."""

    function = "starts_with"
    output_field = BooleanField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="(instr(%(expressions)s) = 1)", **context)


def spellings(column: str, text: str) -> list[str]:
    """Return how people write a value: with small and capital letters; a state also as its two letters."""
    written = {text, text.lower(), text.upper(), text.title()}
    return sorted(written | set(spellings_of_state(text) if column == "state" else ()))


class FieldNode(Node):
    name = "field"
    title = "Address, name or email"
    description = "A column of the contact. Capital letters don't matter; CO and Colorado are the same state."
    schema = properties(
        required=["name"],
        name={"type": "string", "enum": FIELDS},
        **{"is": values_of(TEXT), "begins_with": TEXT, "is_empty": {"type": "boolean"}},
    ) | {"minProperties": 2, "maxProperties": 2}

    def condition(self, value: Value, terms: Terms) -> Q:
        column = value["name"]
        if "is" in value:
            return Q(**{f"{column}__in": [each for text in value["is"] for each in spellings(column, text)]})
        if "begins_with" in value:
            written = spellings("", value["begins_with"])
            return reduce(or_, (Q(StartsWith(F(column), Constant(text))) for text in written))
        return Q(**{column: ""}) if value["is_empty"] else ~Q(**{column: ""})

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        noun = value["name"].replace("_", " ")
        if "is" in value and value["name"] in PLACES:
            return f"{'are not' if negated else 'are'} in {either(value['is'])}"
        if "is" in value:
            return f"{'do not have' if negated else 'have'} the {noun} {either(value['is'])}"
        if "begins_with" in value:
            return f"have {a(noun, negated=negated)} that begins with {value['begins_with']}"
        return f"have {a(noun, negated=value['is_empty'] is not negated)}"


class AddedNode(Node):
    name = "added"
    title = "Added"
    description = "When the contact was added. `since` is included, `before` isn't; in the company's time zone."
    schema = exactly_one(within_days=DAYS, before_days=DAYS, since=DAY, before=DAY)

    def condition(self, value: Value, terms: Terms) -> Q:
        if "within_days" in value:
            return Q(created_at__gte=terms.days_ago(value["within_days"]))
        if "before_days" in value:
            return Q(created_at__lt=terms.days_ago(value["before_days"]))
        if "since" in value:
            return Q(created_at__gte=terms.start_of(value["since"]))
        return Q(created_at__lt=terms.start_of(value["before"]))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        [(kind, limit)] = value.items()
        if kind == "within_days":
            when = f"in the last {days(limit)}"
        elif kind == "before_days":
            when = f"more than {'a day' if limit == 1 else days(limit)} ago"
        else:
            when = f"{kind} {limit}"
        return f"{'were not' if negated else 'were'} added {when}"


class FlagNode(Node):
    name = "flag"
    title = "Flag"
    description = "The contact has one of these flags, in force."
    schema = properties(required=["type"], type=choices_of(FlagType))

    def condition(self, value: Value, terms: Terms) -> Q:
        flags = terms.rows_of_contact(ContactFlag).filter(flag_in_force(), flag_type__in=value["type"])
        return Q(Exists(flags))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        return f"{'do not have' if negated else 'have'} the flag {labels(value['type'])}"


class LeadNode(Node):
    name = "lead"
    title = "Lead"
    description = "The contact has a lead, of one of these statuses and sources if they are given."
    schema = properties(status=choices_of(LeadStatus), source=values_of(TEXT))

    def condition(self, value: Value, terms: Terms) -> Q:
        leads = terms.rows_of_contact(Lead)
        if "status" in value:
            leads = leads.filter(status__in=value["status"])
        if "source" in value:
            leads = leads.filter(source__in=[each for text in value["source"] for each in spellings("source", text)])
        return Q(Exists(leads))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        noun = f"{labels(value['status'])} lead" if "status" in value else "lead"
        source = f" with the source {either(value['source'])}" if "source" in value else ""
        return f"have {a(noun, negated=negated)}{source}"


class ContactsNode(Node):
    name = "contacts"
    title = "List of contacts"
    description = "One of these contacts, by ID."
    schema = properties(required=["ids"], ids=values_of(ROW_ID) | {"maxItems": MAX_CONTACTS})
    contact_ids = ("ids",)

    def condition(self, value: Value, terms: Terms) -> Q:
        return Q(pk__in=value["ids"])

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        number = len(value["ids"])
        return (
            f"{'are not' if negated else 'are'} on a list of {'one contact' if number == 1 else f'{number:,} contacts'}"
        )
