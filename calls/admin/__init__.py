"""Admin of this app's models."""

from calls.admin import appointments, calls

__all__ = ["appointments", "calls"]
