"""Tests on rows that are really committed, as archivers commit them."""

import pytest


@pytest.fixture(autouse=True)
def _committed(transactional_db):
    pass
