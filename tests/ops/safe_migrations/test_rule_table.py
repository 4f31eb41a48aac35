"""Tests of the rules of other tools: the verdict on an example of each, and the page that lists them."""

from pathlib import Path

import pytest
from django.db.migrations.loader import MigrationLoader

from tests.ops.safe_migrations.rule_table import (
    ALLOWED,
    SQUAWK,
    STRONG_MIGRATIONS,
    rule_table,
    verdict_of,
    violations_of,
)

ROWS = SQUAWK + STRONG_MIGRATIONS


@pytest.fixture(scope="module")
def models():
    """The models' state with their classes, made once for all tests."""
    state = MigrationLoader(None).project_state()
    state.apps  # noqa: B018  # makes the classes
    return state


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule}: {row.example}")
def test_rule_of_another_tool_has_its_verdict(models, row):
    assert verdict_of(violations_of(row, models)) == row.verdict
    assert (row.reason != "") == (row.verdict == ALLOWED)


@pytest.mark.slow
def test_page_lists_the_verdicts(models):
    assert Path("docs/migration-rules.md").read_text() == rule_table(models)
