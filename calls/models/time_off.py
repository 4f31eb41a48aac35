"""Time off."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from calls.querysets import MAX_TIME_OFF, TimeOffQuerySet
from crm.constraints import in_range
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import User

MAX_REASON = 200


class TimeOff(TenantModel):
    """A time in which a rep gets no appointments, such as a holiday."""

    rep = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    starts_at = models.DateTimeField(verbose_name="starts")
    ends_at = models.DateTimeField(verbose_name="ends")
    reason = models.CharField(max_length=MAX_REASON, blank=True, help_text="Such as Holiday. Colleagues read it.")

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(TimeOffQuerySet)()
    audit = Audit(skips=("updated_at",))
    feed = Feed("time-off", rep="rep_id")

    class Meta:
        db_table = "time_off"
        verbose_name = verbose_name_plural = "time off"
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="time_off_ends_after_start",
                violation_error_message="Time off must end after it starts.",
            ),
            in_range("starts_at", "ends_at", name="time_off_times_in_range"),
            models.CheckConstraint(
                condition=Q(ends_at__lte=F("starts_at") + MAX_TIME_OFF),
                name="time_off_length_valid",
                violation_error_message=f"Time off must end within {MAX_TIME_OFF // timedelta(days=1)} days.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "starts_at"],
                name="ix_time_off_company_id_starts_at",
                question="Which time off have a company's reps?",
                asked_by="GET /api/v1/time-off; admin: week of appointments",
            ),
            Index(
                fields=["rep", "starts_at"],
                name="ix_time_off_rep_id_starts_at",
                question="Which time off has this rep?",
                asked_by="GET /api/v1/time-off?rep=",
            ),
        ]

    def __str__(self) -> str:
        return self.reason or "Time off"
