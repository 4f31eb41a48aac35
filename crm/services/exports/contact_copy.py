"""Contacts as CSV from PostgreSQL's COPY, 50,000 and more in a second.

Each page is a COPY of its own, in a transaction of its own with the company active: a slow client holds no transaction
open. It begins after the last contact of the page before, as the pages of the API's lists do. The cells are those that
`crm.services.exports.cells` makes, written in SQL.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from crm.choices import FieldType
from crm.db.tenancy import tenant
from crm.models import Contact, ContactField
from crm.services.exports.cells import APOSTROPHE
from crm.services.exports.headers import HEADERS, JOINED

PAGE = 20_000  # contacts, some 4 MB
DATE, TIME = "YYYY-MM-DD", 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM'
FORMULA = ", ".join(str(ord(character)) for character in "=+-@\t\r")

# Ids of one page, in the order of the list.
RowsAfter = Callable[[list[Any] | None], QuerySet[Contact]]


def copy_contacts(
    rows_after: RowsAfter, *, company_id: int, fields: Sequence[ContactField], zone: str, descending: bool
) -> Iterator[tuple[bytes, int]]:
    """Yield the contacts as CSV without a header, each piece with its number of contacts.

    Args:
        rows_after: returns the contacts after a position, which is the time and the id of the last one.
    """
    position: list[Any] | None = None
    while True:
        with tenant(company_id, more={"jit": "off", "TimeZone": zone}), connection.cursor() as cursor:
            try:
                sql, params = rows_after(position)[:PAGE].values_list("created_at", "pk").query.sql_with_params()
            except EmptyResultSet:  # Django knows that nothing matches
                return
            statement = cursor.mogrify(copy_statement(sql, company_id, fields, descending), params)
            page = io.BytesIO()
            cursor.copy_expert(statement, page)
            number = cursor.rowcount
            cursor.execute("SET LOCAL TimeZone TO 'UTC'")  # as Django reads its times
            if number == PAGE:
                last = int(page.getvalue().rstrip(b"\n").rpartition(b",")[2])  # the last column is the id
                position = [Contact.objects.values_list("created_at", flat=True).get(pk=last), last]
        if number:
            yield page.getvalue(), number
        if number < PAGE:
            return


def copy_statement(chosen: str, company_id: int, fields: Sequence[ContactField], descending: bool) -> str:
    """Return the COPY of the contacts that the query `chosen` finds, by time and id.

    What belongs to a contact is looked up contact by contact, in the indexes that begin with the contact. Read together
    for a page, it would be joined by plans for the few groups that PostgreSQL expects: ten times as slow.
    """
    own = f"company_id = {company_id} AND contact_id = contact.id"
    direction = "DESC" if descending else "ASC"
    columns = [
        *(_defused(f"contact.{name}") for name in ("first_name", "last_name", "phone")),
        _defused("phones.others"),
        *(_defused(f"contact.{name}") for name in HEADERS if name not in ("first_name", "last_name", "phone")),
        _defused("tags.names"),
        *(f"field_values.field_{field.pk}" for field in fields),
        "flags.types",
        f"to_char(contact.created_at, '{TIME}')",  # in the session's zone
        "contact.id",
    ]
    values = f"""
        CROSS JOIN LATERAL (
            SELECT {", ".join(_pivot(field) for field in fields)} FROM contact_field_values WHERE {own}
        ) AS field_values
    """  # noqa: S608  # ids and names of columns
    return f"""
        COPY (
            WITH chosen (created_at, id) AS MATERIALIZED ({chosen})
            SELECT {", ".join(columns)}
            FROM chosen JOIN contacts AS contact ON contact.id = chosen.id AND contact.company_id = {company_id}
            CROSS JOIN LATERAL (
                SELECT string_agg(phone, '{JOINED}' ORDER BY id) AS others
                FROM contact_phones WHERE {own} AND phone <> contact.phone
            ) AS phones
            CROSS JOIN LATERAL (
                SELECT string_agg(tags.name, '{JOINED}' ORDER BY tags.name_key) AS names
                FROM contact_tags JOIN tags ON tags.id = contact_tags.tag_id
                WHERE contact_tags.company_id = {company_id} AND contact_tags.contact_id = contact.id
            ) AS tags
            CROSS JOIN LATERAL (
                SELECT string_agg(DISTINCT flag_type, '{JOINED}' ORDER BY flag_type) AS types
                FROM contact_flags WHERE {own} AND (expires_at IS NULL OR expires_at > now())
            ) AS flags
            {values if fields else ""}
            ORDER BY chosen.created_at {direction}, chosen.id {direction}
        ) TO STDOUT (FORMAT csv)
    """  # noqa: S608  # ids, names of columns, and Django's own SQL with placeholders


def _pivot(field: ContactField) -> str:
    """Return the column of a field's values, of which a contact has one at most."""
    column = {
        # Not 1e-05, which no import would read.
        FieldType.NUMBER: "CASE WHEN abs(number) < 0.001 THEN number::numeric::text ELSE number::text END",
        FieldType.DATE: f"to_char(date, '{DATE}')",
        FieldType.YES_NO: "CASE WHEN yes THEN 'yes' ELSE 'no' END",
    }.get(FieldType(field.field_type), _defused("text"))
    return f"max({column}) FILTER (WHERE field_id = {field.pk}) AS field_{field.pk}"


def _defused(column: str) -> str:
    """Return SQL for `defuse`."""
    is_formula = f"ascii({column}) IN ({FORMULA}) AND {column} !~ '^[+-]?[0-9]+(\\.[0-9]+)?$'"
    return f"CASE WHEN {is_formula} THEN '{APOSTROPHE * 2}' || {column} ELSE {column} END"
