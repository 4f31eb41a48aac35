"""Named queries on call analyses and rollups."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, cast

from django.db.models import Exists, OuterRef, Q, QuerySet

if TYPE_CHECKING:
    from crm.models import User


class CallAnalysisQuerySet(QuerySet):
    def assigned_to(self, rep: "User") -> Self:
        return self.filter(call__assigned_rep=rep)

    def latest_of_each_call(self) -> Self:
        """Return the latest analysis of each call."""
        later = cast(Any, self.model).objects.filter(
            Q(analyzed_at__gt=OuterRef("analyzed_at")) | Q(analyzed_at=OuterRef("analyzed_at"), pk__gt=OuterRef("pk")),
            call=OuterRef("call"),
        )
        return self.filter(~Exists(later))


class CallRollupQuerySet(QuerySet):
    def due(self, now: datetime) -> Self:
        """Return rollups that don't wait after a failed update."""
        return self.filter(run_at__lte=now)

    def failing(self, *, tries: int = 1) -> Self:
        """Return rollups whose last `tries` updates or more have failed."""
        return self.filter(tries__gte=tries)
