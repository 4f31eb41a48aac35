"""The rows of objections, made anew and compared: triggers keep them in step otherwise."""

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
    """Take the objections out of the company's analyses anew; returns how many there are. Nobody writes meanwhile."""
    with tenant(company.pk), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("LOCK TABLE call_analysis IN SHARE ROW EXCLUSIVE MODE")
        CallObjection.objects.all().delete()
        labels, parameters = _read_labels()
        cursor.execute(f"{ADD} {labels}", parameters)
        return CallObjection.objects.count()


def count_wrong_objections(*, company: Company) -> int:
    """How many calls have other rows than their latest analysis has labels."""
    with tenant(company.pk), connection.cursor() as cursor:
        kept, of_kept = CallObjection.objects.values_list(
            "company_id", "call_id", "label", "analyzed_at"
        ).query.sql_with_params()
        labels, of_labels = _read_labels()
        cursor.execute(COMPARE.format(kept=kept, labels=labels), [*of_kept, *of_labels, *of_labels, *of_kept])
        return cursor.fetchone()[0]


def _read_labels() -> tuple[str, tuple[Any, ...]]:
    analyses = CallAnalysis.objects.latest_of_each_call().order_by().annotate(tenant_id=F("company_id"))
    latest, parameters = analyses.values("tenant_id", "call_id", "objections", "analyzed_at").query.sql_with_params()
    return LABELS.format(latest=latest, each_label=EACH_LABEL[connection.vendor]), parameters
