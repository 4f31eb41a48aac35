"""Errors of the database for refused writes."""

from contextlib import contextmanager

import pytest
from django.db import IntegrityError, transaction


@contextmanager
def refused(name):
    """The database refuses what is done inside, by a constraint of this name (SQLite tells a unique one's columns)."""
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        yield
