"""Admin of this app's models, and of campaigns."""

from messaging.admin import campaigns, messages

__all__ = ["campaigns", "messages"]
