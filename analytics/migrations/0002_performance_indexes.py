"""Indexes, built without blocking writers."""

from django.db import migrations

import crm.db.index_operations
import crm.db.indexes


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY can't run in a transaction

    dependencies = [
        ("analytics", "0001_initial"),
    ]

    operations = [
        crm.db.index_operations.AddIndexConcurrently(
            model_name="callanalysis",
            index=crm.db.indexes.Index(
                fields=["company", "analyzed_at"], name="ix_call_analysis_tenant_id_analyzed_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="callanalysis",
            index=crm.db.indexes.Index(fields=["call", "analyzed_at"], name="ix_call_analysis_call_id_analyzed_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="stalecallhour",
            index=crm.db.indexes.Index(fields=["company", "hour"], name="ix_stale_call_hours_company_id_hour"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="callobjection",
            index=crm.db.indexes.Index(
                fields=["company", "analyzed_at", "label"],
                include=("call",),
                name="ix_call_objections_company_id_analyzed_at_label",
            ),
        ),
    ]
