"""Admin of this app's models, and of contacts and calls, whose pages show rows of several apps."""

from analytics.admin import analyses, calls, contacts

__all__ = ["analyses", "calls", "contacts"]
