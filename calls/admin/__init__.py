"""Admin of this app's models."""

from calls.admin import appointments, calls, tasks

__all__ = ["appointments", "calls", "tasks"]
