"""The headers of contacts in exported and imported files. Custom fields have their label as header."""

from crm.contact_labels import SEPARATOR, text_key

# By the column of the contact, in the order of an export.
HEADERS = {
    "first_name": "First name",
    "last_name": "Last name",
    "phone": "Phone",
    "email": "Email",
    "address": "Address",
    "city": "City",
    "state": "State",
    "postal_code": "Postal code",
    "timezone": "Time zone",
}
OTHER_PHONES, TAGS, FLAGS, CREATED_AT, ID = "Other phones", "Tags", "Flags", "Created", "ID"
JOINED = f"{SEPARATOR} "  # between several numbers, tags or flags of one contact

_RESERVED = {text_key(header) for header in (*HEADERS.values(), OTHER_PHONES, TAGS, FLAGS, CREATED_AT, ID)}


def is_reserved(label: str) -> bool:
    """Return whether a custom field can't have this label, because it is another column's header."""
    return text_key(label) in _RESERVED
