"""Lists with the usual names of columns."""

import re

from crm.services.imports.reading.presets.preset import Preset

# Names of columns by target, the likeliest first. Suggestions for other files compare with these, too.
SYNONYMS = {
    "first_name": ("first name", "firstname", "first", "given name", "fname", "owner first name"),
    "last_name": ("last name", "lastname", "last", "surname", "family name", "lname", "owner last name"),
    "full_name": (
        "full name", "name", "contact name", "customer name", "customer", "owner name", "contact", "client name",
    ),
    "phone": (
        "phone", "phone number", "mobile", "cell", "mobile phone", "cell phone", "telephone", "mobile number",
        "cell number", "primary phone", "phone 1", "phone number 1", "main phone", "tel", "phone primary",
    ),
    "phone:2": (
        "phone 2", "phone number 2", "other phone", "second phone", "secondary phone", "alternate phone", "home phone",
        "alt phone",
    ),
    "phone:3": ("phone 3", "phone number 3", "work phone", "business phone", "office phone"),
    "phone:4": ("phone 4", "phone number 4"),
    "phone:5": ("phone 5", "phone number 5"),
    "other_phones": ("other phones", "other numbers", "additional phones"),
    "email": ("email", "e mail", "email address", "e mail address", "mail", "primary email", "email 1"),
    "email:2": ("email 2", "secondary email", "other email"),
    "address": (
        "address", "street", "street address", "address 1", "address line 1", "property address", "service address",
        "location",
    ),
    "address:2": ("address 2", "address line 2", "unit", "unit #", "apt", "suite", "apartment"),
    "city": ("city", "town", "property city", "service city"),
    "state": ("state", "province", "region", "property state", "st"),
    "postal_code": ("postal code", "zip", "zip code", "zipcode", "postcode", "property zip", "post code"),
    "timezone": ("time zone", "timezone"),
    "tag": ("tags", "tag", "labels", "label", "groups"),
    "do_not_contact": ("do not contact", "dnc", "do not call", "do not text", "donotcontact"),
    "opted_out": ("opted out", "unsubscribed", "sms opt out", "opt out", "optout", "sms opted out"),
    "consent": ("consent", "sms consent", "opted in", "sms opt in", "marketing consent", "opt in"),
    "consent_date": ("consent date", "opt in date", "consent given", "consented at", "opted in at"),
    "consent_wording": ("consent wording", "consent text", "consent language"),
}  # fmt: skip
TARGETS = {name: target for target, names in SYNONYMS.items() for name in names}


def _knows(keys: frozenset[str]) -> bool:
    """Return whether there is a number beside a name or an email address."""
    targets = {TARGETS[key] for key in keys & TARGETS.keys()}
    return "phone" in targets and not targets.isdisjoint({"first_name", "last_name", "full_name", "email"})


PLAIN = Preset(
    name="plain",
    label="List with the usual columns",
    knows=_knows,
    targets=TARGETS,
    patterns=((re.compile(r"phone(?: number)? ?(\d{1,2})"), r"phone:\1"),),
)
