"""Models of companies, users, contacts and their records."""

from crm.models.activities import Activity, Conversation
from crm.models.api_tokens import ApiToken
from crm.models.archived_ids import ArchivedId
from crm.models.audit import AuditEntry, SuppressedNumber
from crm.models.background_tasks import BackgroundTask
from crm.models.calendar_feeds import CalendarFeed
from crm.models.campaign_counts import CampaignCount
from crm.models.campaigns import Campaign, CampaignMembership, CampaignStep
from crm.models.changes import Change
from crm.models.companies import Company, PhoneLine, User
from crm.models.consents import MarketingConsent
from crm.models.contact_fields import ContactField, ContactFieldValue
from crm.models.contact_lists import ContactList, ContactListEntry
from crm.models.contacts import Contact, ContactFlag, ContactPhone
from crm.models.duplicates import DuplicateCandidate
from crm.models.heartbeats import WorkerHeartbeat
from crm.models.idempotency import IdempotencyKey
from crm.models.imports import Import, ImportRow
from crm.models.invoices import Invoice
from crm.models.key_fingerprints import KeyFingerprint
from crm.models.leads import Lead
from crm.models.mails import Mail
from crm.models.merges import ContactMerge
from crm.models.opt_outs import OptOut, OptOutEntry
from crm.models.outgoing_webhooks import OutgoingEvent, OutgoingWebhook
from crm.models.saved_views import SavedView
from crm.models.search_keys import ContactSearchKey
from crm.models.second_factors import SecondFactor
from crm.models.segments import Segment
from crm.models.stored_files import StoredFile, StoredFileChunk, StoredObject
from crm.models.tags import ContactTag, Tag
from crm.models.user_sessions import UserSession

__all__ = [
    "Activity",
    "ApiToken",
    "ArchivedId",
    "AuditEntry",
    "BackgroundTask",
    "CalendarFeed",
    "Campaign",
    "CampaignCount",
    "CampaignMembership",
    "CampaignStep",
    "Change",
    "Company",
    "Contact",
    "ContactField",
    "ContactFieldValue",
    "ContactFlag",
    "ContactList",
    "ContactListEntry",
    "ContactMerge",
    "ContactPhone",
    "ContactSearchKey",
    "ContactTag",
    "Conversation",
    "DuplicateCandidate",
    "IdempotencyKey",
    "Import",
    "ImportRow",
    "Invoice",
    "KeyFingerprint",
    "Lead",
    "Mail",
    "MarketingConsent",
    "OptOut",
    "OptOutEntry",
    "OutgoingEvent",
    "OutgoingWebhook",
    "PhoneLine",
    "SavedView",
    "SecondFactor",
    "Segment",
    "StoredFile",
    "StoredFileChunk",
    "StoredObject",
    "SuppressedNumber",
    "Tag",
    "User",
    "UserSession",
    "WorkerHeartbeat",
]
