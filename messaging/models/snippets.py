"""Snippets."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.tenancy import TenantModel
from crm.models import User

MAX_SHORTCUT = 30
MAX_SNIPPET = 1600  # a longer text could not be sent


class Snippet(TenantModel):
    """A text that a company keeps for messages. People find it by its shortcut, such as `/hours`."""

    shortcut = models.CharField(
        max_length=MAX_SHORTCUT,
        validators=[
            RegexValidator(r"^[a-z0-9][a-z0-9_-]*\Z", "Must be small letters, digits, - and _, without the slash.")
        ],
        help_text="What people type after a slash: small letters, digits, - and _.",
    )
    body = models.TextField(max_length=MAX_SNIPPET, help_text="The text, with placeholders such as {first_name|there}.")

    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    audit = Audit(skips=("updated_at",))
    feed = Feed("snippets")

    class Meta:
        db_table = "snippets"
        constraints = [
            models.CheckConstraint(
                condition=~Q(shortcut="") & ~Q(body=""),
                name="snippets_texts_present",
                violation_error_message="A snippet must have a shortcut and a text.",
            ),
            models.UniqueConstraint(
                fields=["company", "shortcut"],
                name="snippets_company_id_shortcut_unique",
                violation_error_message="Another snippet has this shortcut.",
            ),
        ]

    def __str__(self) -> str:
        return f"/{self.shortcut}"
