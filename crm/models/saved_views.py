"""Saved views of the admin's lists."""

from django.db import models
from django.utils.timezone import now

from crm.models.companies import User


class SavedView(models.Model):
    """A name that a member of staff gave to the filters and the order of a list of the admin, for themselves.

    The text of the search box isn't kept: it may be a customer's name or number.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    list = models.CharField(max_length=60, help_text="Label of the list's model, such as crm.contact.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True, help_text="Query string with the filters and the order.")

    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "saved_views"
        constraints = [
            models.UniqueConstraint(fields=["user", "list", "name"], name="saved_views_user_id_list_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name
