"""What goes: bundles of rows that leave, and come back, together; and why some of them stay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, Expression, ForeignObjectRel, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Length

from analytics.models import CallAnalysis, CallObjection
from calls.choices import CallStatus, TextBack
from calls.models import Call, CallDetail, MissedCaller
from crm.choices import ConversationStatus
from crm.db.tenancy import TenantModel
from crm.models import Activity
from messaging.models import Message, WebhookEvent
from messaging.models.messages import ON_ITS_WAY

DERIVED = (CallObjection,)  # go with what they are derived from, and are derived anew: triggers see to both
OPEN = Q(conversation__status__in=[ConversationStatus.OPEN, ConversationStatus.WAITING])


@dataclass(frozen=True)
class BundleTable:
    """One model of a bundle. Those that others point at come first."""

    model: type[TenantModel]
    path: str
    """How a row leads to the bundle's root: `pk` of the root itself."""
    when: str
    """The column that says how old a row is."""

    def rows(self, roots: Iterable[int]) -> QuerySet:
        return self.model.objects.filter(**{f"{self.path}__in": list(roots)}).order_by("pk")


@dataclass(frozen=True)
class Bundle:
    """Rows of the root model, each with all that hangs on it. They are found by company and time, through an index."""

    name: str
    members: tuple[BundleTable, ...]
    keep_reasons: Mapping[str, Q]
    """Of which roots the bundle stays, by the reason."""
    weight: Expression = field(default_factory=lambda: Value(0))
    """Characters or bytes of a root's longest column, where it may be long."""
    only: Q = field(default_factory=Q)
    """Which rows of the root's model are roots."""

    @property
    def root(self) -> BundleTable:
        return next(member for member in self.members if member.path == "pk")

    def roots(self, cut_off: datetime) -> QuerySet:
        """Those that are older than the cut-off."""
        return self.root.model.objects.filter(self.only, **{f"{self.root.when}__lt": cut_off})

    def candidates(self, cut_off: datetime) -> QuerySet:
        """These roots, each with `reason` (why it stays, or empty) and `weight`, oldest first."""
        reasons = [When(keep_reasons, then=Value(why)) for why, keep_reasons in self._all_stays(cut_off).items()]
        return (
            self.roots(cut_off)
            .annotate(
                reason=Case(*reasons, default=Value(""), output_field=TextField()), weight=Coalesce(self.weight, 0)
            )
            .order_by(self.root.when, "pk")
        )

    def _all_stays(self, cut_off: datetime) -> dict[str, Any]:
        keep_reasons: dict[str, Any] = {}
        for member, reference in self.references():
            named = Exists(reference.model._base_manager.filter(**{f"{reference.name}__{member.path}": OuterRef("pk")}))
            keep_reasons[f"named by {reference.model._meta.verbose_name_plural}"] = named
        for member in self.members:
            if member is not self.root:
                later = {member.path: OuterRef("pk"), f"{member.when}__gte": cut_off}
                keep_reasons[f"with later {member.model._meta.verbose_name_plural}"] = Exists(
                    member.model.objects.filter(**later)
                )
        return keep_reasons | dict(self.keep_reasons)

    def references(self) -> list[tuple[BundleTable, Any]]:
        """Every foreign key by which a row that doesn't go along names one that would, as the models have them."""
        models = {*DERIVED, *(member.model for member in self.members)}
        return [
            (member, relation.field)
            for member in self.members
            for relation in member.model._meta.get_fields(include_hidden=True)
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
            "in open conversations": Q(
                activity__conversation__status__in=[ConversationStatus.OPEN, ConversationStatus.WAITING]
            ),
        },
        weight=Length(Cast("detail__transcript", TextField())),
    ),
    Bundle(
        "activities",
        (BundleTable(Activity, "pk", "created_at"), BundleTable(Message, "activity", "created_at")),
        keep_reasons={"in open conversations": OPEN, "still to be sent": Q(message__status__in=ON_ITS_WAY)},
        only=Q(call=None),  # the others go, or stay, with their calls
    ),
    Bundle(
        "missed_callers",
        (BundleTable(MissedCaller, "pk", "last_missed_at"),),
        keep_reasons={"not reached yet": Q(recovered_at__isnull=True), "texted back soon": Q(text_back=TextBack.DUE)},
    ),
    Bundle(
        "webhook_events",
        (BundleTable(WebhookEvent, "pk", "created_at"),),
        keep_reasons={"pending or dead": Q(processed=False)},
        weight=Length("body"),
    ),
)
