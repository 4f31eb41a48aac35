"""The business's words for analyses. A query has a name, and it lives here."""

from datetime import datetime
from typing import Self

from crm.db.tenancy import TenantQuerySet


class CallAnalysisQuerySet(TenantQuerySet):
    def analyzed_between(self, start: datetime, end: datetime) -> Self:
        """Analyses made at or after `start` and before `end`."""
        return self.filter(analyzed_at__gte=start, analyzed_at__lt=end)
