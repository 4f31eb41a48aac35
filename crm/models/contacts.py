"""Customers: their card, every number of theirs, what must be remembered about them, what they wish to buy."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Reverse
from django.utils.timezone import now

from crm.choices import FlagType, LeadStatus, ReviewState
from crm.constraints import one_of
from crm.db.audit import Audit
from crm.db.indexes import HashIndex, Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.fields import SearchKeyField
from crm.models.companies import User, validate_timezone
from crm.phones import MAX_LENGTH
from crm.querysets import ContactFlagQuerySet, ContactPhoneQuerySet, ContactQuerySet, OfContactQuerySet


class Contact(TenantModel):
    """A customer card. `phone` is the main number, kept among the contact's `phones` as well."""

    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=MAX_LENGTH, help_text="The main number, E.164.")
    email = models.EmailField(blank=True)

    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=50, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    timezone = models.CharField(
        max_length=64, blank=True, validators=[validate_timezone], help_text="If known; else the number's or ours."
    )

    # What the search compares: folded by the database, so that no writer can forget it.
    first_name_key = models.GeneratedField(
        expression=Lower("first_name"), output_field=SearchKeyField(max_length=100), db_persist=True
    )
    last_name_key = models.GeneratedField(
        expression=Lower("last_name"), output_field=SearchKeyField(max_length=100), db_persist=True
    )
    email_key = models.GeneratedField(
        expression=Lower("email"), output_field=SearchKeyField(max_length=254), db_persist=True
    )

    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar = TenantManager.from_queryset(ContactQuerySet)()
    audit = Audit(skips=("updated_at",))

    class Meta:
        db_table = "contacts"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "phone"],
                name="contacts_company_id_phone_unique",
                violation_error_message="Another contact has this number.",
            ),
            models.CheckConstraint(
                condition=~Q(phone=""),
                name="contacts_phone_present",
                violation_error_message="A contact needs a phone number.",
            ),
        ]
        indexes = [
            HashIndex(
                fields=["phone"],
                name="idx_contact_phone_hash",
                question="Whose number is this, in any company?",
                asked_by="admin search over all companies",
            ),
            Index(
                fields=["first_name"],
                name="idx_contact_first_name",
                question="Who is called exactly this, in any company?",
                asked_by="admin search over all companies",
            ),
            Index(
                fields=["last_name"],
                name="idx_contact_last_name",
                question="Who has exactly this family name, in any company?",
                asked_by="admin search over all companies",
            ),
            Index(
                fields=["email"],
                name="idx_contact_email",
                question="Whose e-mail address is this, in any company?",
                asked_by="admin search over all companies",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_contacts_company_id_created_at",
                question="A company's contacts, newest first, from any page on?",
                asked_by="GET /api/v1/contacts",
            ),
            Index(
                fields=["company", "first_name_key"],
                name="ix_contacts_company_id_first_name_key",
                question="Whose first name begins like this?",
                asked_by="GET /api/v1/contacts?search=",
            ),
            Index(
                fields=["company", "last_name_key"],
                name="ix_contacts_company_id_last_name_key",
                question="Whose family name begins like this?",
                asked_by="GET /api/v1/contacts?search=",
            ),
            Index(
                fields=["company", "email_key"],
                name="ix_contacts_company_id_email_key",
                question="Whose e-mail address begins like this?",
                asked_by="GET /api/v1/contacts?search=",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.phone

    @property
    def name(self) -> str:
        """First and family name; empty for a caller of whom only the number is known."""
        return f"{self.first_name} {self.last_name}".strip()


class ContactPhone(TenantModel):
    """One number of a contact. Within a company a number has one owner."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="phones", db_index=False)
    phone = models.CharField(max_length=MAX_LENGTH, help_text="E.164.")
    label = models.CharField(max_length=50, blank=True)
    # Reversed, so that "ends in 0123" is a range from the left, which a B-tree can answer.
    phone_reversed = models.GeneratedField(
        expression=Reverse("phone"), output_field=SearchKeyField(max_length=MAX_LENGTH), db_persist=True
    )

    created_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar = TenantManager.from_queryset(ContactPhoneQuerySet)()
    audit = Audit()

    class Meta:
        db_table = "contact_phones"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "phone"],
                name="contact_phones_company_id_phone_unique",
                violation_error_message="Another contact has this number.",
            ),
        ]
        indexes = [
            Index(
                fields=["contact"],
                name="ix_contact_phones_contact_id",
                question="Which numbers does this contact have?",
                asked_by="GET /api/v1/contacts; deleting a contact",
            ),
            Index(
                fields=["company", "phone_reversed"],
                name="ix_contact_phones_company_id_phone_reversed",
                question="Whose number ends in these digits?",
                asked_by="GET /api/v1/contacts?search=",
            ),
        ]

    def __str__(self) -> str:
        return self.phone


class ContactFlag(TenantModel):
    """Something that must be remembered about a contact, with its evidence. In force until `expires_at`, if any."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="flags", db_index=False)
    flag_type = models.CharField(max_length=20, choices=FlagType.choices)
    reason = models.TextField(blank=True)
    source = models.CharField(max_length=50, blank=True, help_text="Where it came from: manual, sms, import, provider.")
    evidence = models.TextField(blank=True, help_text="The words or the event that it rests on.")
    review_state = models.CharField(
        max_length=10,
        choices=ReviewState.choices,
        blank=True,
        help_text="Pending: in force, and a person has still to say whether it was meant. Empty: no question.",
    )
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not in force from here on; empty: for good.")

    objects: ClassVar = TenantManager.from_queryset(ContactFlagQuerySet)()
    audit = Audit()

    class Meta:
        db_table = "contact_flags"
        constraints = [
            one_of("flag_type", FlagType, name="contact_flags_flag_type_valid"),
            models.CheckConstraint(
                condition=Q(review_state__in=["", *ReviewState.values]), name="contact_flags_review_state_valid"
            ),
            models.UniqueConstraint(
                fields=["contact", "flag_type"],
                condition=Q(expires_at__isnull=True),
                name="contact_flags_contact_id_flag_type_unique",
                violation_error_message="The contact has this flag already.",
            ),
        ]
        indexes = [
            Index(
                fields=["contact"],
                name="ix_contact_flags_contact_id",
                question="What must be remembered about this contact?",
                asked_by="GET /api/v1/contact-flags?contact=; deleting a contact",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_contact_flags_company_id_created_at",
                question="A company's flags, newest first, from any page on?",
                asked_by="GET /api/v1/contact-flags",
            ),
            Index(
                fields=["flag_type", "contact"],
                condition=Q(flag_type="opted_out"),
                name="idx_contact_flag_type_phone",
                question="Which of these contacts have said stop?",
                asked_by="whoever is about to send a text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_flag_type_display()} #{self.pk}"


class Lead(TenantModel):
    """A contact's wish to buy. Made by a person, a booking or an analysis, never by a delivery alone."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="leads", db_index=False)
    status = models.CharField(max_length=20, choices=LeadStatus.choices, default=LeadStatus.NEW)
    source = models.CharField(max_length=100, blank=True)
    notes = models.TextField(blank=True)

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar = TenantManager.from_queryset(OfContactQuerySet)()

    class Meta:
        db_table = "leads"
        constraints = [one_of("status", LeadStatus, name="leads_status_valid")]
        indexes = [
            Index(
                fields=["contact"],
                name="ix_leads_contact_id",
                question="What has this contact wished to buy?",
                asked_by="GET /api/v1/leads?contact=; deleting a contact",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_leads_company_id_created_at",
                question="A company's leads, newest first, from any page on?",
                asked_by="GET /api/v1/leads",
            ),
        ]

    def __str__(self) -> str:
        return f"Lead #{self.pk}"
