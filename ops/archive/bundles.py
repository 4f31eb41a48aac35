"""Bundles: tables whose rows are archived and restored together, and the reasons to keep rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, Expression, ForeignObjectRel, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Length

from analytics.models import CallAnalysis, CallObjection
from calls.choices import AttachmentStatus, CallStatus, TextBack
from calls.models import Attachment, Call, CallDetail, MissedCaller
from crm.choices import ConversationStatus
from crm.db.tenancy import TenantModel
from crm.models import Activity
from messaging.choices import MessageStatus
from messaging.models import Message, WebhookEvent
from messaging.models.messages import OUTBOX_STATUSES

DERIVED = (CallObjection,)  # deleted with the rows they derive from; triggers derive them again on restore
IN_OPEN_CONVERSATIONS = "in open conversations"
OPEN = [ConversationStatus.OPEN, ConversationStatus.WAITING, ConversationStatus.SNOOZED]


@dataclass(frozen=True)
class BundleTable:
    """One table of a bundle. Referenced tables come before those that reference them."""

    model: type[TenantModel]
    path: str
    """Lookup from a row to the bundle's root. The root itself has `pk`."""
    age_column: str
    """Column with the time that decides whether a row is old."""

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    def rows(self, roots: Iterable[int]) -> QuerySet:
        return self.model.objects.filter(**{f"{self.path}__in": list(roots)}).order_by("pk")


@dataclass(frozen=True)
class Bundle:
    """Rows of the root table with the rows that belong to them. An index finds the roots by company and time."""

    name: str
    tables: tuple[BundleTable, ...]
    keep_reasons: Mapping[str, Q]
    """Conditions under which a root is kept in the database, by reason."""
    weight: Expression = field(default_factory=lambda: Value(0))
    """Length of a root's longest column, where it may be long."""
    root_filter: Q = field(default_factory=Q)
    """Condition for a row of the root table to be a root."""

    @property
    def root(self) -> BundleTable:
        return next(table for table in self.tables if table.path == "pk")

    def roots(self, cut_off: datetime) -> QuerySet:
        return self.root.model.objects.filter(self.root_filter, **{f"{self.root.age_column}__lt": cut_off})

    def candidates(self, cut_off: datetime) -> QuerySet:
        """Return the roots, oldest first, with `weight` and `reason`: the reason to keep the root, or empty."""
        reasons = [When(condition, then=Value(why)) for why, condition in self._all_keep_reasons(cut_off).items()]
        return (
            self.roots(cut_off)
            .annotate(
                reason=Case(*reasons, default=Value(""), output_field=TextField()), weight=Coalesce(self.weight, 0)
            )
            .order_by(self.root.age_column, "pk")
        )

    def _all_keep_reasons(self, cut_off: datetime) -> dict[str, Any]:
        keep_reasons: dict[str, Any] = {}
        for table, reference in self.references():
            rows = reference.model._base_manager.filter(**{f"{reference.name}__{table.path}": OuterRef("pk")})
            if reference.model is Attachment:  # without a file, it is deleted with its call or message
                rows = rows.filter(status=AttachmentStatus.STORED)
            named = Exists(rows)
            keep_reasons[f"referenced by {reference.model._meta.verbose_name_plural}"] = named
        for table in self.tables:
            if table is not self.root:
                later = {table.path: OuterRef("pk"), f"{table.age_column}__gte": cut_off}
                keep_reasons[f"with later {table.model._meta.verbose_name_plural}"] = Exists(
                    table.model.objects.filter(**later)
                )
        return keep_reasons | dict(self.keep_reasons)

    def references(self) -> list[tuple[BundleTable, Any]]:
        """Return each foreign key from outside the bundle to one of its tables, as the models declare them."""
        models = {*DERIVED, *(table.model for table in self.tables)}
        return [
            (table, relation.field)
            for table in self.tables
            for relation in table.model._meta.get_fields(include_hidden=True)
            if isinstance(relation, ForeignObjectRel) and relation.related_model not in models
        ]


BUNDLES = (
    Bundle(
        "calls",
        (
            BundleTable(Activity, "call", "created_at"),
            BundleTable(Call, "pk", "created_at"),
            BundleTable(CallDetail, "call", "created_at"),
            BundleTable(CallAnalysis, "call", "analyzed_at"),
        ),
        keep_reasons={
            "in progress": Q(status=CallStatus.IN_PROGRESS),
            IN_OPEN_CONVERSATIONS: Q(activity__conversation__status__in=OPEN),
        },
        weight=Length(Cast("detail__transcript", TextField())),
    ),
    Bundle(
        "activities",
        (BundleTable(Activity, "pk", "created_at"), BundleTable(Message, "activity", "created_at")),
        keep_reasons={
            IN_OPEN_CONVERSATIONS: Q(conversation__status__in=OPEN),
            "in the outbox": Q(message__status__in=(*OUTBOX_STATUSES, MessageStatus.HELD)),
        },
        root_filter=Q(call=None),  # activities of calls belong to the calls' bundle
    ),
    Bundle(
        "missed_callers",
        (BundleTable(MissedCaller, "pk", "last_missed_at"),),
        keep_reasons={"not reached yet": Q(recovered_at__isnull=True), "text back due": Q(text_back=TextBack.DUE)},
    ),
    Bundle(
        "webhook_events",
        (BundleTable(WebhookEvent, "pk", "created_at"),),
        keep_reasons={"pending or dead": Q(processed=False)},
        weight=Length("body"),
    ),
)
