"""Contacts, their numbers and flags."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now, Reverse
from django.utils.timezone import now

from crm.choices import FlagType, ReviewState
from crm.constraints import one_of
from crm.contact_querysets import (
    SEARCHED_FIELDS,
    SEARCHED_TEXT,
    ContactPhoneQuerySet,
    ContactQuerySet,
    number_begins_with,
    search_keys,
)
from crm.db.audit import Audit
from crm.db.change_feed import Also, Feed
from crm.db.indexes import HashIndex, Index
from crm.db.tenancy import TenantManager, TenantModel, company_of_reference
from crm.fields import SearchKeyField
from crm.models.companies import User, validate_timezone
from crm.models.number_triggers import CONTACT_NUMBERS, OWNED_NUMBERS
from crm.names import name_of_contact
from crm.phones import MAX_LENGTH, NORTH_AMERICA
from crm.querysets import ContactFlagQuerySet


class Contact(TenantModel):
    """A person who calls or is called by a company. `phone` is the main number; `phones` hold it, too."""

    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=MAX_LENGTH, help_text="Main number, E.164.")
    email = models.EmailField(blank=True)

    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=50, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    timezone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_timezone],
        help_text="Empty: taken from the phone number, else the company.",
        verbose_name="time zone",
    )

    # The names for which the search keys were written. Python writes both; the database notices a writer that doesn't.
    keyed_text = models.CharField(max_length=500, blank=True, editable=False, db_default="")
    keys_stale = models.GeneratedField(
        expression=~Q(keyed_text=SEARCHED_TEXT),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
    )
    # A column of its own has statistics: the planner knows that few numbers are from abroad.
    is_abroad = models.GeneratedField(
        expression=~number_begins_with(NORTH_AMERICA),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
    )

    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(ContactQuerySet)()
    audit = Audit(skips=("updated_at", "keyed_text"))
    feed = Feed("contacts", ignores=("keyed_text",))
    triggers = CONTACT_NUMBERS

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
                violation_error_message="A contact must have a phone number.",
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
                question="Whose first name is exactly this, in any company?",
                asked_by="admin search over all companies",
            ),
            Index(
                fields=["last_name"],
                name="idx_contact_last_name",
                question="Whose last name is exactly this, in any company?",
                asked_by="admin search over all companies",
            ),
            Index(
                fields=["email"],
                name="idx_contact_email",
                question="Whose email address is this, in any company?",
                asked_by="admin search over all companies",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_contacts_company_id_created_at",
                question="A company's contacts, newest first, from any page on?",
                asked_by="GET /api/v1/contacts",
            ),
            Index(
                fields=["id"],
                condition=Q(keys_stale=True),
                name="ix_contacts_id_keys_stale",
                question="Which contacts' names were written without their search keys?",
                asked_by="the worker",
                kept_because="it is empty in general: by the primary key the worker would read all contacts.",
            ),
            Index(
                fields=["company", "id"],
                condition=Q(is_abroad=True),
                name="ix_contacts_company_id_id_abroad",
                question="Which contacts have a number of another country?",
                asked_by="POST /api/v1/segments/preview; POST /api/v1/campaigns/{id}/audience",
                kept_because="few numbers are abroad: by company and ID a preview would read all contacts.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.phone

    @property
    def name(self) -> str:
        """First and last name; empty if only the number is known."""
        return name_of_contact(self.first_name, self.last_name)

    @property
    def searched_text(self) -> str:
        """The names and email address, joined as the database joins them for `keys_stale`."""
        return "|".join((self.first_name, self.last_name, self.email))

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Save the contact, with its search keys if names are written."""
        if update_fields is not None and not SEARCHED_FIELDS.intersection(update_fields):
            return super().save(update_fields=update_fields, **options)
        self.keyed_text = self.searched_text
        with transaction.atomic(savepoint=False):
            super().save(update_fields=None if update_fields is None else {*update_fields, "keyed_text"}, **options)
            search_keys().write([self])
        return None


class ContactPhone(TenantModel):
    """One number of a contact. Within a company a number has one owner."""

    has_new_owner = False  # of the last save; see `crm.services.contacts.restore_flags`

    company = company_of_reference()
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="phones", db_index=False)
    phone = models.CharField(max_length=MAX_LENGTH, help_text="E.164.")
    label = models.CharField(max_length=50, blank=True)
    # Reversed, so that "ends in 0123" becomes a prefix, which a B-tree can answer.
    phone_reversed = models.GeneratedField(
        expression=Reverse("phone"), output_field=SearchKeyField(max_length=MAX_LENGTH), db_persist=True
    )

    is_main_elsewhere = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Another contact may have it as its main number: another program wrote that contact.",
    )

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(ContactPhoneQuerySet)()
    # Django writes through it in `contact.phones.add(number)`: flags follow those numbers, too.
    any_company: ClassVar = models.Manager.from_queryset(ContactPhoneQuerySet)()
    audit = Audit(skips=("updated_at", "is_main_elsewhere"))
    feed = Feed("contacts", key="contact_id", ignores=("is_main_elsewhere",))
    triggers = OWNED_NUMBERS

    class Meta:
        db_table = "contact_phones"
        base_manager_name = "any_company"
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
            Index(
                fields=["company", "phone"],
                condition=Q(is_main_elsewhere=True),
                name="ix_contact_phones_company_id_phone_main_elsewhere",
                question="Which numbers may be the main number of another contact?",
                asked_by="POST /api/v1/segments/preview; POST /api/v1/campaigns/{id}/audience",
                kept_because="it is nearly empty: by the unique key a preview would read all of the company's numbers.",
            ),
        ]

    def __str__(self) -> str:
        return self.phone


class ContactFlag(TenantModel):
    """A flag of a contact, with its evidence. In force until `expires_at`, if set."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="flags", db_index=False)
    flag_type = models.CharField(max_length=20, choices=FlagType.choices)
    reason = models.TextField(blank=True)
    source = models.CharField(max_length=50, blank=True, help_text="Origin: manual, sms, import or provider.")
    evidence = models.TextField(blank=True, help_text="The words or event that justify the flag.")
    review_state = models.CharField(
        max_length=10,
        choices=ReviewState.choices,
        blank=True,
        help_text="Pending: in force until a user reviews it. Empty: needs no review.",
    )
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Expires at this time. Empty: never.")

    objects: ClassVar = TenantManager.from_queryset(ContactFlagQuerySet)()
    audit = Audit(skips=("updated_at",))
    feed = Feed("contact-flags", contact="contact_id", also=(Also("contacts", key="contact_id"),))

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
                violation_error_message="The contact already has this flag.",
            ),
        ]
        indexes = [
            Index(
                fields=["contact"],
                name="ix_contact_flags_contact_id",
                question="Which flags does this contact have?",
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
                question="Which of these contacts opted out?",
                asked_by="syncing the opt-out flag of a contact",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_flag_type_display()} #{self.pk}"
