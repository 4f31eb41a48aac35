"""Admin of this app's models, and of contacts, calls and leads, whose pages show rows or numbers of several apps."""

from analytics.admin import analyses, calls, contacts, leads

__all__ = ["analyses", "calls", "contacts", "leads"]
