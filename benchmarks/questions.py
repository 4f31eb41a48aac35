"""Documented indexes, their questions, and their documented effect."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.sample import Sample
from tests.plans.conftest import indexes_chosen
from tests.plans.questions import QUESTIONS


class Documented(NamedTuple):
    """The second document's promise for an index: (lowest, highest) speedup, and bytes per row."""

    speedup: tuple[int, int]
    row_bytes: tuple[int, int]


EXPECTED = {
    "ix_appointments_company_id_scheduled_start": Documented((10, 100), (8, 16)),
    "ix_calls_company_id_created_at": Documented((50, 500), (12, 20)),
    "ix_calls_company_id_status": Documented((10, 50), (12, 16)),
    "ix_calls_assigned_rep_id_created_at": Documented((20, 100), (12, 20)),
    "ix_calls_company_id_booked": Documented((10, 50), (9, 13)),
    "ix_message_threads_contact_card_id_created_at": Documented((50, 500), (12, 20)),
    "ix_call_analysis_tenant_id_analyzed_at": Documented((10, 100), (12, 20)),
}
WITHOUT_FIGURES = {"ix_appointments_scheduled_start", "ix_calls_company_id", "ix_calls_created_at"}
DOCUMENTED = [name for name in QUESTIONS if name.startswith("idx_") or name in {*EXPECTED, *WITHOUT_FIGURES}]


def question(index: str, sample: Sample) -> Callable[[], object]:
    """Return a function that asks the question of an index, inside the tenant."""
    return lambda: QUESTIONS[index](sample)


def answered_through(index: str, sample: Sample) -> list[str]:
    """Return the indexes that the planner uses for the question of `index`, that one first."""
    return sorted(indexes_chosen(question(index, sample)), key=lambda name: (name != index, name))
