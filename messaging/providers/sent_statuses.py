"""How far a text of ours is, in a provider's word: OpenPhone's and Twilio's are the same list."""

from messaging.choices import MessageStatus
from messaging.providers.twilio.webhook import STATUSES


def status_of_sent(word: object) -> MessageStatus:
    """Of a text that the provider has. A word that is new to us says at least that."""
    status = STATUSES.get(str(word).lower(), MessageStatus.SENT)
    # A documented answer calls a text of ours "received": by the provider.
    return MessageStatus.SENT if status == MessageStatus.RECEIVED else status
