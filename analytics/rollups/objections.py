"""Rebuild and check of `call_objections`, which triggers keep otherwise."""

from typing import Any

from django.db import connection, transaction
from django.db.models import F

from analytics.models import CallAnalysis, CallObjection
from analytics.models.objections import ADD, EACH_LABEL, LABELS
from crm.db.tenancy import tenant
from crm.models import Company

COMPARE = """
SELECT count(DISTINCT call_id) FROM (
    SELECT * FROM (SELECT * FROM ({kept}) AS kept EXCEPT SELECT * FROM ({labels}) AS labels) AS wrong
    UNION ALL
    SELECT * FROM (SELECT * FROM ({labels}) AS labels EXCEPT SELECT * FROM ({kept}) AS kept) AS missing
) AS differing
"""


def rebuild_objections(*, company: Company) -> int:
    """Replace the company's objections by those of its analyses, with writers locked out. Returns their number."""
    with tenant(company.pk), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE call_analysis IN SHARE ROW EXCLUSIVE MODE")
        CallObjection.objects.all().delete()
        labels, parameters = _latest_labels_sql()
        cursor.execute(f"{ADD} {labels}", parameters)
        return CallObjection.objects.count()


def count_wrong_objections(*, company: Company) -> int:
    """Return the number of calls whose objections differ from the labels of their latest analysis."""
    with tenant(company.pk), connection.cursor() as cursor:
        kept, kept_parameters = CallObjection.objects.values_list(
            "company_id", "call_id", "label", "analyzed_at"
        ).query.sql_with_params()
        labels, label_parameters = _latest_labels_sql()
        cursor.execute(
            COMPARE.format(kept=kept, labels=labels),
            [*kept_parameters, *label_parameters, *label_parameters, *kept_parameters],
        )
        return cursor.fetchone()[0]


def _latest_labels_sql() -> tuple[str, tuple[Any, ...]]:
    analyses = CallAnalysis.objects.latest_of_each_call().order_by().annotate(tenant_id=F("company_id"))
    latest, parameters = analyses.values("tenant_id", "call_id", "objections", "analyzed_at").query.sql_with_params()
    return LABELS.format(latest=latest, each_label=EACH_LABEL[connection.vendor]), parameters
