"""Lists of PropertyRadar: owners of properties, up to two people a row, in capital letters."""

import re

from crm.services.imports.reading.mapping import CustomField
from crm.services.imports.reading.presets.preset import Preset

_PERSON_FIELDS = {
    "name": "full_name",
    "first name": "first_name",
    "last name": "last_name",
}
_PERSON_PATTERNS = (
    (r"mobile phone ?(\d+)", r"phone:\1"),
    (r"mobile (\d+) status", r"phone_status:\1"),
    (r"phone ?(\d+)", r"phone:\1"),
    (r"phone ?(\d+) status", r"phone_status:\1"),
    (r"phone ?(\d+) type", r"phone_type:\1"),
    (r"email ?(\d+)", r"email:\1"),
    (r"email ?(\d+) status", r"email_status:\1"),
)
_PEOPLE = (("primary", 1), ("secondary", 2))

# Facts of the property, by the key of the column: key, label and type of the custom field.
_FACTS = {
    "type": ("property_type", "Property type", "text"),
    "subdivision": ("subdivision", "Subdivision", "text"),
    "longitude": ("longitude", "Longitude", "number"),
    "latitude": ("latitude", "Latitude", "number"),
    "apn": ("apn", "APN", "text"),
    "yr built": ("year_built", "Year built", "number"),
    "purchase date": ("purchase_date", "Purchase date", "date"),
    "purchase mos since": ("months_since_purchase", "Months since purchase", "number"),
    "purchase amt": ("purchase_amount", "Purchase amount", "number"),
    "sq ft": ("square_feet", "Square feet", "number"),
    "beds": ("beds", "Beds", "number"),
    "baths": ("baths", "Baths", "number"),
    "est value": ("estimated_value", "Estimated value", "number"),
    "est value $": ("estimated_value", "Estimated value", "number"),
    "est equity": ("estimated_equity", "Estimated equity", "number"),
    "est equity $": ("estimated_equity", "Estimated equity", "number"),
    "est equity %": ("estimated_equity_percent", "Estimated equity, percent", "number"),
    "est open loans $": ("open_loans", "Estimated open loans", "number"),
    "owner": ("property_owner", "Owner on record", "text"),
    "mail address": ("mail_address", "Mail address", "text"),
    "mail city": ("mail_city", "Mail city", "text"),
    "mail state": ("mail_state", "Mail state", "text"),
    "mail zip": ("mail_zip", "Mail ZIP", "text"),
    "owner occ": ("owner_occupied", "Owner occupied", "yes_no"),
    "listed for sale": ("listed_for_sale", "Listed for sale", "yes_no"),
    "listing status": ("listing_status", "Listing status", "text"),
    "foreclosure": ("foreclosure", "Foreclosure", "yes_no"),
    "fcl stage": ("foreclosure_stage", "Foreclosure stage", "text"),
    "high equity": ("high_equity", "High equity", "yes_no"),
}


def _knows(keys: frozenset[str]) -> bool:
    """Return whether the first owner stands beside a fact of the property that other lists call otherwise."""
    return not keys.isdisjoint({"primary name", "primary first name"}) and not keys.isdisjoint(
        {"apn", "est equity", "est equity $", "est value", "owner occ", "purchase mos since", "yr built", "fcl stage"}
    )


PROPERTYRADAR = Preset(
    name="propertyradar",
    label="PropertyRadar",
    knows=_knows,
    # The property's state isn't among the columns: the one of the mail address may be another one.
    targets={
        "address": "address",
        "city": "city",
        "state": "state",
        "zip": "postal_code",
        **{f"{word} {key}": f"{target}@{person}" for word, person in _PEOPLE for key, target in _PERSON_FIELDS.items()},
    },
    patterns=tuple(
        (re.compile(f"{word} {pattern}"), f"{target}@{person}")
        for word, person in _PEOPLE
        for pattern, target in _PERSON_PATTERNS
    ),
    fields={column: (key, CustomField(label, type_)) for column, (key, label, type_) in _FACTS.items()},
    fixes_capitals=True,
)
