"""Conditions on what a company has put on its contacts: tags, custom fields, static lists."""

from typing import Any

from django.db.models import Exists, Q

from crm.choices import FieldType
from crm.contact_labels import text_key
from crm.contact_querysets import begins_with
from crm.models import ContactFieldValue, ContactList, ContactListEntry, ContactTag, Tag
from messaging.services.segments.nodes.base import (
    DAY,
    DAYS,
    ROW_ID,
    TEXT,
    UNKNOWN,
    Names,
    Node,
    Schema,
    Terms,
    Value,
    a,
    days,
    either,
    properties,
    values_of,
)

NUMBER: Schema = {"type": "number", "minimum": -(10**15), "maximum": 10**15}
# The parts that fit a field's type. `is_empty` fits all.
PARTS = {
    FieldType.TEXT: ("is", "begins_with"),
    FieldType.CHOICE: ("is",),
    FieldType.NUMBER: ("equals", "at_least", "at_most"),
    FieldType.DATE: ("since", "before", "within_days", "next_days"),
    FieldType.YES_NO: ("is_yes",),
}


class TagNode(Node):
    name = "tag"
    title = "Tag"
    description = "The contact has one of these tags, by ID."
    schema = properties(required=["ids"], ids=values_of(ROW_ID))
    tag_ids = ("ids",)

    def condition(self, value: Value, terms: Terms) -> Q:
        tagged = Q(Exists(terms.rows_of_contact(ContactTag).filter(tag__in=value["ids"])))
        return tagged | UNKNOWN if terms.lack(Tag, *value["ids"]) else tagged

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        tags = either(names.tags.get(tag, f"#{tag}") for tag in value["ids"])
        return f"{'do not have' if negated else 'have'} the tag {tags}"


class ListNode(Node):
    name = "list"
    title = "Static list"
    description = "The contact is on this static list."
    schema = properties(required=["id"], id=ROW_ID)
    list_ids = ("id",)

    def condition(self, value: Value, terms: Terms) -> Q:
        if terms.lack(ContactList, value["id"]):
            return UNKNOWN
        return Q(Exists(terms.rows_of_contact(ContactListEntry).filter(list=value["id"])))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        name = names.lists.get(value["id"], f"#{value['id']}")
        return f"{'are not' if negated else 'are'} on the list “{name}”"


class CustomFieldNode(Node):
    name = "custom_field"
    title = "Custom field"
    description = (
        "A custom field of the contact, by its key. A text `is` one of several, or `begins_with` one: capital letters "
        "don't matter. A choice `is` one of several. A number `equals`, is `at_least` or `at_most` another. A day is "
        "`since` (included) or `before` another, or within the last or next days. Of yes or no: `is_yes`."
    )
    schema = properties(
        required=["key"],
        key=TEXT,
        equals=NUMBER,
        at_least=NUMBER,
        at_most=NUMBER,
        since=DAY,
        before=DAY,
        within_days=DAYS,
        next_days=DAYS,
        is_yes={"type": "boolean"},
        is_empty={"type": "boolean"},
        **{"is": values_of(TEXT), "begins_with": TEXT},
    ) | {"minProperties": 2, "maxProperties": 2}

    def condition(self, value: Value, terms: Terms) -> Q:
        field = terms.custom_fields.get(value["key"])
        if field is None:
            return UNKNOWN
        rows = terms.rows_of_contact(ContactFieldValue).filter(field=field.pk)
        if "is_empty" in value:
            return ~Q(Exists(rows)) if value["is_empty"] else Q(Exists(rows))
        [(part, limit)] = _comparison(value)
        return Q(Exists(rows.filter(_comparison_of(part, limit, terms))))

    def clause(self, value: Value, negated: bool, names: Names) -> str:
        label = names.custom_fields.get(value["key"], value["key"])
        [(part, limit)] = _comparison(value)
        verb = "do not have" if negated else "have"
        match part:
            case "is_empty":
                return f"have {a('value', negated=limit is not negated)} for {label}"
            case "is_yes":
                return f"{verb} {label}: {'yes' if limit else 'no'}"
            case "is":
                return f"{verb} {label}: {either(limit)}"
            case "begins_with":
                return f"{verb} {label} that begins with {limit}"
            case "equals" | "at_least" | "at_most":
                words = {"equals": "of", "at_least": "of at least", "at_most": "of at most"}
                return f"{verb} {label} {words[part]} {limit:,}"
            case "since" | "before":
                return f"{verb} {label} {part} {limit}"
        return f"{verb} {label} in the {'last' if part == 'within_days' else 'next'} {days(limit)}"


def _comparison(value: Value) -> list[tuple[str, Any]]:
    return [(part, limit) for part, limit in value.items() if part != "key"]


def _comparison_of(part: str, limit: Any, terms: Terms) -> Q:
    """Return the condition on the row of a value."""
    match part:
        case "is":
            return Q(text_key__in=[text_key(text) for text in limit])
        case "begins_with":
            return begins_with("text_key", text_key(limit))
        case "equals":
            return Q(number=limit)
        case "at_least":
            return Q(number__gte=limit)
        case "at_most":
            return Q(number__lte=limit)
        case "since":
            return Q(date__gte=limit)
        case "before":
            return Q(date__lt=limit)
        case "within_days":
            return Q(date__gt=terms.days_from_today(-limit), date__lte=terms.today)
        case "next_days":
            return Q(date__gte=terms.today, date__lt=terms.days_from_today(limit))
    return Q(yes=limit)
