"""Admin of this app's models, of campaigns, conversations and segments."""

from messaging.admin import campaigns, conversations, messages, reminders, segments

__all__ = ["campaigns", "conversations", "messages", "reminders", "segments"]
