"""Two contacts who are the same person, and all rows of a company as a test compares them."""

from datetime import UTC, datetime, timedelta

from django.apps import apps
from django.db import connection

from crm.db.tenancy import all_tenants
from crm.services.contacts import get_or_create_contact
from crm.services.merging.journal import references_to
from tests import factories

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
# They say what happened, and grow with it.
LOGS = {"audit_entries", "changes", "merges"}
STAMPS = {"updated_at"}


def minutes(n):
    return NOON + timedelta(minutes=n)


def read_tables(company):
    """Return the company's rows of every table, by table and id, without logs and times of writing."""
    tables = {}
    with all_tenants(), connection.cursor() as cursor:
        for model in apps.get_models():
            columns = {field.column for field in model._meta.concrete_fields}
            key = next((name for name in ("company_id", "tenant_id") if name in columns), None)
            if model._meta.db_table in LOGS or key is None:
                continue
            cursor.execute(f"SELECT * FROM {model._meta.db_table} WHERE {key} = %s", [company.pk])
            names = (
                [column.name for column in cursor.description]
                if connection.vendor == "postgresql"
                else [column[0] for column in cursor.description]
            )
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            if model._meta.db_table in ("campaign_counts",):
                rows = summed(rows)
            if model._meta.db_table == "contact_search_keys":  # made anew, with other ids
                rows = [{"id": (row["contact_id"], row["key"])} for row in rows]
            tables[model._meta.db_table] = {
                row.get("id", position): {name: value for name, value in row.items() if name not in STAMPS}
                for position, row in enumerate(rows)
            }
    return tables


def summed(rows):
    """Return counts as readers see them: differences added up."""
    sums = {}
    for row in rows:
        key = tuple((name, str(row[name])) for name in ("campaign_id", "step", "variant", "status", "booked", "hour"))
        members, segments = sums.get(key, (0, 0))
        sums[key] = (members + row["members"], segments + row["sms_segments"])
    return [{"id": key, "sum": total} for key, total in sorted(sums.items()) if total != (0, 0)]


def differences(before, after):
    """Return the rows that differ, by table."""
    found = {}
    for table in before.keys() | after.keys():
        old, new = before.get(table, {}), after.get(table, {})
        changed = {pk: (old.get(pk), new.get(pk)) for pk in old.keys() | new.keys() if old.get(pk) != new.get(pk)}
        if changed:
            found[table] = changed
    return found


def rows_of_contact(contact):
    """Return the number of rows that refer to a contact, by table."""
    with all_tenants():
        counts = {
            relation.related_model._meta.db_table: relation.related_model._base_manager.filter(
                **{relation.field.name: contact}
            ).count()
            for relation in references_to(type(contact))
        }
    return {table: count for table, count in counts.items() if count}


def add_history(contact, line, *, at=0):
    """Give a contact a row in every table that refers to contacts, with the line's conversation."""
    conversation = factories.ConversationFactory(
        contact=contact, phone_line=line, last_activity_at=minutes(at), created_at=minutes(at)
    )
    of_contact = {"contact": contact, "created_at": minutes(at)}
    lead = factories.LeadFactory(**of_contact)
    on_line = {"conversation": conversation, "direction": "incoming", **of_contact}
    call = factories.CallFactory(
        lead=lead, phone_line=line, from_number=contact.phone, to_number=line.number,
        activity=factories.ActivityFactory(activity_type="call", **on_line), **of_contact,
    )  # fmt: skip
    text = factories.ActivityFactory(activity_type="message", body="Hello", **on_line)
    factories.MessageFactory(
        activity=text, phone_line=line, from_number=contact.phone, to_numbers=[line.number], **of_contact
    )
    factories.ActivityFactory(activity_type="note", body="Has a dog.", **of_contact)
    start = minutes(at + 24 * 60)
    appointment = factories.AppointmentFactory(
        call=call, lead=lead, contact=contact, scheduled_start=start, scheduled_end=start + timedelta(hours=1)
    )
    factories.AppointmentReminderFactory(appointment=appointment)
    factories.AppointmentProposalFactory(appointment=appointment)
    factories.InvoiceFactory(**of_contact)
    factories.ContactFlagFactory(flag_type="office_number", **of_contact)
    factories.ContactFlagFactory(flag_type="do_not_contact", **of_contact)
    return conversation


def contact_of(company, phone, **names):
    contact = get_or_create_contact(company_id=company.pk, phone=phone)
    for name, value in names.items():
        setattr(contact, name, value)
    contact.save()
    return contact


__all__ = ["add_history", "contact_of", "differences", "minutes", "read_tables", "rows_of_contact"]
