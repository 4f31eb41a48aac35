"""Call analyses."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.timezone import now

from analytics.choices import Sentiment
from analytics.querysets import CallAnalysisQuerySet
from calls.models import Call
from crm.constraints import in_range
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import Company


def validate_labels(value: object) -> None:
    """Raise ValidationError unless the value is a list of non-blank strings."""
    if not isinstance(value, list) or not all(isinstance(label, str) and label.strip() for label in value):
        raise ValidationError('objections must be a list of labels, such as ["price", "timing"].')


class CallAnalysis(TenantModel):
    """The result of one analysis of a call. A call may have several; the latest counts."""

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_column="tenant_id", db_index=False
    )
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="analyses", db_index=False)

    objections = models.JSONField(default=list, blank=True, validators=[validate_labels])
    sentiment = models.CharField(max_length=10, choices=Sentiment.choices, blank=True)
    outcome = models.CharField(max_length=100, blank=True)
    summary = models.TextField(blank=True)

    analyzed_at = models.DateTimeField(default=now)

    objects: ClassVar = TenantManager.from_queryset(CallAnalysisQuerySet)()
    feed = Feed("call-analyses", company="tenant_id")

    class Meta:
        db_table = "call_analysis"
        verbose_name_plural = "call analyses"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sentiment__in=["", *Sentiment.values]), name="call_analysis_sentiment_valid"
            ),
            in_range("analyzed_at", name="call_analysis_analyzed_at_in_range"),
        ]
        indexes = [
            Index(
                fields=["company", "analyzed_at"],
                name="ix_call_analysis_tenant_id_analyzed_at",
                question="A company's analyses of these days?",
                asked_by="GET /api/v1/call-analyses",
            ),
            Index(
                fields=["call", "analyzed_at"],
                name="ix_call_analysis_call_id_analyzed_at",
                question="Is this the latest analysis of its call?",
                asked_by="the triggers that keep call_objections; deleting a call",
            ),
        ]

    def __str__(self) -> str:
        return f"Analysis #{self.pk}"
