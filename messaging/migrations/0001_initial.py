"""Tables and constraints."""

import datetime

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import crm.db.audit
import crm.db.change_feed
import crm.db.policies
import crm.db.storage
import crm.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("calls", "0001_initial"),
        ("crm", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[("openphone", "OpenPhone / Quo"), ("callrail", "CallRail"), ("twilio", "Twilio")],
                        max_length=20,
                    ),
                ),
                (
                    "account_id",
                    models.CharField(
                        blank=True,
                        help_text="Account ID at the provider, if the provider has one.",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9]+$", "Account ID must contain letters and digits only."
                            )
                        ],
                        verbose_name="account ID",
                    ),
                ),
                (
                    "api_key",
                    crm.fields.EncryptedTextField(
                        validators=[
                            django.core.validators.MaxLengthValidator(200),
                            django.core.validators.RegexValidator(
                                "\\A[!-~]+\\Z", "API key must be one word of ASCII letters, digits and symbols."
                            ),
                        ],
                        verbose_name="API key",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "provider_accounts",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("provider__in", ["openphone", "callrail", "twilio"])),
                        name="provider_accounts_provider_valid",
                        violation_error_message="provider must be one of: openphone, callrail, twilio.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("provider__in", ("openphone",)),
                            models.Q(("account_id", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="provider_accounts_account_id_given",
                        violation_error_message="This provider requires an account ID.",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "provider"),
                        name="provider_accounts_company_id_provider_unique",
                        violation_error_message="The company already has an account with this provider.",
                    ),
                    crm.db.policies.TenantPolicy(name="provider_accounts_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "activity",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="message", to="crm.activity"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_column="contact_card_id",
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="crm.contact",
                    ),
                ),
                (
                    "phone_line",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.phoneline",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="messages",
                        to="crm.campaignmembership",
                    ),
                ),
                (
                    "direction",
                    models.CharField(choices=[("incoming", "Incoming"), ("outgoing", "Outgoing")], max_length=10),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reply", "Reply"),
                            ("scheduled", "Scheduled by a user"),
                            ("campaign", "Campaign"),
                            ("reminder", "Reminder"),
                            ("missed_call", "Missed call"),
                            ("on_the_way", "On the way to an appointment"),
                            ("confirmation", "Confirmation of an opt-out or opt-in"),
                        ],
                        help_text="Empty for messages not sent by this product.",
                        max_length=20,
                    ),
                ),
                (
                    "from_number",
                    models.CharField(blank=True, help_text="E.164, or as sent, such as a short code.", max_length=32),
                ),
                (
                    "to_numbers",
                    models.JSONField(blank=True, default=list, help_text="All recipients; several in a group message."),
                ),
                (
                    "priority",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(kind__in=("reply", "confirmation", "on_the_way"), then=0),
                            models.When(kind="campaign", then=2),
                            default=1,
                        ),
                        help_text="0 is sent first: what is useless later, then other automatic messages, then campaigns.",
                        output_field=models.SmallIntegerField(),
                    ),
                ),
                ("body", models.TextField(blank=True)),
                ("media", models.JSONField(blank=True, default=list, help_text="Attachments: a list of {url, type}.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("held", "Held"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("received", "Received"),
                            ("failed", "Failed"),
                            ("undelivered", "Undelivered"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "error_code",
                    models.CharField(
                        blank=True,
                        help_text="Error code of the provider or the carrier. Own ones: `cancelled`, and `replied` of a held message.",
                        max_length=20,
                    ),
                ),
                (
                    "error",
                    models.CharField(
                        blank=True, help_text="Why the message was not sent or not delivered.", max_length=300
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0, help_text="Number of send attempts.")),
                ("run_at", models.DateTimeField(blank=True, help_text="Next attempt not before this time.", null=True)),
                (
                    "send_at",
                    models.DateTimeField(blank=True, help_text="Time that a user has chosen for sending.", null=True),
                ),
                (
                    "hold_if_reply",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="A reply that arrives before it leaves holds it back.",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="Time of writing or receipt. It never changes: threads are in this order.",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                (
                    "sent_at",
                    models.DateTimeField(
                        blank=True, help_text="Time of the last send attempt by this product.", null=True
                    ),
                ),
                (
                    "read_at",
                    models.DateTimeField(
                        blank=True, help_text="Time when a user read the incoming message.", null=True
                    ),
                ),
            ],
            options={
                "db_table": "message_threads",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="message_threads_storage",
                        parameters={
                            "autovacuum_analyze_scale_factor": 0.02,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_vacuum_scale_factor": 0.01,
                        },
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("direction__in", ["incoming", "outgoing"])),
                        name="message_threads_direction_valid",
                        violation_error_message="direction must be one of: incoming, outgoing.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "queued",
                                    "held",
                                    "sending",
                                    "sent",
                                    "delivered",
                                    "received",
                                    "failed",
                                    "undelivered",
                                    "unknown",
                                ],
                            )
                        ),
                        name="message_threads_status_valid",
                        violation_error_message="status must be one of: queued, held, sending, sent, delivered, received, failed, undelivered, unknown.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", ""),
                            models.Q(
                                ("direction", "outgoing"),
                                (
                                    "kind__in",
                                    [
                                        "reply",
                                        "scheduled",
                                        "campaign",
                                        "reminder",
                                        "missed_call",
                                        "on_the_way",
                                        "confirmation",
                                    ],
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="message_threads_kind_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ("queued", "sending", "unknown")), _negated=True),
                            ("run_at__isnull", False),
                            _connector="OR",
                        ),
                        name="message_threads_on_its_way_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "scheduled"), ("send_at__isnull", False)),
                            models.Q(
                                models.Q(("kind", "scheduled"), _negated=True),
                                ("hold_if_reply", False),
                                ("send_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="message_threads_scheduled_has_send_at",
                        violation_error_message="Only a scheduled message has these.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "created_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            )
                        ),
                        name="message_threads_created_at_in_range",
                        violation_error_message="created_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    crm.db.policies.TenantPolicy(name="message_threads_tenant"),
                    crm.db.policies.SameCompany(field="activity", name="message_threads_activity_id_same_company"),
                    crm.db.policies.SameCompany(field="contact", name="message_threads_contact_card_id_same_company"),
                    crm.db.policies.SameCompany(field="phone_line", name="message_threads_phone_line_id_same_company"),
                    crm.db.policies.SameCompany(field="membership", name="message_threads_membership_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[("openphone", "OpenPhone / Quo"), ("callrail", "CallRail"), ("twilio", "Twilio")],
                        max_length=20,
                    ),
                ),
                (
                    "event_id",
                    models.CharField(
                        help_text="The provider's event ID, else a hash of the body.",
                        max_length=200,
                        verbose_name="event ID",
                    ),
                ),
                ("event_type", models.CharField(blank=True, max_length=100)),
                ("body", models.BinaryField(help_text="Request body as signed.")),
                ("headers", models.JSONField(default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("processed", "Processed"),
                            ("ignored", "Ignored"),
                            ("dead", "Dead"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                (
                    "processed",
                    models.BooleanField(
                        default=False, help_text="No processing is pending. True for ignored events, too."
                    ),
                ),
                (
                    "error",
                    models.TextField(
                        blank=True, help_text="Why the event was ignored, failed, or had characters replaced."
                    ),
                ),
                (
                    "tries",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Failed attempts. A worker crash doesn't count."
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, help_text="Time of receipt."),
                ),
                (
                    "run_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="Next attempt not before this time.",
                    ),
                ),
                ("processed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "webhook_events",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("provider__in", ["openphone", "callrail", "twilio"])),
                        name="webhook_events_provider_valid",
                        violation_error_message="provider must be one of: openphone, callrail, twilio.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "processed", "ignored", "dead"])),
                        name="webhook_events_status_valid",
                        violation_error_message="status must be one of: pending, processed, ignored, dead.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("processed", True), ("status__in", ("processed", "ignored"))),
                            models.Q(
                                ("processed", False), models.Q(("status__in", ("processed", "ignored")), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="webhook_events_processed_agrees_with_status",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "provider", "event_id"),
                        name="webhook_events_company_id_provider_event_id_unique",
                    ),
                    crm.db.storage.StorageSettings(
                        name="webhook_events_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                        },
                    ),
                    crm.db.policies.TenantPolicy(name="webhook_events_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookSecret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[("openphone", "OpenPhone / Quo"), ("callrail", "CallRail"), ("twilio", "Twilio")],
                        max_length=20,
                    ),
                ),
                ("secret", crm.fields.EncryptedTextField(validators=[django.core.validators.MaxLengthValidator(200)])),
                ("secret_fingerprint", models.CharField(editable=False, max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "webhook_secrets",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("provider__in", ["openphone", "callrail", "twilio"])),
                        name="webhook_secrets_provider_valid",
                        violation_error_message="provider must be one of: openphone, callrail, twilio.",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "provider", "secret_fingerprint"),
                        name="webhook_secrets_company_id_provider_secret_fingerprint_unique",
                        violation_error_message="The company already has this secret.",
                    ),
                    crm.db.policies.TenantPolicy(name="webhook_secrets_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Snippet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "shortcut",
                    models.CharField(
                        help_text="What people type after a slash: small letters, digits, - and _.",
                        max_length=30,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9][a-z0-9_-]*\\Z",
                                "Must be small letters, digits, - and _, without the slash.",
                            )
                        ],
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        help_text="The text, with placeholders such as {first_name|there}.", max_length=1600
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "snippets",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("shortcut", ""), _negated=True), models.Q(("body", ""), _negated=True)
                        ),
                        name="snippets_texts_present",
                        violation_error_message="A snippet must have a shortcut and a text.",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "shortcut"),
                        name="snippets_company_id_shortcut_unique",
                        violation_error_message="Another snippet has this shortcut.",
                    ),
                    crm.db.policies.TenantPolicy(name="snippets_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderHealth",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "provider",
                    models.CharField(
                        choices=[("openphone", "OpenPhone / Quo"), ("callrail", "CallRail"), ("twilio", "Twilio")],
                        max_length=20,
                        unique=True,
                    ),
                ),
                (
                    "unreachable",
                    models.PositiveBigIntegerField(db_default=0, default=0, help_text="Calls without a connection."),
                ),
                (
                    "unknown",
                    models.PositiveBigIntegerField(
                        db_default=0, default=0, help_text="Calls without a readable answer."
                    ),
                ),
                (
                    "rate_limited",
                    models.PositiveBigIntegerField(db_default=0, default=0, help_text="Calls refused for their pace."),
                ),
                (
                    "suspended",
                    models.PositiveBigIntegerField(db_default=0, default=0, help_text="Calls refused for the line."),
                ),
                (
                    "rejected",
                    models.PositiveBigIntegerField(db_default=0, default=0, help_text="Calls refused for the message."),
                ),
                (
                    "events_processed",
                    models.PositiveBigIntegerField(db_default=0, default=0, help_text="Webhook events recorded."),
                ),
                (
                    "events_ignored",
                    models.PositiveBigIntegerField(db_default=0, default=0, help_text="Webhook events ignored."),
                ),
                (
                    "events_dead",
                    models.PositiveBigIntegerField(db_default=0, default=0, help_text="Webhook events that failed."),
                ),
                (
                    "failed_in_row",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Calls without a connection or answer, since the last answer.",
                    ),
                ),
                ("down_since", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "provider health",
                "db_table": "provider_health",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("provider__in", ["openphone", "callrail", "twilio"])),
                        name="provider_health_provider_valid",
                        violation_error_message="provider must be one of: openphone, callrail, twilio.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AppointmentReminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="calls.appointment",
                    ),
                ),
                ("lead_minutes", models.PositiveSmallIntegerField(help_text="Minutes before the start.")),
                ("scheduled_start", models.DateTimeField(help_text="Start that the reminder names.")),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("queued", "Queued"), ("skipped", "Skipped")],
                        default="pending",
                        max_length=20,
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Why there is no message.", max_length=300),
                ),
                (
                    "message_id",
                    models.BigIntegerField(blank=True, null=True, unique=True, verbose_name="message ID"),
                ),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("confirmed", "Confirmed"), ("reschedule", "Asks for another time")],
                        max_length=20,
                    ),
                ),
                (
                    "answered_at",
                    models.DateTimeField(blank=True, help_text="Time of the contact's latest answer.", null=True),
                ),
                (
                    "run_at",
                    models.DateTimeField(blank=True, help_text="End of a worker's lease. Empty: done.", null=True),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
            ],
            options={
                "db_table": "appointment_reminders",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "queued", "skipped"])),
                        name="appointment_reminders_status_valid",
                        violation_error_message="status must be one of: pending, queued, skipped.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", ""), ("answered_at__isnull", True)),
                            models.Q(("answer__in", ["confirmed", "reschedule"]), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="appointment_reminders_answer_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "pending"), _negated=True),
                            ("run_at__isnull", False),
                            _connector="OR",
                        ),
                        name="appointment_reminders_pending_has_time",
                    ),
                    models.UniqueConstraint(
                        fields=("appointment", "lead_minutes"),
                        name="appointment_reminders_appointment_id_lead_minutes_unique",
                    ),
                    crm.db.policies.TenantPolicy(name="appointment_reminders_tenant"),
                    crm.db.policies.SameCompany(
                        field="appointment", name="appointment_reminders_appointment_id_same_company"
                    ),
                ],
            },
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="provideraccount",
            hides=["api_key"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="webhooksecret",
            hides=["secret", "secret_fingerprint"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="snippet",
            skips=["updated_at"],
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="snippet",
            feed=crm.db.change_feed.Feed("snippets"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="message",
            feed=crm.db.change_feed.Feed(
                "message-threads",
                key="contact_card_id",
                ignores=("tries", "run_at"),
                also=(crm.db.change_feed.Also("held-messages", condition="{row}.status = 'held'"),),
            ),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="appointmentreminder",
            feed=crm.db.change_feed.Feed("appointment-reminders", ignores=("run_at",)),
        ),
    ]
