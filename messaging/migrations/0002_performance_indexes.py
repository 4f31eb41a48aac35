"""Indexes, built without blocking writers."""

from django.db import migrations, models

import crm.db.index_operations
import crm.db.indexes


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY can't run in a transaction

    dependencies = [
        ("messaging", "0001_initial"),
    ]

    operations = [
        crm.db.index_operations.AddIndexConcurrently(
            model_name="message",
            index=crm.db.indexes.Index(
                fields=["contact", "created_at"], name="ix_message_threads_contact_card_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="message",
            index=crm.db.indexes.Index(
                condition=models.Q(("status__in", ("sending", "unknown"))),
                fields=["run_at"],
                name="ix_message_threads_run_at",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="message",
            index=crm.db.indexes.Index(
                condition=models.Q(("direction", "incoming"), ("read_at__isnull", True)),
                fields=["contact"],
                name="ix_message_threads_contact_card_id_unread",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="message",
            index=crm.db.indexes.Index(
                condition=models.Q(("hold_if_reply", True), ("status", "queued")),
                fields=["contact"],
                name="ix_message_threads_contact_card_id_hold_if_reply",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="message",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "held")), fields=["company"], name="ix_message_threads_company_id_held"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="message",
            index=crm.db.indexes.Index(
                condition=models.Q(("membership__isnull", False)),
                fields=["membership"],
                name="ix_message_threads_membership_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="message",
            index=crm.db.indexes.Index(
                condition=models.Q(("status__in", ("failed", "undelivered"))),
                fields=["created_at"],
                name="ix_message_threads_created_at_lost",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="webhookevent",
            index=crm.db.indexes.Index(fields=["processed", "created_at"], name="idx_webhook_event_processed"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="webhookevent",
            index=crm.db.indexes.Index(fields=["event_id"], name="idx_webhook_event_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="webhookevent",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "pending")),
                fields=["company", "run_at"],
                name="ix_webhook_events_company_id_run_at_pending",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="webhookevent",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_webhook_events_company_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="webhookevent",
            index=crm.db.indexes.Index(
                fields=["company", "provider", "created_at"], name="ix_webhook_events_company_id_provider_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="message",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "queued")),
                fields=["phone_line", "priority", "run_at", "id"],
                name="ix_message_threads_phone_line_id_priority_run_at_id_queued",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointmentreminder",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "pending")), fields=["run_at"], name="ix_appointment_reminders_run_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointmentreminder",
            index=crm.db.indexes.Index(
                condition=models.Q(("answer", "reschedule")),
                fields=["company", "scheduled_start"],
                name="ix_appointment_reminders_company_id_scheduled_start_reschedule",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="appointmentreminder",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_appointment_reminders_company_id_created_at"
            ),
        ),
    ]
