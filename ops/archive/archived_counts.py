"""Dashboard counts of archived calls, kept by quarter of an hour."""

from collections.abc import Sequence

from django.db import connection

from analytics.rollups.measures import MEASURES, quarter_hour_of
from crm.db.tenancy import current_company_id

OBJECTIONS = """
    SELECT company_id, {quarter_hour} AS quarter_hour, label, count(*) AS calls FROM call_objections
    WHERE company_id = %s AND call_id IN ({ids}) GROUP BY 1, 2, 3
    UNION ALL
    SELECT company_id, {quarter_hour}, '', count(DISTINCT call_id) FROM call_objections
    WHERE company_id = %s AND call_id IN ({ids}) GROUP BY 1, 2
"""
CALLS = """
    SELECT company_id, {quarter_hour} AS quarter_hour, {measures} FROM calls AS item
    WHERE company_id = %s AND id IN ({ids}) GROUP BY 1, 2
"""
ADD = """
    INSERT INTO {table} ({key}, {columns}) SELECT * FROM ({counted}) AS counted WHERE true
    ON CONFLICT ({key}) DO UPDATE SET {sums}
"""
SUBTRACT = """
    UPDATE {table} AS kept SET {differences} FROM ({counted}) AS counted WHERE {same}
"""


def add_archived_counts(calls: Sequence[int]) -> None:
    """Add the counts of these calls of the active tenant. Call it in the transaction that deletes them."""
    for table, key, columns, counted, parameters in _count(calls):
        sums = ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                ADD.format(table=table, key=", ".join(key), columns=", ".join(columns), counted=counted, sums=sums),
                parameters,
            )


def subtract_archived_counts(calls: Sequence[int]) -> None:
    """Subtract the counts of restored calls. Call it in the transaction that inserts them, with their analyses."""
    for table, key, columns, counted, parameters in _count(calls):
        differences = ", ".join(f"{column} = kept.{column} - counted.{column}" for column in columns)
        same = " AND ".join(f"kept.{column} = counted.{column}" for column in key)
        with connection.cursor() as cursor:
            cursor.execute(
                SUBTRACT.format(table=table, differences=differences, counted=counted, same=same), parameters
            )
            cursor.execute(
                f"DELETE FROM {table} WHERE company_id = %s AND {columns[0]} = 0",  # noqa: S608  # constants
                [current_company_id()],
            )


def _count(calls: Sequence[int]) -> list[tuple[str, list[str], list[str], str, list[int]]]:
    """Return, for each table of counts: its name, key, columns, and the counting statement with its parameters."""
    if not calls:
        return []
    ids, measures = ", ".join(["%s"] * len(calls)), ", ".join(f"{sql} AS {name}" for name, sql in MEASURES.items())
    parameters = [current_company_id(), *calls]
    return [
        (
            "archived_calls", ["company_id", "quarter_hour"], list(MEASURES),
            CALLS.format(quarter_hour=quarter_hour_of("created_at"), measures=measures, ids=ids), parameters,
        ),
        (
            "archived_objections", ["company_id", "quarter_hour", "label"], ["calls"],
            OBJECTIONS.format(quarter_hour=quarter_hour_of("analyzed_at"), ids=ids), parameters * 2,
        ),
    ]  # fmt: skip
