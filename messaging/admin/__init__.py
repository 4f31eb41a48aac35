"""Admin of this app's models, of campaigns and of segments."""

from messaging.admin import campaigns, messages, reminders, segments

__all__ = ["campaigns", "messages", "reminders", "segments"]
