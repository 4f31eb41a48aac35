"""Second factors of users."""

from django.db import models
from django.utils.timezone import now

from crm.fields import EncryptedTextField
from crm.models.companies import User


class SecondFactor(models.Model):
    """A user's authenticator app with its recovery codes. It counts once `users.second_factor_since` is set."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor")
    key = EncryptedTextField(help_text="Shared with the app.")
    last_step = models.BigIntegerField(default=0, help_text="The time step of the last used code: a code works once.")
    recovery_codes = models.JSONField(default=list, help_text="Keyed hashes of the unused ones.")

    failures = models.PositiveIntegerField(default=0, help_text="Wrong codes since the last right one.")
    failed_at = models.DateTimeField(null=True, blank=True, help_text="Time of the last wrong code.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "second_factors"

    def __str__(self) -> str:
        return f"Second factor #{self.pk}"
