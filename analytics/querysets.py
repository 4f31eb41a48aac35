"""The business's words for analyses. A query has a name, and it lives here."""

from datetime import datetime
from typing import Any, Self, cast

from django.db.models import Exists, OuterRef, Q, QuerySet


class CallAnalysisQuerySet(QuerySet):
    def analyzed_between(self, start: datetime, end: datetime) -> Self:
        """Analyses made at or after `start` and before `end`."""
        return self.filter(analyzed_at__gte=start, analyzed_at__lt=end)

    def latest_of_each_call(self) -> Self:
        """Analyses that no later one of the same call supersedes, inside this queryset's days or after them."""
        later = cast(Any, self.model).objects.filter(
            Q(analyzed_at__gt=OuterRef("analyzed_at")) | Q(analyzed_at=OuterRef("analyzed_at"), pk__gt=OuterRef("pk")),
            call=OuterRef("call"),
        )
        return self.filter(~Exists(later))
