"""Indexes, built without blocking writers."""

from django.db import migrations, models

import crm.db.index_operations
import crm.db.indexes


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY can't run in a transaction

    dependencies = [
        ("calls", "0001_initial"),
    ]

    operations = [
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_calls_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(fields=["created_at"], name="ix_calls_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(fields=["company", "status"], name="ix_calls_company_id_status"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(
                fields=["assigned_rep", "created_at"], name="ix_calls_assigned_rep_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(fields=["company", "booked"], name="ix_calls_company_id_booked"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(fields=["contact", "created_at"], name="ix_calls_contact_card_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(
                condition=models.Q(("lead__isnull", False)), fields=["lead"], name="ix_calls_lead_id"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(
                condition=models.Q(("contact__isnull", True)),
                fields=["company", "from_number"],
                name="ix_calls_company_id_from_number_unlinked",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(
                condition=models.Q(("contact__isnull", True)),
                fields=["company", "to_number"],
                name="ix_calls_company_id_to_number_unlinked",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="call",
            index=crm.db.indexes.Index(fields=["company"], name="ix_calls_company_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointment",
            index=crm.db.indexes.Index(fields=["date", "time"], name="idx_appointment_date"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointment",
            index=crm.db.indexes.Index(
                fields=["company", "scheduled_start"], name="ix_appointments_company_id_scheduled_start"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointment",
            index=crm.db.indexes.Index(fields=["scheduled_start"], name="ix_appointments_scheduled_start"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointment",
            index=crm.db.indexes.Index(
                fields=["contact", "scheduled_start"], name="ix_appointments_contact_id_scheduled_start"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointment",
            index=crm.db.indexes.Index(
                fields=["assigned_rep", "scheduled_start"], name="ix_appointments_assigned_rep_id_scheduled_start"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointment",
            index=crm.db.indexes.Index(
                condition=models.Q(("call__isnull", False)), fields=["call"], name="ix_appointments_call_id"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointment",
            index=crm.db.indexes.Index(
                condition=models.Q(("lead__isnull", False)), fields=["lead"], name="ix_appointments_lead_id"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointmentproposal",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_appointment_proposals_company_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointmentproposal",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "open")),
                fields=["company", "created_at"],
                name="ix_appointment_proposals_company_id_created_at_open",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointmentproposal",
            index=crm.db.indexes.Index(fields=["appointment"], name="ix_appointment_proposals_appointment_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="attachment",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "pending")),
                fields=["run_at"],
                name="ix_attachments_run_at_pending",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="attachment",
            index=crm.db.indexes.Index(
                condition=models.Q(("kind__in", ("recording", "voicemail"))),
                fields=["company", "created_at"],
                name="ix_attachments_company_id_created_at_of_calls",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="attachment",
            index=crm.db.indexes.Index(
                condition=models.Q(
                    ("activity__isnull", True),
                    ("appointment__isnull", True),
                    ("call__isnull", True),
                    ("contact__isnull", True),
                ),
                fields=["created_at"],
                name="ix_attachments_created_at_unused",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="attachment",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "failed")),
                fields=["created_at"],
                name="ix_attachments_created_at_failed",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="attachment",
            index=crm.db.indexes.Index(
                condition=models.Q(("contact__isnull", False)),
                fields=["contact", "created_at"],
                name="ix_attachments_contact_id_created_at",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="attachment",
            index=crm.db.indexes.Index(
                condition=models.Q(("appointment__isnull", False)),
                fields=["appointment", "created_at"],
                name="ix_attachments_appointment_id_created_at",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="task",
            index=crm.db.indexes.Index(fields=["company", "due_at"], name="ix_tasks_company_id_due_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="task",
            index=crm.db.indexes.Index(
                condition=models.Q(("done_at__isnull", True)),
                fields=["company", "due_at"],
                name="ix_tasks_company_id_due_at_open",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="task",
            index=crm.db.indexes.Index(
                condition=models.Q(("done_at__isnull", True)),
                fields=["assignee", "due_at"],
                name="ix_tasks_assignee_id_due_at_open",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="task",
            index=crm.db.indexes.Index(fields=["contact", "due_at"], name="ix_tasks_contact_id_due_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="task",
            index=crm.db.indexes.Index(
                condition=models.Q(("call__isnull", False)), fields=["call"], name="ix_tasks_call_id"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="task",
            index=crm.db.indexes.Index(
                condition=models.Q(("lead__isnull", False)), fields=["lead"], name="ix_tasks_lead_id"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointment",
            index=crm.db.indexes.Index(
                condition=models.Q(("series__isnull", False)),
                fields=["series", "scheduled_start"],
                name="ix_appointments_series_scheduled_start",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="timeoff",
            index=crm.db.indexes.Index(fields=["company", "starts_at"], name="ix_time_off_company_id_starts_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="timeoff",
            index=crm.db.indexes.Index(fields=["rep", "starts_at"], name="ix_time_off_rep_id_starts_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="missedcaller",
            index=crm.db.indexes.Index(
                fields=["company", "last_missed_at"], name="ix_missed_callers_company_id_last_missed_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="missedcaller",
            index=crm.db.indexes.Index(
                condition=models.Q(("recovered_at__isnull", True)),
                fields=["company", "last_missed_at"],
                name="ix_missed_callers_company_id_last_missed_at_waiting",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="missedcaller",
            index=crm.db.indexes.Index(
                condition=models.Q(("recovered_at__isnull", True)),
                fields=["last_missed_at"],
                name="ix_missed_callers_last_missed_at_waiting",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="missedcaller",
            index=crm.db.indexes.Index(
                condition=models.Q(("text_back", "due")),
                fields=["created_at"],
                name="ix_missed_callers_created_at_text_back_due",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="missedcaller",
            index=crm.db.indexes.Index(
                condition=models.Q(("text_back", "failed")),
                fields=["created_at"],
                name="ix_missed_callers_created_at_text_back_failed",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="missedcaller",
            index=crm.db.indexes.Index(fields=["contact"], name="ix_missed_callers_contact_id"),
        ),
    ]
