"""Skip-trace lists: the numbers of a property's owner, with their types and do-not-call marks."""

import re

from crm.services.imports.reading.mapping import CustomField
from crm.services.imports.reading.presets.preset import Preset


def _knows(keys: frozenset[str]) -> bool:
    return "phone 1" in keys and not keys.isdisjoint({"phone 1 type", "phone 1 dnc"})


SKIP_TRACE = Preset(
    name="skip_trace",
    label="Skip-trace list",
    knows=_knows,
    targets={
        "owner 1 first name": "first_name",
        "owner 1 last name": "last_name",
        "first name": "first_name",
        "last name": "last_name",
        "owner name": "full_name",
        "address": "address",
        "street address": "address",
        "property address": "address",
        "unit": "address:2",
        "unit #": "address:2",
        "city": "city",
        "property city": "city",
        "state": "state",
        "property state": "state",
        "zip": "postal_code",
        "property zip": "postal_code",
        "email": "email",
        "owner 1 email": "email",
    },
    patterns=(
        (re.compile(r"phone (\d+)"), r"phone:\1"),
        (re.compile(r"phone (\d+) type"), r"phone_type:\1"),
        (re.compile(r"phone (\d+) dnc"), r"phone_dnc:\1"),
        (re.compile(r"phone (\d+) status"), r"phone_status:\1"),
        (re.compile(r"email ?(\d+)"), r"email:\1"),
    ),
    fields={
        "mailing address": ("mail_address", CustomField("Mail address")),
        "mailing unit": ("mail_unit", CustomField("Mail unit")),
        "mailing unit #": ("mail_unit", CustomField("Mail unit")),
        "mailing city": ("mail_city", CustomField("Mail city")),
        "mailing state": ("mail_state", CustomField("Mail state")),
        "mailing zip": ("mail_zip", CustomField("Mail ZIP")),
        "apn": ("apn", CustomField("APN")),
        "owner 2 first name": ("second_owner_first_name", CustomField("Second owner, first name")),
        "owner 2 last name": ("second_owner_last_name", CustomField("Second owner, last name")),
    },
    fixes_capitals=True,
)
