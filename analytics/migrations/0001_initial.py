"""Tables, constraints and triggers."""

import datetime

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import analytics.models.analyses
import crm.db.audit
import crm.db.change_feed
import crm.db.policies
import crm.db.storage
import crm.db.triggers


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("calls", "0001_initial"),
        ("crm", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallAnalysis",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_column="tenant_id",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "call",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="analyses",
                        to="calls.call",
                    ),
                ),
                (
                    "objections",
                    models.JSONField(blank=True, default=list, validators=[analytics.models.analyses.validate_labels]),
                ),
                (
                    "sentiment",
                    models.CharField(
                        blank=True,
                        choices=[("positive", "Positive"), ("neutral", "Neutral"), ("negative", "Negative")],
                        max_length=10,
                    ),
                ),
                ("outcome", models.CharField(blank=True, max_length=100)),
                ("summary", models.TextField(blank=True)),
                ("analyzed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name_plural": "call analyses",
                "db_table": "call_analysis",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sentiment__in", ["", "positive", "neutral", "negative"])),
                        name="call_analysis_sentiment_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "analyzed_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            )
                        ),
                        name="call_analysis_analyzed_at_in_range",
                        violation_error_message="analyzed_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    crm.db.policies.TenantPolicy(name="call_analysis_tenant"),
                    crm.db.policies.SameCompany(field="call", name="call_analysis_call_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.company"
                    ),
                ),
                ("day", models.DateField(help_text="A day in the rollup's time zone.")),
                ("total", models.PositiveIntegerField()),
                ("qualified", models.PositiveIntegerField()),
                ("booked", models.PositiveIntegerField()),
                ("qualified_booked", models.PositiveIntegerField()),
                ("in_progress", models.IntegerField(db_default=0, default=0)),
                ("missed", models.IntegerField(db_default=0, default=0)),
                ("unbooked", models.IntegerField(db_default=0, default=0)),
                ("awaiting_quote", models.IntegerField(db_default=0, default=0)),
                ("still_deciding", models.IntegerField(db_default=0, default=0)),
                ("purchased", models.IntegerField(db_default=0, default=0)),
                ("lost", models.IntegerField(db_default=0, default=0)),
                ("cancelled", models.IntegerField(db_default=0, default=0)),
                ("lost_value", models.DecimalField(decimal_places=2, max_digits=20)),
            ],
            options={
                "verbose_name": "daily total",
                "db_table": "call_days",
                "constraints": [
                    models.UniqueConstraint(fields=("company", "day"), name="call_days_company_id_day_unique"),
                    crm.db.storage.StorageSettings(
                        name="call_days_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                            "fillfactor": 80,
                        },
                    ),
                    crm.db.policies.TenantPolicy(name="call_days_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LeadDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.company"
                    ),
                ),
                ("day", models.DateField(help_text="A day in the rollup's time zone.")),
                ("source", models.CharField(blank=True, max_length=100)),
                (
                    "assignee_id",
                    models.BigIntegerField(default=0, help_text="User ID. 0: nobody.", verbose_name="assignee ID"),
                ),
                ("leads", models.PositiveIntegerField()),
                ("booked", models.PositiveIntegerField(help_text="Leads that are booked or won.")),
                ("won", models.PositiveIntegerField()),
                ("lost", models.PositiveIntegerField()),
                ("won_value", models.DecimalField(decimal_places=2, max_digits=20)),
            ],
            options={
                "verbose_name": "daily total of leads",
                "verbose_name_plural": "daily totals of leads",
                "db_table": "lead_days",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="lead_days_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                        },
                    ),
                    models.UniqueConstraint(
                        fields=("company", "day", "source", "assignee_id"),
                        name="lead_days_company_id_day_source_assignee_id_unique",
                    ),
                    crm.db.policies.TenantPolicy(name="lead_days_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ObjectionDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.company"
                    ),
                ),
                ("day", models.DateField(help_text="A day in the rollup's time zone.")),
                (
                    "label",
                    models.CharField(blank=True, help_text="Empty: archived calls with any label.", max_length=255),
                ),
                ("calls", models.PositiveIntegerField()),
                (
                    "calls_by_first_label",
                    models.PositiveIntegerField(
                        help_text="Those without a label before this one. Their sum over all labels is the number of calls."
                    ),
                ),
            ],
            options={
                "verbose_name": "daily total of objections",
                "verbose_name_plural": "daily totals of objections",
                "db_table": "objection_days",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="objection_days_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                        },
                    ),
                    models.UniqueConstraint(
                        fields=("company", "day", "label"), name="objection_days_company_id_day_label_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="objection_days_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallRollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "timezone",
                    models.CharField(
                        blank=True, help_text="Time zone of the counted days.", max_length=64, verbose_name="time zone"
                    ),
                ),
                (
                    "rolled_up_until",
                    models.DateField(blank=True, help_text="Last counted day. Empty: none.", null=True),
                ),
                (
                    "version",
                    models.PositiveBigIntegerField(
                        default=0, help_text="Increases with each update of the counted days."
                    ),
                ),
                (
                    "tries",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Failed updates since the last successful one."
                    ),
                ),
                (
                    "run_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="Next update not before this time."
                    ),
                ),
                (
                    "error",
                    models.CharField(blank=True, help_text="Why the last update failed.", max_length=300),
                ),
            ],
            options={
                "verbose_name": "rollup",
                "db_table": "call_rollups",
                "constraints": [crm.db.policies.TenantPolicy(name="call_rollups_tenant")],
            },
        ),
        migrations.CreateModel(
            name="StaleCallHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.company"
                    ),
                ),
                ("hour", models.DateTimeField()),
            ],
            options={
                "verbose_name": "stale hour",
                "db_table": "stale_call_hours",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="stale_call_hours_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                        },
                    ),
                    crm.db.policies.TenantPolicy(name="stale_call_hours_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallObjection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "call",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="calls.call"
                    ),
                ),
                ("label", models.CharField(help_text="Trimmed, in lower case.", max_length=255)),
                ("analyzed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "call_objections",
                "constraints": [
                    models.UniqueConstraint(fields=("call", "label"), name="call_objections_call_id_label_unique"),
                    crm.db.policies.TenantPolicy(name="call_objections_tenant"),
                    crm.db.policies.SameCompany(field="call", name="call_objections_call_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ArchivedCalls",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("total", models.PositiveIntegerField()),
                ("qualified", models.PositiveIntegerField()),
                ("booked", models.PositiveIntegerField()),
                ("qualified_booked", models.PositiveIntegerField()),
                ("in_progress", models.IntegerField(db_default=0, default=0)),
                ("missed", models.IntegerField(db_default=0, default=0)),
                ("unbooked", models.IntegerField(db_default=0, default=0)),
                ("awaiting_quote", models.IntegerField(db_default=0, default=0)),
                ("still_deciding", models.IntegerField(db_default=0, default=0)),
                ("purchased", models.IntegerField(db_default=0, default=0)),
                ("lost", models.IntegerField(db_default=0, default=0)),
                ("cancelled", models.IntegerField(db_default=0, default=0)),
                ("lost_value", models.DecimalField(decimal_places=2, max_digits=20)),
                ("quarter_hour", models.DateTimeField(help_text="Start of the quarter of an hour, UTC.")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.company"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "archived calls",
                "db_table": "archived_calls",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "quarter_hour"), name="archived_calls_company_id_quarter_hour_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="archived_calls_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ArchivedChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("folder", models.CharField(help_text="Folder in which the files were written.", max_length=500)),
                (
                    "archive",
                    models.CharField(
                        help_text="Name of the folder: the time at which the archive began.", max_length=30
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("bundle", models.CharField(max_length=30)),
                ("cut_off", models.DateTimeField(help_text="All rows are older than this time.")),
                ("files", models.JSONField(help_text="Table, row count, size and checksums of each file.")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "restored_at",
                    models.DateTimeField(blank=True, help_text="Time at which the rows were restored.", null=True),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.company"
                    ),
                ),
            ],
            options={
                "verbose_name": "archive file",
                "db_table": "archived_chunks",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "archive", "number"), name="archived_chunks_company_id_archive_number_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="archived_chunks_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ArchivedObjections",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("quarter_hour", models.DateTimeField(help_text="Start of the quarter of an hour, UTC.")),
                ("label", models.CharField(blank=True, help_text="Empty: calls with any label.", max_length=255)),
                ("calls", models.PositiveIntegerField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.company"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "archived objections",
                "db_table": "archived_objections",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "quarter_hour", "label"),
                        name="archived_objections_company_id_quarter_hour_label_unique",
                    ),
                    crm.db.policies.TenantPolicy(name="archived_objections_tenant"),
                ],
            },
        ),
        crm.db.triggers.CreateTriggers(
            on="calls",
            name="mark_call_hours",
            postgresql="\nDECLARE\n    fresh timestamptz;\nBEGIN\n    IF TG_OP = 'INSERT' THEN\n        IF NEW.created_at >= clock_timestamp() - interval '1 hour'\n            OR current_setting('crm.skip_stale_hours', true) IS NOT DISTINCT FROM 'on'\n        THEN\n            RETURN NULL;\n        END IF;\n        -- A load in the order of time records an hour once a company. The setting remembers the companies; a rollback,\n        -- also one to a savepoint, reverts it together with the rows.\n        DECLARE\n            hour timestamptz := date_trunc('hour', NEW.created_at, 'UTC');\n            prefix text := extract(epoch FROM hour)::bigint || ' ';\n            recorded text := current_setting('crm.recorded_stale_hours', true);\n        BEGIN\n            IF recorded IS NULL OR NOT starts_with(recorded, prefix) THEN\n                recorded := prefix;\n            END IF;\n            IF position(' ' || NEW.company_id || ' ' IN recorded) = 0 THEN\n                INSERT INTO stale_call_hours (company_id, hour) VALUES (NEW.company_id, hour);\n                PERFORM set_config('crm.recorded_stale_hours', recorded || NEW.company_id || ' ', true);\n            END IF;\n        END;\n        RETURN NULL;\n    END IF;\n    fresh := clock_timestamp() - interval '1 hour';\n    IF TG_OP = 'UPDATE' THEN\n        IF EXISTS (SELECT FROM before WHERE created_at < fresh) OR EXISTS (SELECT FROM after WHERE created_at < fresh) THEN\n            INSERT INTO stale_call_hours (company_id, hour)\n            WITH old AS (SELECT company_id, date_trunc('hour', created_at, 'UTC') AS hour, status AS status, booked AS booked, lead_id IS NOT NULL AS qualified, CASE status WHEN 'lost' THEN quoted_price END AS lost_value FROM before WHERE created_at < fresh),\n                 new AS (SELECT company_id, date_trunc('hour', created_at, 'UTC') AS hour, status AS status, booked AS booked, lead_id IS NOT NULL AS qualified, CASE status WHEN 'lost' THEN quoted_price END AS lost_value FROM after WHERE created_at < fresh)\n            SELECT company_id, hour FROM (SELECT * FROM old EXCEPT ALL SELECT * FROM new) AS removed\n            UNION\n            SELECT company_id, hour FROM (SELECT * FROM new EXCEPT ALL SELECT * FROM old) AS added;\n        END IF;\n    ELSIF TG_OP = 'DELETE' THEN\n        INSERT INTO stale_call_hours (company_id, hour)\n        SELECT DISTINCT company_id, date_trunc('hour', created_at, 'UTC') FROM before WHERE created_at < fresh;\n    ELSE\n        -- TRUNCATE shows no rows and ignores policies: record an hour of each counted day of each company.\n        DECLARE\n            outer_setting text := current_setting('crm.all_companies', true);\n        BEGIN\n            PERFORM set_config('crm.all_companies', 'on', true);\n            INSERT INTO stale_call_hours (company_id, hour)\n            SELECT company_id, date_trunc('hour', (day + time '12:00') AT TIME ZONE timezone, 'UTC')\n            FROM (SELECT DISTINCT company_id, day FROM call_days) AS counted JOIN call_rollups USING (company_id)\n            WHERE timezone <> '';\n            PERFORM set_config('crm.all_companies', coalesce(outer_setting, ''), true);\n        END;\n    END IF;\n    RETURN NULL;\nEND\n",
            each_row={"INSERT": "true"},
        ),
        crm.db.triggers.CreateTriggers(
            on="leads",
            name="mark_lead_hours",
            postgresql="\nDECLARE\n    fresh timestamptz;\nBEGIN\n    IF TG_OP = 'INSERT' THEN\n        IF NEW.created_at >= clock_timestamp() - interval '1 hour'\n            OR current_setting('crm.skip_stale_hours', true) IS NOT DISTINCT FROM 'on'\n        THEN\n            RETURN NULL;\n        END IF;\n        -- A load in the order of time records an hour once a company. The setting remembers the companies; a rollback,\n        -- also one to a savepoint, reverts it together with the rows.\n        DECLARE\n            hour timestamptz := date_trunc('hour', NEW.created_at, 'UTC');\n            prefix text := extract(epoch FROM hour)::bigint || ' ';\n            recorded text := current_setting('crm.recorded_stale_hours', true);\n        BEGIN\n            IF recorded IS NULL OR NOT starts_with(recorded, prefix) THEN\n                recorded := prefix;\n            END IF;\n            IF position(' ' || NEW.company_id || ' ' IN recorded) = 0 THEN\n                INSERT INTO stale_call_hours (company_id, hour) VALUES (NEW.company_id, hour);\n                PERFORM set_config('crm.recorded_stale_hours', recorded || NEW.company_id || ' ', true);\n            END IF;\n        END;\n        RETURN NULL;\n    END IF;\n    fresh := clock_timestamp() - interval '1 hour';\n    IF TG_OP = 'UPDATE' THEN\n        IF EXISTS (SELECT FROM before WHERE created_at < fresh) OR EXISTS (SELECT FROM after WHERE created_at < fresh) THEN\n            INSERT INTO stale_call_hours (company_id, hour)\n            WITH old AS (SELECT company_id, date_trunc('hour', created_at, 'UTC') AS hour, status AS status, source AS source, assignee_id AS assignee_id, CASE status WHEN 'won' THEN value END AS won_value FROM before WHERE created_at < fresh),\n                 new AS (SELECT company_id, date_trunc('hour', created_at, 'UTC') AS hour, status AS status, source AS source, assignee_id AS assignee_id, CASE status WHEN 'won' THEN value END AS won_value FROM after WHERE created_at < fresh)\n            SELECT company_id, hour FROM (SELECT * FROM old EXCEPT ALL SELECT * FROM new) AS removed\n            UNION\n            SELECT company_id, hour FROM (SELECT * FROM new EXCEPT ALL SELECT * FROM old) AS added;\n        END IF;\n    ELSIF TG_OP = 'DELETE' THEN\n        INSERT INTO stale_call_hours (company_id, hour)\n        SELECT DISTINCT company_id, date_trunc('hour', created_at, 'UTC') FROM before WHERE created_at < fresh;\n    ELSE\n        -- TRUNCATE shows no rows and ignores policies: record an hour of each counted day of each company.\n        DECLARE\n            outer_setting text := current_setting('crm.all_companies', true);\n        BEGIN\n            PERFORM set_config('crm.all_companies', 'on', true);\n            INSERT INTO stale_call_hours (company_id, hour)\n            SELECT company_id, date_trunc('hour', (day + time '12:00') AT TIME ZONE timezone, 'UTC')\n            FROM (SELECT DISTINCT company_id, day FROM lead_days) AS counted JOIN call_rollups USING (company_id)\n            WHERE timezone <> '';\n            PERFORM set_config('crm.all_companies', coalesce(outer_setting, ''), true);\n        END;\n    END IF;\n    RETURN NULL;\nEND\n",
            each_row={"INSERT": "true"},
        ),
        crm.db.triggers.CreateTriggers(
            on="call_objections",
            name="mark_objection_hours",
            postgresql="\nDECLARE\n    fresh timestamptz;\nBEGIN\n    IF TG_OP = 'INSERT' THEN\n        IF current_setting('crm.skip_stale_hours', true) IS DISTINCT FROM 'on' THEN\n            INSERT INTO stale_call_hours (company_id, hour)\n            SELECT DISTINCT company_id, date_trunc('hour', analyzed_at, 'UTC')\n            FROM after WHERE analyzed_at < clock_timestamp() - interval '1 hour';\n        END IF;\n        RETURN NULL;\n    END IF;\n    fresh := clock_timestamp() - interval '1 hour';\n    IF TG_OP = 'UPDATE' THEN\n        IF EXISTS (SELECT FROM before WHERE analyzed_at < fresh) OR EXISTS (SELECT FROM after WHERE analyzed_at < fresh) THEN\n            INSERT INTO stale_call_hours (company_id, hour)\n            WITH old AS (SELECT company_id, date_trunc('hour', analyzed_at, 'UTC') AS hour, call_id AS call_id, label AS label FROM before WHERE analyzed_at < fresh),\n                 new AS (SELECT company_id, date_trunc('hour', analyzed_at, 'UTC') AS hour, call_id AS call_id, label AS label FROM after WHERE analyzed_at < fresh)\n            SELECT company_id, hour FROM (SELECT * FROM old EXCEPT ALL SELECT * FROM new) AS removed\n            UNION\n            SELECT company_id, hour FROM (SELECT * FROM new EXCEPT ALL SELECT * FROM old) AS added;\n        END IF;\n    ELSIF TG_OP = 'DELETE' THEN\n        INSERT INTO stale_call_hours (company_id, hour)\n        SELECT DISTINCT company_id, date_trunc('hour', analyzed_at, 'UTC') FROM before WHERE analyzed_at < fresh;\n    ELSE\n        -- TRUNCATE shows no rows and ignores policies: record an hour of each counted day of each company.\n        DECLARE\n            outer_setting text := current_setting('crm.all_companies', true);\n        BEGIN\n            PERFORM set_config('crm.all_companies', 'on', true);\n            INSERT INTO stale_call_hours (company_id, hour)\n            SELECT company_id, date_trunc('hour', (day + time '12:00') AT TIME ZONE timezone, 'UTC')\n            FROM (SELECT DISTINCT company_id, day FROM objection_days) AS counted JOIN call_rollups USING (company_id)\n            WHERE timezone <> '';\n            PERFORM set_config('crm.all_companies', coalesce(outer_setting, ''), true);\n        END;\n    END IF;\n    RETURN NULL;\nEND\n",
        ),
        crm.db.triggers.CreateTriggers(
            on="call_analysis",
            name="keep_call_objections",
            postgresql="\nDECLARE\n    touched bigint[];\n    outer_setting text := current_setting('crm.all_companies', true);\nBEGIN\n    IF TG_OP = 'TRUNCATE' THEN\n        PERFORM set_config('crm.all_companies', 'on', true);\n        DELETE FROM call_objections;\n        PERFORM set_config('crm.all_companies', coalesce(outer_setting, ''), true);\n        RETURN NULL;\n    ELSIF TG_OP = 'INSERT' THEN\n        touched := ARRAY(SELECT DISTINCT call_id FROM after);\n    ELSIF TG_OP = 'DELETE' THEN\n        touched := ARRAY(SELECT DISTINCT call_id FROM before);\n    ELSE\n        touched := ARRAY(\n            SELECT call_id\n            FROM (SELECT id, tenant_id, call_id, objections, analyzed_at FROM before EXCEPT ALL SELECT id, tenant_id, call_id, objections, analyzed_at FROM after) AS removed\n            UNION\n            SELECT call_id\n            FROM (SELECT id, tenant_id, call_id, objections, analyzed_at FROM after EXCEPT ALL SELECT id, tenant_id, call_id, objections, analyzed_at FROM before) AS added\n        );\n    END IF;\n    IF touched <> '{}' THEN\n        PERFORM FROM calls WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;\n        DELETE FROM call_objections WHERE call_id = ANY (touched);\n        INSERT INTO call_objections (company_id, call_id, label, analyzed_at) \nSELECT DISTINCT found.tenant_id, found.call_id, substr(lower(trim(entry.value)), 1, 255) AS label,\n       found.analyzed_at\nFROM (\n    SELECT DISTINCT ON (call_id) tenant_id, call_id, objections, analyzed_at FROM call_analysis\n    WHERE call_id = ANY (touched) ORDER BY call_id, analyzed_at DESC, id DESC\n) AS found, jsonb_array_elements_text(CASE jsonb_typeof(found.objections) WHEN 'array' THEN found.objections END) AS entry(value) WHERE trim(entry.value) <> ''\n;\n    END IF;\n    RETURN NULL;\nEND\n",
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="archivedchunk",
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="callanalysis",
            feed=crm.db.change_feed.Feed("call-analyses", company="tenant_id"),
        ),
    ]
