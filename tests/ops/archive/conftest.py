"""Committed rows, as archivers commit theirs."""

import pytest


@pytest.fixture(autouse=True)
def _committed(transactional_db):
    pass
