"""Admin of this app's models."""

from calls.admin import appointments, calls, missed_callers, proposals, tasks, time_off

__all__ = ["appointments", "calls", "missed_callers", "proposals", "tasks", "time_off"]
