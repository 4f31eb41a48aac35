"""Factories of analyses, daily totals and archives."""

from datetime import UTC, date, datetime, timedelta

import factory

from analytics.models import (
    ArchivedCalls,
    ArchivedChunk,
    ArchivedObjections,
    CallAnalysis,
    CallDay,
    CallObjection,
    CallRollup,
    LeadDay,
    ObjectionDay,
    StaleCallHour,
)
from tests.factories.people import OfCompanyFactory, RowFactory
from tests.factories.work import CallFactory


class CallAnalysisFactory(RowFactory):
    class Meta:
        model = CallAnalysis

    call = factory.SubFactory(CallFactory)
    company = factory.LazyAttribute(lambda analysis: analysis.call.company)
    objections = ["price"]


class CallDayFactory(OfCompanyFactory):
    class Meta:
        model = CallDay

    day = factory.Sequence(lambda n: date(2026, 3, 1) + timedelta(days=n))
    total = qualified = booked = qualified_booked = 0
    in_progress = missed = unbooked = awaiting_quote = still_deciding = purchased = lost = cancelled = lost_value = 0


class LeadDayFactory(OfCompanyFactory):
    class Meta:
        model = LeadDay

    day = factory.Sequence(lambda n: date(2026, 3, 1) + timedelta(days=n))
    source = "referral"
    leads = booked = won = lost = won_value = 0


class ObjectionDayFactory(OfCompanyFactory):
    class Meta:
        model = ObjectionDay

    day = factory.Sequence(lambda n: date(2026, 3, 1) + timedelta(days=n))
    label = "price"
    calls = calls_by_first_label = 0


class CallRollupFactory(OfCompanyFactory):
    class Meta:
        model = CallRollup


class StaleCallHourFactory(OfCompanyFactory):
    class Meta:
        model = StaleCallHour

    hour = datetime(2026, 3, 1, 12, tzinfo=UTC)


class CallObjectionFactory(RowFactory):
    class Meta:
        model = CallObjection

    call = factory.SubFactory(CallFactory)
    company = factory.LazyAttribute(lambda objection: objection.call.company)
    label = "price"
    analyzed_at = datetime(2026, 3, 1, 12, tzinfo=UTC)


class ArchivedCallsFactory(OfCompanyFactory):
    class Meta:
        model = ArchivedCalls

    quarter_hour = datetime(2024, 3, 1, 12, tzinfo=UTC)
    total = 1
    qualified = booked = qualified_booked = 0
    in_progress = missed = unbooked = awaiting_quote = still_deciding = purchased = lost = cancelled = lost_value = 0


class ArchivedObjectionsFactory(OfCompanyFactory):
    class Meta:
        model = ArchivedObjections

    quarter_hour = datetime(2024, 3, 1, 12, tzinfo=UTC)
    label = "price"
    calls = 1


class ArchivedChunkFactory(OfCompanyFactory):
    class Meta:
        model = ArchivedChunk

    folder = "/archive/acme/20260301T120000000000Z"
    archive = "20260301T120000000000Z"
    number = factory.Sequence(lambda n: n)
    bundle = "calls"
    cut_off = datetime(2024, 3, 1, 12, tzinfo=UTC)
    files = factory.LazyFunction(list)
