"""Faults of upkeep, questions and statements are found, and nothing else is."""

import pytest

from ops.index_health.report import run_checks
from tests.ops.index_health.test_faults import place, plant
from tests.ops.index_health.vacuum_faults import UPKEEP_FAULTS


def found():
    return {place(finding) for finding in run_checks(explain=True).unexpected}


def test_a_healthy_database_answers_every_question_through_its_index(planted):
    assert found() == set()


@pytest.mark.parametrize("fault", UPKEEP_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_and_nothing_else(planted, settings, fault):
    plant(fault, settings)
    assert found() == {fault.finds, *fault.also}
