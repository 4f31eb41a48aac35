"""Models of call analyses, rollups and archives."""

from analytics.models.analyses import CallAnalysis
from analytics.models.archives import ArchivedCalls, ArchivedChunk, ArchivedObjections
from analytics.models.objections import CallObjection
from analytics.models.rollups import CallDay, CallRollup, LeadDay, ObjectionDay, StaleCallHour

__all__ = [
    "ArchivedCalls",
    "ArchivedChunk",
    "ArchivedObjections",
    "CallAnalysis",
    "CallDay",
    "CallObjection",
    "CallRollup",
    "LeadDay",
    "ObjectionDay",
    "StaleCallHour",
]
