"""Pairs of contacts that have a number, an email address, or a name and address in common."""

from collections import defaultdict
from datetime import datetime

from django.db import connection

PHONE, EMAIL, NAME_ADDRESS = "phone", "email", "name_address"
NEIGHBOURS = 3  # of a group of equal contacts each is compared with the three before it: an office may have hundreds

# The company's numbers have one owner each, but another program may have written a contact's main number alone.
_PHONES = """
SELECT CASE WHEN contacts.id < phones.contact_id THEN contacts.id ELSE phones.contact_id END,
    CASE WHEN contacts.id < phones.contact_id THEN phones.contact_id ELSE contacts.id END
FROM contacts
JOIN contact_phones phones ON phones.company_id = contacts.company_id AND phones.phone = contacts.phone
    AND phones.contact_id <> contacts.id
WHERE contacts.company_id = %s
"""
_GROUPS = """
SELECT {first}, id FROM (
    SELECT id, updated_at, {lags} FROM contacts WHERE company_id = %s AND {condition}
    WINDOW same AS (PARTITION BY {keys} ORDER BY id)
) grouped
WHERE {first} IS NOT NULL AND (updated_at >= %s OR {first_at} >= %s)
"""
_HOUSE_NUMBER = {
    "postgresql": "substring(address from '^ *([0-9]+)')",
    "sqlite": "nullif(CAST(address AS INTEGER), 0)",
}
_KEYS = {
    EMAIL: ("lower(email)", "email <> ''"),
    NAME_ADDRESS: (
        "lower(last_name), lower(substr(first_name, 1, 1)), lower(postal_code), {house}",
        "last_name <> '' AND postal_code <> '' AND {house} IS NOT NULL",
    ),
}
Pair = tuple[int, int]


def find_pairs(*, company_id: int, since: datetime) -> dict[Pair, set[str]]:
    """Return pairs of contacts of which one was changed since that time, each with what they have in common.

    The smaller id is the first. It reads all contacts of the company, once for each kind.
    """
    since_value = connection.ops.adapt_datetimefield_value(since)
    pairs: dict[Pair, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_PHONES, [company_id])
        for first, second in cursor.fetchall():
            pairs[first, second].add(PHONE)
        for reason in _KEYS:
            for distance in range(1, NEIGHBOURS + 1):
                cursor.execute(_statement(reason, distance), [company_id, since_value, since_value])
                for first, second in cursor.fetchall():
                    pairs[first, second].add(reason)
    return dict(pairs)


def _statement(reason: str, distance: int) -> str:
    house = _HOUSE_NUMBER[connection.vendor]
    keys, condition = (text.format(house=house) for text in _KEYS[reason])
    lags = f"lag(id, {distance}) OVER same AS first_id, lag(updated_at, {distance}) OVER same AS first_at"
    return _GROUPS.format(first="first_id", first_at="first_at", lags=lags, keys=keys, condition=condition)
