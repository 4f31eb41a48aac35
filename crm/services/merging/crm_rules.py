"""Rules of this app's models."""

from crm.models import (
    Activity,
    CampaignMembership,
    ContactFieldValue,
    ContactFlag,
    ContactListEntry,
    ContactMerge,
    ContactPhone,
    ContactSearchKey,
    ContactTag,
    Conversation,
    DuplicateCandidate,
    Invoice,
    Lead,
)
from crm.services.merging.campaigns import JoinMemberships
from crm.services.merging.conversations import JoinConversations
from crm.services.merging.duplicates import FollowMerge
from crm.services.merging.field_values import JoinFieldValues
from crm.services.merging.rules import DeleteDerived, EndSecond, Move, MoveOthers, register


def register_rules() -> None:
    register(ContactPhone, Move())  # opt-outs, consents and stored hashes belong to the number
    register(ContactSearchKey, DeleteDerived())
    register(ContactFlag, EndSecond(by=("flag_type",), ends="expires_at"))
    register(ContactTag, MoveOthers(by=("tag",)))
    register(ContactFieldValue, JoinFieldValues(by=("field",)))
    register(ContactListEntry, MoveOthers(by=("list",)))
    register(Lead, Move())
    register(Invoice, Move())
    register(ContactMerge, Move("kept"))
    register(DuplicateCandidate, FollowMerge())
    register(Activity, Move())
    register(CampaignMembership, JoinMemberships(), late=True)
    register(Conversation, JoinConversations(), late=True)
