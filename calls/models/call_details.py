"""Call details."""

from django.db import models
from django.utils.timezone import now

from calls.models.calls import Call
from crm.db.change_feed import Feed
from crm.db.tenancy import TenantModel


class CallDetail(TenantModel):
    """Recordings, voicemail, transcript and summary of one call; may arrive before the call.

    Identified by the provider's id of the call.
    """

    openphone_id = models.CharField(
        max_length=100, help_text="The provider's ID of the call, from any provider.", verbose_name="OpenPhone ID"
    )
    call = models.OneToOneField(Call, on_delete=models.CASCADE, null=True, blank=True, related_name="detail")

    recordings = models.JSONField(default=list, blank=True, help_text="A list of {url, type}.")
    voicemail_transcript = models.TextField(blank=True)
    summary = models.TextField(blank=True)
    next_steps = models.JSONField(default=list, blank=True, help_text="A list of strings.")
    transcript = models.JSONField(
        default=list, blank=True, help_text="A list of {speaker, start, end, text}; in seconds from the start."
    )
    forwarded_to = models.CharField(max_length=100, blank=True)
    menu_choice = models.CharField(max_length=200, blank=True, help_text="The caller's choice in the phone menu.")

    created_at = models.DateTimeField(default=now, editable=False)

    feed = Feed("calls", key="call_id")

    class Meta:
        db_table = "call_details"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "openphone_id"], name="call_details_company_id_openphone_id_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"Detail #{self.pk}"
