"""Attachments."""

from datetime import timedelta
from functools import reduce
from operator import or_
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from calls.choices import OF_CALLS, AttachmentKind, AttachmentStatus
from calls.models.appointments import Appointment
from calls.models.calls import Call
from calls.querysets import AttachmentQuerySet
from crm.choices import Provider
from crm.constraints import in_range, one_of
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import Activity, Contact, StoredFile, User

OWNERS = ("activity", "call", "contact", "appointment")
SHOWN_AS_FAILED = timedelta(days=7)  # to staff, among what waits for them
OF_NOBODY = Q(**{f"{name}__isnull": True for name in OWNERS})


def _of_one(owner: str) -> Q:
    return Q(**{f"{name}__isnull": name != owner for name in OWNERS})


class Attachment(TenantModel):
    """A file of a message, a call, a contact or an appointment. An upload that waits for its message has none of them.

    The provider's files are pending until a worker has fetched them: `run_at` is the time of its next attempt, or the
    end of its lease.
    """

    kind = models.CharField(max_length=10, choices=AttachmentKind.choices)
    activity = models.ForeignKey(
        Activity, on_delete=models.PROTECT, null=True, blank=True, related_name="attachments", db_index=False,
        help_text="That of the message.",
    )  # fmt: skip
    call = models.ForeignKey(
        Call, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments", db_index=False
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments", db_index=False
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments", db_index=False
    )
    position = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="0 for the first one of a message.")

    provider = models.CharField(max_length=20, choices=Provider.choices, blank=True)
    source_url = models.TextField(blank=True, help_text="Where the provider keeps it.", verbose_name="source URL")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="attachment")
    status = models.CharField(max_length=10, choices=AttachmentStatus.choices, default=AttachmentStatus.PENDING)
    error = models.CharField(max_length=200, blank=True, help_text="Why the last attempt has failed.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Number of attempts to fetch it.")
    run_at = models.DateTimeField(null=True, blank=True, help_text="Next attempt not before this time.")

    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    created_at = models.DateTimeField(default=now, help_text="Time of the message, the call or the upload.")
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(AttachmentQuerySet)()
    feed = Feed("attachments", contact="contact_id", ignores=("tries", "run_at", "source_url"))

    class Meta:
        db_table = "attachments"
        constraints = [
            one_of("kind", AttachmentKind, name="attachments_kind_valid"),
            one_of("status", AttachmentStatus, name="attachments_status_valid"),
            # Uploads come from no provider.
            models.CheckConstraint(
                condition=Q(provider__in=["", *Provider.values]),
                name="attachments_provider_valid",
                violation_error_message=f"provider must be empty or one of: {', '.join(Provider.values)}.",
            ),
            models.CheckConstraint(
                condition=reduce(or_, map(_of_one, OWNERS), OF_NOBODY), name="attachments_one_owner"
            ),
            models.CheckConstraint(
                condition=Q(status=AttachmentStatus.STORED, file__isnull=False)
                | (~Q(status=AttachmentStatus.STORED) & Q(file__isnull=True)),
                name="attachments_stored_has_file",
            ),
            models.CheckConstraint(
                condition=~Q(status=AttachmentStatus.PENDING) | Q(run_at__isnull=False),
                name="attachments_pending_has_time",
            ),
            models.UniqueConstraint(
                fields=["activity", "position"],
                condition=Q(activity__isnull=False),
                name="attachments_activity_id_position_unique",
            ),
            models.UniqueConstraint(
                fields=["call", "kind", "position"],
                condition=Q(call__isnull=False),
                name="attachments_call_id_kind_position_unique",
            ),
            in_range("created_at", name="attachments_created_at_in_range"),
        ]
        indexes = [
            Index(
                fields=["run_at"],
                condition=Q(status=AttachmentStatus.PENDING),
                name="ix_attachments_run_at_pending",
                question="Which files of providers are due to be fetched, over all companies?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["company", "created_at"],
                condition=Q(kind__in=OF_CALLS),
                name="ix_attachments_company_id_created_at_of_calls",
                question="Which recordings and voicemails has a company kept for long enough?",
                asked_by="the worker, once an hour",
            ),
            Index(
                fields=["created_at"],
                condition=OF_NOBODY,
                name="ix_attachments_created_at_unused",
                question="Which uploads were never used, over all companies?",
                asked_by="the worker, once an hour",
            ),
            Index(
                fields=["created_at"],
                condition=Q(status=AttachmentStatus.FAILED),
                name="ix_attachments_created_at_failed",
                question="Which files could not be fetched in the last days, over all companies?",
                asked_by="admin: first page, list",
            ),
            Index(
                fields=["contact", "created_at"],
                condition=Q(contact__isnull=False),
                name="ix_attachments_contact_id_created_at",
                question="Which files has this contact?",
                asked_by="GET /api/v1/contacts/{id}/attachments; deleting a contact",
            ),
            Index(
                fields=["appointment", "created_at"],
                condition=Q(appointment__isnull=False),
                name="ix_attachments_appointment_id_created_at",
                question="Which files has this appointment?",
                asked_by="GET /api/v1/appointments/{id}/attachments; deleting an appointment",
            ),
        ]

    def __str__(self) -> str:
        return f"Attachment #{self.pk}"
