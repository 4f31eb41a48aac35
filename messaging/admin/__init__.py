"""Admin of this app's models, of attachments, campaigns, companies, conversations and segments."""

from messaging.admin import (
    appointment_page,
    attachments,
    campaigns,
    company_page,
    conversations,
    messages,
    reminders,
    segments,
    snippets,
)

__all__ = [
    "appointment_page", "attachments", "campaigns", "company_page", "conversations", "messages", "reminders",
    "segments", "snippets",
]  # fmt: skip
