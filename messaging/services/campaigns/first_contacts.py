"""First contacts: contacts whom the company has never texted."""

from typing import Any

from django.db.models import Exists, OuterRef

from crm.choices import Direction
from messaging.models import Message
from messaging.services.outbound.recipient_facts import POSSIBLY_SENT


def is_first_contact(contact: str) -> Any:
    """Return whether no message may have left for the contact, as an expression. `contact` is the column of its id."""
    messages = Message.objects.filter(contact=OuterRef(contact))
    return ~Exists(messages.filter(direction=Direction.OUTGOING, status__in=POSSIBLY_SENT))
