"""Indexes, built without blocking writers."""

from django.db import migrations, models

import crm.db.index_operations
import crm.db.indexes


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY can't run in a transaction

    dependencies = [
        ("crm", "0001_initial"),
    ]

    operations = [
        crm.db.index_operations.AddIndexConcurrently(
            model_name="user",
            index=crm.db.indexes.Index(fields=["company", "date_joined"], name="ix_users_company_id_date_joined"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="usersession",
            index=crm.db.indexes.Index(fields=["user", "created_at"], name="ix_user_sessions_user_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="usersession",
            index=crm.db.indexes.Index(fields=["expires_at"], name="ix_user_sessions_expires_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="mail",
            index=crm.db.indexes.Index(
                condition=models.Q(("state", "queued")), fields=["run_at"], name="ix_mails_run_at_queued"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="mail",
            index=crm.db.indexes.Index(fields=["user"], name="ix_mails_user_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="mail",
            index=crm.db.indexes.Index(fields=["created_at"], name="ix_mails_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="mail",
            index=crm.db.indexes.Index(
                condition=models.Q(("state", "failed")), fields=["created_at"], name="ix_mails_created_at_failed"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="phoneline",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_phone_lines_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contact",
            index=crm.db.indexes.HashIndex(fields=["phone"], name="idx_contact_phone_hash"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contact",
            index=crm.db.indexes.Index(fields=["first_name"], name="idx_contact_first_name"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contact",
            index=crm.db.indexes.Index(fields=["last_name"], name="idx_contact_last_name"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contact",
            index=crm.db.indexes.Index(fields=["email"], name="idx_contact_email"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contact",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_contacts_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contact",
            index=crm.db.indexes.Index(
                condition=models.Q(("keys_stale", True)), fields=["id"], name="ix_contacts_id_keys_stale"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contact",
            index=crm.db.indexes.Index(
                condition=models.Q(("is_abroad", True)),
                fields=["company", "id"],
                name="ix_contacts_company_id_id_abroad",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactsearchkey",
            index=crm.db.indexes.Index(
                fields=["company", "key"], include=("contact",), name="ix_contact_search_keys_company_id_key"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactphone",
            index=crm.db.indexes.Index(fields=["contact"], name="ix_contact_phones_contact_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactphone",
            index=crm.db.indexes.Index(
                fields=["company", "phone_reversed"], name="ix_contact_phones_company_id_phone_reversed"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactphone",
            index=crm.db.indexes.Index(
                condition=models.Q(("is_main_elsewhere", True)),
                fields=["company", "phone"],
                name="ix_contact_phones_company_id_phone_main_elsewhere",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactflag",
            index=crm.db.indexes.Index(fields=["contact"], name="ix_contact_flags_contact_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactflag",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_contact_flags_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactflag",
            index=crm.db.indexes.Index(
                condition=models.Q(("flag_type", "opted_out")),
                fields=["flag_type", "contact"],
                name="idx_contact_flag_type_phone",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactfield",
            index=crm.db.indexes.Index(fields=["company", "position"], name="ix_contact_fields_company_id_position"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactfield",
            index=crm.db.indexes.Index(
                condition=models.Q(("deleted_at__isnull", False)),
                fields=["deleted_at"],
                name="ix_contact_fields_deleted_at",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactfieldvalue",
            index=crm.db.indexes.Index(fields=["field"], name="ix_contact_field_values_field_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactfieldvalue",
            index=crm.db.indexes.Index(
                condition=models.Q(("text_key__isnull", False)),
                fields=["company", "field", "text_key", "contact"],
                name="ix_contact_field_values_company_id_field_id_text_key_contact_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactfieldvalue",
            index=crm.db.indexes.Index(
                condition=models.Q(("number__isnull", False)),
                fields=["company", "field", "number", "contact"],
                name="ix_contact_field_values_company_id_field_id_number_contact_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactfieldvalue",
            index=crm.db.indexes.Index(
                condition=models.Q(("date__isnull", False)),
                fields=["company", "field", "date", "contact"],
                name="ix_contact_field_values_company_id_field_id_date_contact_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactfieldvalue",
            index=crm.db.indexes.Index(
                condition=models.Q(("yes__isnull", False)),
                fields=["company", "field", "yes", "contact"],
                name="ix_contact_field_values_company_id_field_id_yes_contact_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactlistentry",
            index=crm.db.indexes.Index(fields=["contact"], name="ix_contact_list_entries_contact_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contacttag",
            index=crm.db.indexes.Index(fields=["tag", "contact"], name="ix_contact_tags_tag_id_contact_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactmerge",
            index=crm.db.indexes.Index(fields=["kept"], name="ix_merges_kept_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactmerge",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_merges_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="contactmerge",
            index=crm.db.indexes.Index(
                fields=["created_at"],
                condition=models.Q(("before", {}), _negated=True),
                name="ix_merges_created_at_undoable",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="duplicatecandidate",
            index=crm.db.indexes.Index(fields=["company", "score", "id"], name="ix_duplicates_company_id_score_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="duplicatecandidate",
            index=crm.db.indexes.Index(
                condition=models.Q(("state", "open")), fields=["created_at"], name="ix_duplicates_created_at_open"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="duplicatecandidate",
            index=crm.db.indexes.Index(
                condition=models.Q(("state", "open")), fields=["score", "id"], name="ix_duplicates_score_id_open"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="duplicatecandidate",
            index=crm.db.indexes.Index(fields=["second"], name="ix_duplicates_second_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="lead",
            index=crm.db.indexes.Index(fields=["contact"], name="ix_leads_contact_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="lead",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_leads_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="lead",
            index=crm.db.indexes.Index(
                condition=models.Q(("assignee__isnull", True), ("status__in", ["new", "contacted", "qualified"])),
                fields=["company", "created_at"],
                name="ix_leads_company_id_created_at_pool",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="lead",
            index=crm.db.indexes.Index(fields=["assignee", "created_at"], name="ix_leads_assignee_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="lead",
            index=crm.db.indexes.Index(
                fields=["company", "source", "created_at"], name="ix_leads_company_id_source_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaign",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_campaigns_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaignmembership",
            index=crm.db.indexes.Index(
                fields=["campaign", "status"], include=("company",), name="idx_campaign_membership_status"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaignmembership",
            index=crm.db.indexes.Index(fields=["sent_at", "status"], name="idx_campaign_membership_sent"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaignmembership",
            index=crm.db.indexes.Index(fields=["contact"], name="ix_campaign_memberships_contact_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaignmembership",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_campaign_memberships_company_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="apitoken",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_api_tokens_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="calendarfeed",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_calendar_feeds_company_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="outgoingwebhook",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_outgoing_webhooks_company_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="outgoingevent",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "pending")),
                fields=["webhook", "run_at", "id"],
                name="ix_outgoing_events_webhook_id_run_at_id_pending",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="outgoingevent",
            index=crm.db.indexes.Index(
                fields=["webhook", "created_at"], name="ix_outgoing_events_webhook_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="outgoingevent",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_outgoing_events_company_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="outgoingevent",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "dead")),
                fields=["company", "created_at"],
                name="ix_outgoing_events_company_id_created_at_dead",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="outgoingevent",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "pending"), _negated=True),
                fields=["created_at"],
                name="ix_outgoing_events_created_at_ended",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="auditentry",
            index=crm.db.indexes.Index(fields=["company", "at"], name="ix_audit_entries_company_id_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="auditentry",
            index=crm.db.indexes.Index(
                fields=["company", "table_name", "at"], name="ix_audit_entries_company_id_table_name_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="auditentry",
            index=crm.db.indexes.Index(
                condition=models.Q(("actor_id__isnull", False)),
                fields=["company", "actor_id", "at"],
                name="ix_audit_entries_company_id_actor_id_at",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="auditentry",
            index=crm.db.indexes.Index(
                condition=models.Q(("action__in", ["export", "replay"])),
                fields=["company", "at"],
                name="ix_audit_entries_company_id_at_action",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="auditentry",
            index=crm.db.indexes.Index(fields=["table_name", "row_id"], name="ix_audit_entries_table_name_row_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(fields=["phone_line"], name="idx_conversation_phone_number_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(fields=["contact"], name="idx_conversation_contact"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_conversations_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(
                fields=["company", "last_activity_at"], name="ix_conversations_company_id_last_activity_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(
                fields=["company", "status", "last_activity_at"],
                name="ix_conversations_company_id_status_last_activity_at",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(
                condition=models.Q(("assignee__isnull", False)),
                fields=["assignee", "last_activity_at"],
                name="ix_conversations_assignee_id_last_activity_at",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(fields=["last_activity_at"], name="ix_conversations_last_activity_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(
                condition=models.Q(("snoozed_until__isnull", False)),
                fields=["snoozed_until"],
                name="ix_conversations_snoozed_until",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "waiting")),
                fields=["last_activity_at"],
                name="ix_conversations_last_activity_at_waiting",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="conversation",
            index=crm.db.indexes.Index(
                condition=models.Q(("assignee__isnull", True), ("status__in", ["open", "waiting"])),
                fields=["last_activity_at"],
                name="ix_conversations_last_activity_at_unassigned",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="activity",
            index=crm.db.indexes.Index(
                condition=models.Q(("openphone_id__isnull", False)),
                fields=["openphone_id"],
                name="idx_activity_openphone_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="activity",
            index=crm.db.indexes.Index(fields=["conversation", "created_at"], name="idx_activity_conversation_created"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="activity",
            index=crm.db.indexes.Index(fields=["activity_type", "created_at"], name="idx_activity_type_created"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="activity",
            index=crm.db.indexes.Index(fields=["user", "created_at"], name="idx_activity_user"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="activity",
            index=crm.db.indexes.Index(fields=["contact", "created_at"], name="idx_activity_contact"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="activity",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_activities_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="idempotencykey",
            index=crm.db.indexes.Index(fields=["created_at"], name="ix_idempotency_keys_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="invoice",
            index=crm.db.indexes.Index(fields=["status", "due_date"], name="idx_invoice_status_due"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="invoice",
            index=crm.db.indexes.Index(
                condition=models.Q(("status__in", ("sent", "partial", "overdue"))),
                fields=["due_date"],
                name="ix_invoices_due_date_unpaid",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="invoice",
            index=crm.db.indexes.Index(fields=["company", "due_date"], name="ix_invoices_company_id_due_date"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="invoice",
            index=crm.db.indexes.Index(fields=["contact"], name="ix_invoices_contact_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="invoice",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_invoices_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="optout",
            index=crm.db.indexes.Index(
                condition=models.Q(("state", "under_review")),
                fields=["company", "created_at"],
                name="ix_opt_outs_company_id_created_at_under_review",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="optout",
            index=crm.db.indexes.Index(
                condition=models.Q(("decided_at__isnull", False)),
                fields=["company", "created_at"],
                name="ix_opt_outs_company_id_created_at_decided",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="marketingconsent",
            index=crm.db.indexes.Index(fields=["company", "phone"], name="ix_marketing_consents_company_id_phone"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="marketingconsent",
            index=crm.db.indexes.Index(
                condition=models.Q(("main_contact_id__isnull", True), ("withdrawn_at__isnull", True)),
                fields=["company", "phone"],
                name="ix_marketing_consents_company_id_phone_unlinked",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="marketingconsent",
            index=crm.db.indexes.Index(
                condition=models.Q(("main_contact_id__isnull", False)),
                fields=["company", "main_contact_id"],
                name="ix_marketing_consents_company_id_main_contact_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="marketingconsent",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_marketing_consents_company_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="optoutentry",
            index=crm.db.indexes.Index(
                fields=["opt_out", "occurred_at"], name="ix_opt_out_entries_opt_out_id_occurred_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="optoutentry",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_opt_out_entries_company_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="optoutentry",
            index=crm.db.indexes.Index(
                condition=models.Q(("activity__isnull", False)),
                fields=["activity"],
                name="ix_opt_out_entries_activity_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="storedfile",
            index=crm.db.indexes.Index(fields=["expires_at"], name="ix_stored_files_expires_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="storedfile",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_stored_files_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="storedfile",
            index=crm.db.indexes.Index(
                condition=models.Q(("expires_at__isnull", True), ("has_object", False)),
                fields=["created_at"],
                name="ix_stored_files_created_at_in_database",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="storedobject",
            index=crm.db.indexes.Index(
                condition=models.Q(("file__isnull", True), ("copied_at__isnull", True), _connector="OR"),
                fields=["run_at"],
                name="ix_stored_objects_run_at_unfinished",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="backgroundtask",
            index=crm.db.indexes.Index(
                fields=["company", "created_at"], name="ix_background_tasks_company_id_created_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="backgroundtask",
            index=crm.db.indexes.Index(
                condition=models.Q(("state__in", ["queued", "running"])),
                fields=["id"],
                name="ix_background_tasks_id_open",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="backgroundtask",
            index=crm.db.indexes.Index(
                condition=models.Q(("result_file__isnull", False)),
                fields=["result_file"],
                name="ix_background_tasks_result_file_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="import",
            index=crm.db.indexes.Index(fields=["company", "created_at"], name="ix_imports_company_id_created_at"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="import",
            index=crm.db.indexes.Index(
                condition=models.Q(("dry_run", False), ("rejected__gt", 0)),
                fields=["created_at"],
                name="ix_imports_created_at_rejected",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="import",
            index=crm.db.indexes.Index(
                fields=["company", "header_key", "id"], name="ix_imports_company_id_header_key_id"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="import",
            index=crm.db.indexes.Index(
                condition=models.Q(("file__isnull", False)), fields=["file"], name="ix_imports_file_id"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="import",
            index=crm.db.indexes.Index(
                condition=models.Q(("list__isnull", False)), fields=["list"], name="ix_imports_list_id"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="import",
            index=crm.db.indexes.Index(fields=["task"], name="ix_imports_task_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="importrow",
            index=crm.db.indexes.Index(
                condition=models.Q(("contact_id__isnull", False)),
                fields=["contact_id", "source"],
                name="ix_import_rows_contact_id_import_id",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="change",
            index=crm.db.indexes.Index(fields=["company", "xid", "id"], name="ix_changes_company_id_xid_id"),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaign",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "running")), fields=["feed_at"], name="ix_campaigns_feed_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaign",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "scheduled")), fields=["scheduled_at"], name="ix_campaigns_scheduled_at"
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaignmembership",
            index=crm.db.indexes.Index(
                condition=models.Q(("status", "pending")),
                fields=["campaign", "due_at", "id"],
                name="ix_campaign_memberships_campaign_id_due_at_id_pending",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaignmembership",
            index=crm.db.indexes.Index(
                condition=models.Q(
                    ("status__in", ("sent", "delivered", "undelivered", "replied", "opted_out", "failed"))
                ),
                fields=["campaign", "updated_at"],
                name="ix_campaign_memberships_campaign_id_updated_at_outcome",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaignmembership",
            index=crm.db.indexes.Index(
                condition=models.Q(("sent_at__isnull", False)),
                fields=["company", "sent_at"],
                include=["contact"],
                name="ix_campaign_memberships_company_id_sent_at",
            ),
        ),
        crm.db.index_operations.AddIndexConcurrently(
            model_name="campaigncount",
            index=crm.db.indexes.Index(
                fields=["company", "campaign"], name="ix_campaign_counts_company_id_campaign_id"
            ),
        ),
    ]
