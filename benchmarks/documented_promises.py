"""The documented indexes, and the second document's promises for them and for the endpoints."""

from typing import NamedTuple

from benchmarks.endpoints import BOOKING, CALLS, METRICS, OBJECTIONS, THREAD
from tests.plans.questions import QUESTIONS


class Promise(NamedTuple):
    """The lowest and the highest speedup by indexes, and bytes per row (index) or milliseconds (endpoint)."""

    speedup: tuple[int, int]
    cost: tuple[int, int]


INDEXES = {
    "ix_appointments_company_id_scheduled_start": Promise((10, 100), (8, 16)),
    "ix_calls_company_id_created_at": Promise((50, 500), (12, 20)),
    "ix_calls_company_id_status": Promise((10, 50), (12, 16)),
    "ix_calls_assigned_rep_id_created_at": Promise((20, 100), (12, 20)),
    "ix_calls_company_id_booked": Promise((10, 50), (9, 13)),
    "ix_message_threads_contact_card_id_created_at": Promise((50, 500), (12, 20)),
    "ix_call_analysis_tenant_id_analyzed_at": Promise((10, 100), (12, 20)),
}
ENDPOINTS = {
    METRICS: Promise((5, 10), (50, 200)),
    BOOKING: Promise((5, 15), (100, 300)),
    CALLS: Promise((5, 20), (50, 200)),
    OBJECTIONS: Promise((5, 10), (50, 150)),
    THREAD: Promise((10, 40), (20, 50)),
}
WITHOUT_FIGURES = {"ix_appointments_scheduled_start", "ix_calls_company_id", "ix_calls_created_at"}
DOCUMENTED = [name for name in QUESTIONS if name.startswith("idx_") or name in {*INDEXES, *WITHOUT_FIGURES}]
