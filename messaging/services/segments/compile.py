"""Definitions as conditions on contacts."""

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import BooleanField, Q, QuerySet
from django.db.models import Value as Constant

from crm.models import Contact
from messaging.services.segments.nodes import NODES, Terms

Definition = Mapping[str, Any]

# What a group without conditions says of each contact. An empty Q says nothing instead: its negation would choose
# everybody, too, and beside it in “any of” only the others would count.
EVERYBODY = Q(Constant(True, output_field=BooleanField()))


def contacts_in(definition: Definition, *, company_id: int) -> QuerySet[Contact]:
    """Return the company's contacts that a valid definition chooses."""
    terms = Terms(company_id)
    return Contact.objects.filter(condition_of(definition, terms), company=company_id)


def exclusions_in(definition: Definition, *, company_id: int) -> QuerySet[Contact] | None:
    """Return the company's contacts that a valid definition leaves out. None if it does more than leave some out."""
    parts = _exclusions(definition)
    if parts is None:
        return None
    return contacts_in({"any": parts}, company_id=company_id) if parts else Contact.objects.none()


def _exclusions(definition: Definition) -> list[Definition] | None:
    [(name, value)] = definition.items()
    if name == "not":
        return [value]
    if name != "all":
        return None
    parts = [_exclusions(part) for part in value]
    return None if None in parts else [each for part in parts if part for each in part]


def condition_of(definition: Definition, terms: Terms) -> Q:
    """Return the condition on contacts that a part of a valid definition stands for."""
    [(name, value)] = definition.items()
    if name == "all":
        return reduce(and_, (condition_of(part, terms) for part in value)) if value else EVERYBODY
    if name == "any":
        return reduce(or_, (condition_of(part, terms) for part in value))
    if name == "not":
        return ~condition_of(value, terms)
    return NODES[name].condition(value, terms)
