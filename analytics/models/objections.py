"""Objections in the latest analysis of each call, kept by triggers."""

from typing import ClassVar

from django.db import models

from analytics.models.rollups import of_company
from calls.models import Call
from crm.db.indexes import Index
from crm.db.tenancy import TenantModel
from crm.db.triggers import Triggers

MAX_LABEL = 255  # characters; longer labels, which no taxonomy has, are cut

# The items of an analysis' JSON list as rows; `found` is the analysis.
EACH_LABEL = {
    "postgresql": "jsonb_array_elements_text("
    "CASE jsonb_typeof(found.objections) WHEN 'array' THEN found.objections END) AS entry(value)",
    "sqlite": "json_each(CASE json_type(found.objections) WHEN 'array' THEN found.objections END) AS entry",
}
LABELS = f"""
SELECT DISTINCT found.tenant_id, found.call_id, substr(lower(trim(entry.value)), 1, {MAX_LABEL}) AS label,
       found.analyzed_at
FROM ({{latest}}) AS found, {{each_label}} WHERE trim(entry.value) <> ''
"""  # noqa: S608  # constants
ADD = "INSERT INTO call_objections (company_id, call_id, label, analyzed_at)"

_COLUMNS = ("tenant_id", "call_id", "objections", "analyzed_at")
_READ = ", ".join(_COLUMNS)
_LATEST_ON_POSTGRESQL = f"""
    SELECT DISTINCT ON (call_id) {_READ} FROM call_analysis
    WHERE call_id = ANY (touched) ORDER BY call_id, analyzed_at DESC, id DESC
"""  # noqa: S608  # constants
# Two concurrent writers of analyses of one call do not see each other's rows: the lock of the call makes one wait.
_POSTGRESQL = f"""
DECLARE
    touched bigint[];
    outer_setting text := current_setting('crm.all_companies', true);
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM set_config('crm.all_companies', 'on', true);
        DELETE FROM call_objections;
        PERFORM set_config('crm.all_companies', coalesce(outer_setting, ''), true);
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        touched := ARRAY(SELECT DISTINCT call_id FROM after);
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY(SELECT DISTINCT call_id FROM before);
    ELSE
        touched := ARRAY(
            SELECT call_id
            FROM (SELECT id, {_READ} FROM before EXCEPT ALL SELECT id, {_READ} FROM after) AS removed
            UNION
            SELECT call_id
            FROM (SELECT id, {_READ} FROM after EXCEPT ALL SELECT id, {_READ} FROM before) AS added
        );
    END IF;
    IF touched <> '{{}}' THEN
        PERFORM FROM calls WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
        DELETE FROM call_objections WHERE call_id = ANY (touched);
        {ADD} {LABELS.format(latest=_LATEST_ON_POSTGRESQL, each_label=EACH_LABEL["postgresql"])};
    END IF;
    RETURN NULL;
END
"""  # noqa: S608  # constants


def _sqlite(calls: str) -> str:
    latest = f"""
        SELECT {_READ} FROM call_analysis AS one WHERE call_id IN ({calls}) AND NOT EXISTS (
            SELECT 1 FROM call_analysis AS later
            WHERE later.call_id = one.call_id AND (later.analyzed_at, later.id) > (one.analyzed_at, one.id)
        )
    """  # noqa: S608  # constants
    return f"""
        BEGIN
            DELETE FROM call_objections WHERE call_id IN ({calls});
            {ADD} {LABELS.format(latest=latest, each_label=EACH_LABEL["sqlite"])};
        END
    """  # noqa: S608  # constants


class CallObjection(TenantModel):
    """One label of the latest analysis of a call. Only triggers on `call_analysis` write these rows."""

    company = of_company(db_index=False)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="+", db_index=False)
    label = models.CharField(max_length=MAX_LABEL, help_text="Trimmed, in lower case.")
    analyzed_at = models.DateTimeField()

    triggers: ClassVar = Triggers(
        on="call_analysis",
        name="keep_call_objections",
        postgresql=_POSTGRESQL,
        sqlite={
            "insert": f"AFTER INSERT ON call_analysis {_sqlite('NEW.call_id')}",
            "update": f"AFTER UPDATE OF {_READ} ON call_analysis {_sqlite('OLD.call_id, NEW.call_id')}",
            "delete": f"AFTER DELETE ON call_analysis {_sqlite('OLD.call_id')}",
        },
    )

    class Meta:
        db_table = "call_objections"
        constraints = [
            models.UniqueConstraint(fields=["call", "label"], name="call_objections_call_id_label_unique"),
        ]
        indexes = [
            Index(
                fields=["company", "analyzed_at", "label"],
                include=["call"],
                name="ix_call_objections_company_id_analyzed_at_label",
                question="What did a company's callers object to in these days, and how many of them?",
                asked_by="GET /api/v1/dashboard/top-objections",
            ),
        ]

    def __str__(self) -> str:
        return self.label
