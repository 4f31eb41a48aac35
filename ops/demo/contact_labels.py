"""Tags, custom fields, static lists and snippets of a company, and the contacts that have them."""

import json
from datetime import date, timedelta

from crm.choices import FieldType
from crm.contact_labels import label_key, text_key
from crm.models.contact_fields import COLUMNS
from ops.demo import phrases
from ops.demo.bulk_writer import Value
from ops.demo.calendar import HOUR, stamp
from ops.demo.company_setup import CompanySetup

# Share of the contacts that have the tag: one in so many.
TAGS = {"VIP": 20, "Storm damage": 7, "Referral": 5, "Maintenance plan": 4, "HOA": 15}
ROOFS = ["Asphalt shingle", "Metal", "Tile", "Flat"]
# Key, label, type and options.
FIELDS: tuple[tuple[str, str, FieldType, list[str]], ...] = (
    ("roof_type", "Roof type", FieldType.CHOICE, ROOFS),
    ("roof_age", "Roof age (years)", FieldType.NUMBER, []),
    ("warranty_until", "Warranty until", FieldType.DATE, []),
    ("financed", "Financed", FieldType.YES_NO, []),
    ("alarm_code", "Alarm code", FieldType.TEXT, []),
)
LISTS = {"Spring mailing": 3, "Home show": 8}


def add_labels(setup: CompanySetup) -> None:
    """Add labels and snippets on the first day, and the labels of each contact in the evening of its first day."""
    tables, start = setup.tables, stamp(setup.calendar.start)
    tags = {
        tables["tags"].add(company=setup.company, name=name, name_key=label_key(name), created_at=start): every
        for name, every in TAGS.items()
    }
    fields = [
        tables["contact_fields"].add(
            company=setup.company, key=key, label=label, field_type=field_type, options=json.dumps(options),
            position=position, created_at=start,
        )
        for position, (key, label, field_type, options) in enumerate(FIELDS)
    ]  # fmt: skip
    lists = {
        tables["contact_lists"].add(
            company=setup.company, name=name, created_by=setup.manager, created_at=start, entries_changed_at=start
        ): every
        for name, every in LISTS.items()
    }
    for shortcut, body in phrases.SNIPPETS.items():
        tables["snippets"].add(
            company=setup.company, shortcut=shortcut, body=body, created_by=setup.manager, created_at=start
        )
    first = setup.random.randrange(1000)
    for contact in range(setup.contacts):
        about = setup.about(contact, setup.calendar.midnights[setup.first_day_of(contact)] + 20 * HOUR)
        position = first + contact
        for n, (tag, every) in enumerate(tags.items()):
            if position % every == n % every:
                tables["contact_tags"].add(**about, tag=tag, created_by=setup.manager)
        for n, (contact_list, every) in enumerate(lists.items()):
            if position % every == n:
                tables["contact_list_entries"].add(**about, list=contact_list)
        for field, (_, _, field_type, _) in zip(fields, FIELDS, strict=True):
            value = _value_of(position, field_type)
            if value is not None:
                columns: dict[str, Value] = {COLUMNS[field_type]: value}
                if isinstance(value, str) and COLUMNS[field_type] == "text":
                    columns["text_key"] = text_key(value)
                tables["contact_field_values"].add(**about, field=field, field_type=field_type, **columns)
        tables.write_when_full()


def _value_of(position: int, field_type: FieldType) -> Value:
    """Return a contact's value, the same each time; None for the third of the contacts of whom less is known."""
    if position % 3 == 2:
        return None
    match field_type:
        case FieldType.CHOICE:
            return ROOFS[position % 7 % len(ROOFS)]
        case FieldType.NUMBER:
            return str(position * 7 % 35 + 1)
        case FieldType.DATE:
            return str(date(2027, 1, 1) + timedelta(days=position * 37 % 3000)) if position % 4 == 0 else None
        case FieldType.YES_NO:
            return position % 5 == 0
        case FieldType.TEXT:
            return f"#{position * 31 % 9000 + 1000}" if position % 9 == 0 else None
