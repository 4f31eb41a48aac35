"""Admin of this app's models, of campaigns, companies, conversations and segments."""

from messaging.admin import campaigns, company_page, conversations, messages, reminders, segments, snippets

__all__ = ["campaigns", "company_page", "conversations", "messages", "reminders", "segments", "snippets"]
