"""Named queries on call analyses."""

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
