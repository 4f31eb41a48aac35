"""Constraints that several apps declare."""

from functools import reduce
from operator import and_

from django.db import models
from django.db.models import Q

from crm.date_ranges import FIRST_DAY, LAST_DAY
from crm.instants import FIRST_INSTANT, LAST_INSTANT


def one_of(field: str, choices: type[models.TextChoices], *, name: str) -> models.CheckConstraint:
    """Return a CHECK that `field` holds one of `choices`; bulk writes and other programs skip Django's validation."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": choices.values}),
        name=name,
        violation_error_message=f"{field} must be one of: {', '.join(choices.values)}.",
    )


def in_range(*fields: str, nullable: tuple[str, ...] = (), name: str) -> models.CheckConstraint:
    """Return a CHECK that times are within the product's range: any other would overflow in some time zone."""
    ranges = [Q(**{f"{field}__range": (FIRST_INSTANT, LAST_INSTANT)}) for field in fields]
    ranges += [
        Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__range": (FIRST_INSTANT, LAST_INSTANT)}) for field in nullable
    ]
    return models.CheckConstraint(
        condition=reduce(and_, ranges),
        name=name,
        violation_error_message=f"{', '.join([*fields, *nullable])} must be from {FIRST_DAY} to {LAST_DAY}.",
    )
