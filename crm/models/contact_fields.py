"""Custom fields of contacts, which a company defines, and their values."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import FieldType
from crm.constraints import one_of
from crm.contact_labels import FIRST_DATE, LAST_DATE, MAX_KEY_LENGTH, MAX_NUMBER, MAX_TEXT_LENGTH
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel, company_of_reference
from crm.error_codes import ErrorCode
from crm.fields import SearchKeyField
from crm.models.companies import User
from crm.models.contacts import Contact
from crm.models.label_limits import FIELD_LIMIT, FIELD_TRIGGERS, MAX_FIELDS
from crm.querysets import ContactFieldQuerySet, OfContactQuerySet

# The column that holds the values of a type. A choice is a text.
COLUMNS = {
    FieldType.TEXT: "text",
    FieldType.CHOICE: "text",
    FieldType.NUMBER: "number",
    FieldType.DATE: "date",
    FieldType.YES_NO: "yes",
}
SEARCHED = {**COLUMNS, FieldType.TEXT: "text_key", FieldType.CHOICE: "text_key"}


def only(*filled: str) -> Q:
    """Return the condition that these columns are filled, and the other ones aren't."""
    columns = ("text", "text_key", "number", "date", "yes")
    return Q(**{f"{name}__isnull": name not in filled for name in columns})


class ContactField(TenantModel):
    """A custom field. Its key and type never change. A deleted one is kept for 30 days with its values."""

    key = models.CharField(max_length=MAX_KEY_LENGTH, help_text="Name for programs: small letters, digits and _.")
    label = models.CharField(max_length=100, help_text="Name for people.")
    field_type = models.CharField(max_length=10, choices=FieldType.choices, verbose_name="type")
    options = models.JSONField(default=list, blank=True, db_default=[], help_text="The values of a choice.")
    position = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Place in forms and lists.")

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar = TenantManager.from_queryset(ContactFieldQuerySet)()
    audit = Audit(skips=("updated_at",))
    triggers = FIELD_TRIGGERS
    trigger_refusals: ClassVar = {
        FIELD_LIMIT: (
            "label",
            f"The company has {MAX_FIELDS:,} custom fields, and can't have more.",
            ErrorCode.LIMIT_REACHED,
        )
    }
    feed = Feed("contact-fields")

    class Meta:
        db_table = "contact_fields"
        verbose_name = "custom field"
        constraints = [
            one_of("field_type", FieldType, name="contact_fields_field_type_valid"),
            models.UniqueConstraint(
                fields=["company", "key"],
                condition=Q(deleted_at__isnull=True),
                name="contact_fields_company_id_key_unique",
                violation_error_message="Another custom field has this key.",
            ),
            models.UniqueConstraint(
                fields=["company", "label"],
                condition=Q(deleted_at__isnull=True),
                name="contact_fields_company_id_label_unique",
                violation_error_message="Another custom field has this label.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "position"],
                name="ix_contact_fields_company_id_position",
                question="Which custom fields does this company have, in their order?",
                asked_by="GET /api/v1/contacts",
            ),
            Index(
                fields=["deleted_at"],
                condition=Q(deleted_at__isnull=False),
                name="ix_contact_fields_deleted_at",
                question="Which custom fields were deleted 30 days ago?",
                asked_by="the worker",
                kept_because="it is empty in general: without it the worker would read all custom fields.",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def column(self) -> str:
        """The column of the values."""
        return COLUMNS[FieldType(self.field_type)]

    @property
    def searched_column(self) -> str:
        """The column by which values are found."""
        return SEARCHED[FieldType(self.field_type)]


class ContactFieldValue(TenantModel):
    """The value of one custom field of one contact, in the column of the field's type."""

    company = company_of_reference()
    field = models.ForeignKey(ContactField, on_delete=models.CASCADE, related_name="field_values", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="field_values", db_index=False)
    field_type = models.CharField(max_length=10, choices=FieldType.choices)
    text = models.CharField(max_length=MAX_TEXT_LENGTH, null=True, blank=True)  # the type's column alone is filled
    text_key = SearchKeyField(max_length=MAX_TEXT_LENGTH, null=True, blank=True, editable=False)
    # Double precision, since comparisons of numeric aren't leakproof: no index would serve them.
    number = models.FloatField(null=True, blank=True)
    date = models.DateField(null=True, blank=True)
    yes = models.BooleanField(null=True, blank=True)

    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(OfContactQuerySet)()
    # An import adds a million of them. Each says itself who added it, and when.
    audit = Audit(skips=("updated_at", "text_key"), inserts=False, keeps=("contact_id", "field_id"))
    feed = Feed("contacts", key="contact_id", ignores=("text_key",))

    class Meta:
        db_table = "contact_field_values"
        constraints = [
            models.CheckConstraint(
                condition=Q(Q(field_type__in=[FieldType.TEXT, FieldType.CHOICE]) & only("text", "text_key"))
                | Q(Q(field_type=FieldType.NUMBER) & only("number"))
                | Q(Q(field_type=FieldType.DATE) & only("date"))
                | Q(Q(field_type=FieldType.YES_NO) & only("yes")),
                name="contact_field_values_column_of_type",
                violation_error_message="Exactly the column of the field's type must be filled.",
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True) | Q(number__range=(-MAX_NUMBER, MAX_NUMBER)),
                name="contact_field_values_number_in_range",
                violation_error_message="The number is too large.",
            ),
            models.CheckConstraint(
                condition=Q(date__isnull=True) | Q(date__range=(FIRST_DATE, LAST_DATE)),
                name="contact_field_values_date_in_range",
                violation_error_message=f"Must be a day from {FIRST_DATE} to {LAST_DATE}.",
            ),
            models.UniqueConstraint(
                fields=["contact", "field"],
                name="contact_field_values_contact_id_field_id_unique",
                violation_error_message="The contact has a value of this field already.",
            ),
        ]
        indexes = [
            Index(
                fields=["field"],
                name="ix_contact_field_values_field_id",
                question="How many contacts have a value of this field?",
                asked_by="DELETE /api/v1/contact-fields/{id}; removing its values",
            ),
            *(
                Index(
                    fields=["company", "field", column, "contact"],
                    condition=Q(**{f"{column}__isnull": False}),
                    name=f"ix_contact_field_values_company_id_field_id_{column}_contact_id",
                    question=question,
                    asked_by="GET /api/v1/contacts?field.KEY=; segments",
                )
                for column, question in (
                    ("text_key", "Which contacts have this text in a custom field?"),
                    ("number", "Which contacts have a number of this range in a custom field?"),
                    ("date", "Which contacts have a day of this range in a custom field?"),
                    ("yes", "Which contacts have yes in a custom field?"),
                )
            ),
        ]

    def __str__(self) -> str:
        return f"Value of a custom field #{self.pk}"

    @property
    def value(self) -> Any:
        return getattr(self, COLUMNS[FieldType(self.field_type)])
