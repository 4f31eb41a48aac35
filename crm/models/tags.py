"""Tags, and the contacts that have them."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.contact_labels import MAX_TAG_LENGTH, label_key
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel, company_of_reference
from crm.error_codes import ErrorCode
from crm.fields import SearchKeyField
from crm.models.companies import User
from crm.models.contacts import Contact
from crm.models.label_limits import MAX_TAGS, TAG_LIMIT, TAG_TRIGGERS
from crm.querysets import OfContactQuerySet


class Tag(TenantModel):
    """A word that a company puts on contacts. Capital letters don't make another tag."""

    name = models.CharField(max_length=MAX_TAG_LENGTH)
    name_key = SearchKeyField(max_length=MAX_TAG_LENGTH, editable=False)

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    audit = Audit(skips=("updated_at", "name_key"))
    triggers = TAG_TRIGGERS
    trigger_refusals: ClassVar = {
        TAG_LIMIT: ("name", f"The company has {MAX_TAGS:,} tags, and can't have more.", ErrorCode.LIMIT_REACHED)
    }
    feed = Feed("tags", ignores=("name_key",))

    class Meta:
        db_table = "tags"
        constraints = [
            models.CheckConstraint(
                condition=~Q(name_key=""), name="tags_name_present", violation_error_message="A tag must have a name."
            ),
            models.UniqueConstraint(
                fields=["company", "name_key"],
                name="tags_company_id_name_key_unique",
                violation_error_message="Another tag has this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Save the tag with the key of its name."""
        self.name_key = label_key(self.name)
        if update_fields is not None and "name" in update_fields:
            update_fields = {*update_fields, "name_key"}
        super().save(update_fields=update_fields, **options)


class ContactTag(TenantModel):
    """A tag of a contact."""

    company = company_of_reference()
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="contact_tags", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="contact_tags", db_index=False)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar = TenantManager.from_queryset(OfContactQuerySet)()
    # An import adds a million of them. Each says itself who added it, and when.
    audit = Audit(inserts=False, keeps=("contact_id", "tag_id"))
    feed = Feed("contacts", key="contact_id")

    class Meta:
        db_table = "contact_tags"
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "tag"],
                name="contact_tags_contact_id_tag_id_unique",
                violation_error_message="The contact has this tag already.",
            ),
        ]
        indexes = [
            Index(
                fields=["tag", "contact"],
                name="ix_contact_tags_tag_id_contact_id",
                question="Which contacts have this tag?",
                asked_by="GET /api/v1/contacts?tag=; segments; deleting a tag",
            ),
        ]

    def __str__(self) -> str:
        return f"Tag of a contact #{self.pk}"
