"""Contacts of OpenPhone (Quo), in the columns of its upload and of its API."""

import re

from crm.services.imports.reading.mapping import CustomField
from crm.services.imports.reading.presets.preset import Preset


def _knows(keys: frozenset[str]) -> bool:
    upload = {"first name", "last name", "phone number"} <= keys and not keys.isdisjoint({"role", "company"})
    return upload or ({"firstname", "lastname"} <= keys and not keys.isdisjoint({"phonenumber", "phonenumbers"}))


OPENPHONE = Preset(
    name="openphone",
    label="OpenPhone / Quo",
    knows=_knows,
    targets={
        "first name": "first_name",
        "firstname": "first_name",
        "last name": "last_name",
        "lastname": "last_name",
        "phone number": "phone",
        "phonenumber": "phone",
        "phonenumbers": "phone",
        "email": "email",
        "emails": "email",
        "address": "address",
    },
    patterns=(
        (re.compile(r"phone number (\d+)"), r"phone:\1"),
        (re.compile(r"email (\d+)"), r"email:\1"),
    ),
    fields={"company": ("company", CustomField("Company")), "role": ("role", CustomField("Role"))},
)
