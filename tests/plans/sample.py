"""The company whose rows the index questions are about."""

from dataclasses import dataclass
from datetime import date, timedelta

from calls.models import Call
from crm.models import Campaign, Company, Contact, Conversation, User


@dataclass(frozen=True)
class Sample:
    """A company of middling size with some of its rows. `last_day` is the newest day with calls."""

    company: Company
    manager: User
    rep: User
    contact: Contact
    conversation: Conversation
    campaign: Campaign
    call: Call
    last_day: date

    @property
    def month(self) -> str:
        """The last 30 days as query parameters."""
        return f"start_date={self.last_day - timedelta(days=30)}&end_date={self.last_day}"
