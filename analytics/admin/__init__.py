"""Admin of this app's models, and of contacts, whose page shows their timeline."""

from analytics.admin import analyses, contacts

__all__ = ["analyses", "contacts"]
