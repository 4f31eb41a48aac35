"""Tables and constraints."""

import datetime

import django.contrib.auth.validators
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.lookups
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import crm.db.audit
import crm.db.change_feed
import crm.db.policies
import crm.db.rate_counters
import crm.db.replicas
import crm.db.request_functions
import crm.db.storage
import crm.db.triggers
import crm.fields
import crm.models.appointment_texts
import crm.models.companies
import crm.models.opt_out_texts
import crm.models.outgoing_webhooks


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Company",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                (
                    "slug",
                    models.SlugField(
                        help_text="Part of the webhook URLs given to providers.", max_length=100, unique=True
                    ),
                ),
                (
                    "timezone",
                    models.CharField(
                        default="America/New_York",
                        max_length=64,
                        validators=[crm.models.companies.validate_timezone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        default="USD",
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{3}$", "Must be three capital letters, such as USD."
                            )
                        ],
                    ),
                ),
                (
                    "missed_call_text",
                    models.TextField(blank=True, help_text="Sent after a missed call. Leave empty to send nothing."),
                ),
                (
                    "after_hours_text",
                    models.TextField(
                        blank=True,
                        db_default="",
                        help_text="Sent instead after a call that was missed outside of working hours. Empty: the same text.",
                    ),
                ),
                (
                    "working_hours",
                    models.JSONField(
                        blank=True,
                        help_text='By day: {"monday": {"opens": "08:00", "closes": "17:00"}}. Other days: closed. Empty: always open.',
                        null=True,
                        validators=[crm.working_hours.validate_working_hours],
                    ),
                ),
                (
                    "quiet_hours_start",
                    models.PositiveSmallIntegerField(
                        db_default=21,
                        default=21,
                        help_text="Hour from which automatic texts wait, by the recipient's clock: 21 (9 pm) at the latest.",
                        verbose_name="quiet hours begin at",
                    ),
                ),
                (
                    "quiet_hours_end",
                    models.PositiveSmallIntegerField(
                        db_default=8,
                        default=8,
                        help_text="Hour from which they leave: 8 at the earliest. States and campaigns have stricter hours.",
                        verbose_name="quiet hours end at",
                    ),
                ),
                (
                    "opt_out_text",
                    models.TextField(
                        blank=True,
                        db_default="",
                        help_text="Confirms an opt-out, with {company_name} and the word START. Empty: the standard text.",
                        max_length=320,
                        validators=[crm.models.opt_out_texts.validate_opt_out_text],
                        verbose_name="confirmation of opt-outs",
                    ),
                ),
                (
                    "retention_days",
                    models.PositiveIntegerField(
                        blank=True, help_text="Archive closed records after this many days. Empty: never.", null=True
                    ),
                ),
                (
                    "recording_retention_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Delete recordings and voicemails after this many days. Empty: never.",
                        null=True,
                    ),
                ),
                (
                    "close_conversations_after_days",
                    models.PositiveIntegerField(
                        blank=True,
                        default=90,
                        help_text="Close conversations after this many days without a call or message. Empty: never.",
                        null=True,
                    ),
                ),
                (
                    "require_marketing_consent",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Leave contacts without a recorded consent out of campaigns.",
                    ),
                ),
                (
                    "campaign_interval_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="A contact gets one campaign in this many days. Empty: any number.",
                        null=True,
                    ),
                ),
                (
                    "daily_segment_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="SMS segments a day (UTC) that carriers allow for all lines together. Empty: only each line's limit.",
                        null=True,
                    ),
                ),
                (
                    "segment_price_micros",
                    models.PositiveIntegerField(
                        db_default=11000,
                        default=11000,
                        help_text="Price of an SMS segment in millionths of the currency, for estimates.",
                    ),
                ),
                (
                    "appointment_reminders",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Remind contacts of appointments 24 hours and 2 hours before.",
                    ),
                ),
                (
                    "reminder_text_24h",
                    models.TextField(
                        blank=True,
                        db_default="",
                        help_text="Reminder 24 hours before. It may have {first_name|there}, {company_name}, {day}, {time} and {answers}. Empty: the standard text.",
                        max_length=1000,
                        validators=[crm.models.appointment_texts.validate_reminder_text],
                        verbose_name="reminder text, 24 hours before",
                    ),
                ),
                (
                    "reminder_text_2h",
                    models.TextField(
                        blank=True,
                        db_default="",
                        help_text="Reminder 2 hours before, with the same placeholders. Empty: the standard text.",
                        max_length=1000,
                        validators=[crm.models.appointment_texts.validate_reminder_text],
                        verbose_name="reminder text, 2 hours before",
                    ),
                ),
                (
                    "on_the_way_text",
                    models.TextField(
                        blank=True,
                        db_default="",
                        help_text="Text that the rep is on the way. It may have {first_name|there}, {company_name}, {rep|Your rep} and {minutes}. Empty: the standard text.",
                        max_length=1000,
                        validators=[crm.models.appointment_texts.validate_on_the_way_text],
                        verbose_name="on-the-way text",
                    ),
                ),
                (
                    "duplicates_run_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                        help_text="The next search for duplicates isn't before. While one runs: the end of its lease.",
                    ),
                ),
                (
                    "duplicates_searched_at",
                    models.DateTimeField(
                        editable=False,
                        help_text="Start of the last search for duplicates. Empty: there was none.",
                        null=True,
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
            ],
            options={
                "verbose_name_plural": "companies",
                "db_table": "companies",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("retention_days__isnull", True), ("retention_days__gte", 365), _connector="OR"
                        ),
                        name="companies_retention_days_valid",
                        violation_error_message="retention_days must be at least 365, or empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("recording_retention_days__isnull", True),
                            ("recording_retention_days__gte", 30),
                            _connector="OR",
                        ),
                        name="companies_recording_retention_days_valid",
                        violation_error_message="recording_retention_days must be at least 30, or empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("close_conversations_after_days__isnull", True),
                            ("close_conversations_after_days__gte", 7),
                            _connector="OR",
                        ),
                        name="companies_close_conversations_after_days_valid",
                        violation_error_message="close_conversations_after_days must be at least 7, or empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("campaign_interval_days__isnull", True),
                            ("campaign_interval_days__range", (1, 365)),
                            _connector="OR",
                        ),
                        name="companies_campaign_interval_days_valid",
                        violation_error_message="campaign_interval_days must be from 1 to 365, or empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("daily_segment_limit__isnull", True), ("daily_segment_limit__gte", 1), _connector="OR"
                        ),
                        name="companies_daily_segment_limit_valid",
                        violation_error_message="daily_segment_limit must be at least 1, or empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("segment_price_micros__lte", 10000000)),
                        name="companies_segment_price_micros_valid",
                        violation_error_message="segment_price_micros must be at most 10000000.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quiet_hours_end__range", (8, 21))),
                        name="companies_quiet_hours_end_valid",
                        violation_error_message="quiet_hours_end must be from 8 to 21: the law allows automatic texts in no other hours.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quiet_hours_start__range", (8, 21))),
                        name="companies_quiet_hours_start_valid",
                        violation_error_message="quiet_hours_start must be from 8 to 21: the law allows automatic texts in no other hours.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quiet_hours_start__gt", models.F("quiet_hours_end"))),
                        name="companies_quiet_hours_leave_an_hour",
                        violation_error_message="quiet_hours_start must be later than quiet_hours_end, or no text could leave.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "second_factor_since",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Since when signing in asks for a code.",
                        null=True,
                    ),
                ),
                (
                    "working_hours",
                    models.JSONField(
                        blank=True,
                        help_text="Of a rep, as those of the company: by day. Empty: the company's.",
                        null=True,
                        validators=[crm.working_hours.validate_working_hours],
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        blank=True, choices=[("manager", "Manager"), ("csr", "CSR"), ("rep", "Rep")], max_length=10
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
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "db_table": "users",
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("company__isnull", True), ("is_staff", True), ("role", "")),
                            models.Q(("company__isnull", False), ("role__in", ["manager", "csr", "rep"])),
                            _connector="OR",
                        ),
                        name="users_role_within_company",
                        violation_error_message="A user must have a company and a role, or be staff without either.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("company__isnull", True),
                            models.Q(("is_superuser", False), ("is_staff", False)),
                            _connector="OR",
                        ),
                        name="users_staff_without_company",
                        violation_error_message="A user of a company can't be staff.",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("username"),
                        name="users_username_lower_unique",
                        violation_error_message="A user with that username already exists.",
                    ),
                ],
            },
            managers=[
                ("accounts", crm.models.companies.AccountManager()),
                ("objects", crm.models.companies.TenantUserManager()),
            ],
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="second_factor",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("key", crm.fields.EncryptedTextField(help_text="Shared with the app.")),
                (
                    "last_step",
                    models.BigIntegerField(
                        default=0, help_text="The time step of the last used code: a code works once."
                    ),
                ),
                ("recovery_codes", models.JSONField(default=list, help_text="Keyed hashes of the unused ones.")),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, help_text="Wrong codes since the last right one."),
                ),
                (
                    "failed_at",
                    models.DateTimeField(blank=True, help_text="Time of the last wrong code.", null=True),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "second_factors",
            },
        ),
        migrations.CreateModel(
            name="UserSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("kind", models.CharField(choices=[("api", "API"), ("admin", "Admin")], max_length=10)),
                (
                    "key",
                    models.CharField(
                        help_text="ID of the session's first token, or the key of Django's session.", max_length=64
                    ),
                ),
                ("client", models.CharField(blank=True, help_text="The client's User-Agent.", max_length=200)),
                (
                    "address",
                    models.GenericIPAddressField(blank=True, help_text="Address at the sign-in.", null=True),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "last_used_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="Time of the sign-in, or of the last refresh."
                    ),
                ),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "user_sessions",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["api", "admin"])),
                        name="user_sessions_kind_valid",
                        violation_error_message="kind must be one of: api, admin.",
                    ),
                    models.UniqueConstraint(fields=("kind", "key"), name="user_sessions_kind_key_unique"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("invitation", "Invitation"), ("password_reset", "Forgotten password")], max_length=30
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Whom it is for. Empty: the users with `address`.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "address",
                    models.CharField(help_text="Email address, as it was when the mail was asked for.", max_length=254),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("skipped", "Skipped"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, help_text="Failed attempts.")),
                (
                    "run_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="Next attempt not before this time."
                    ),
                ),
                (
                    "error",
                    models.TextField(blank=True, help_text="Why the last attempt failed, or why nothing was sent."),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "ended_at",
                    models.DateTimeField(blank=True, help_text="Time when it was sent or given up.", null=True),
                ),
            ],
            options={
                "db_table": "mails",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["invitation", "password_reset"])),
                        name="mails_kind_valid",
                        violation_error_message="kind must be one of: invitation, password_reset.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["queued", "sent", "failed", "skipped"])),
                        name="mails_state_valid",
                        violation_error_message="state must be one of: queued, sent, failed, skipped.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PhoneLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=100)),
                (
                    "number",
                    models.CharField(
                        blank=True, help_text="E.164. Empty: only the provider's ID is known.", max_length=32
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[("openphone", "OpenPhone / Quo"), ("callrail", "CallRail"), ("twilio", "Twilio")],
                        default="openphone",
                        max_length=20,
                    ),
                ),
                (
                    "provider_id",
                    models.CharField(
                        blank=True,
                        help_text="The provider's ID for this line, such as PN…",
                        max_length=100,
                        verbose_name="provider ID",
                    ),
                ),
                (
                    "daily_cap",
                    models.PositiveIntegerField(default=2000, help_text="SMS segments a day that the carrier allows."),
                ),
                (
                    "next_send_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        editable=False,
                        help_text="Next message not before this time.",
                    ),
                ),
                (
                    "next_campaign_send_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                        help_text="Next campaign message not before this time: replies have a share.",
                    ),
                ),
                (
                    "sent_on",
                    models.DateField(
                        blank=True, editable=False, help_text="The day (UTC) that sent_segments counts.", null=True
                    ),
                ),
                (
                    "sent_segments",
                    models.PositiveIntegerField(default=0, editable=False, help_text="SMS segments sent on that day."),
                ),
                (
                    "paused_until",
                    models.DateTimeField(blank=True, help_text="Paused by the provider until this time.", null=True),
                ),
                (
                    "paused_at",
                    models.DateTimeField(
                        blank=True, editable=False, help_text="Beginning of the latest pause.", null=True
                    ),
                ),
                ("pause_reason", models.CharField(blank=True, max_length=200)),
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
                "db_table": "phone_lines",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="phone_lines_storage",
                        parameters={
                            "autovacuum_analyze_scale_factor": 0.02,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "fillfactor": 50,
                        },
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("provider__in", ["openphone", "callrail", "twilio"])),
                        name="phone_lines_provider_valid",
                        violation_error_message="provider must be one of: openphone, callrail, twilio.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number", ""), ("provider_id", ""), _negated=True),
                        name="phone_lines_identified",
                        violation_error_message="A phone line must have a number or a provider ID.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("number", ""), _negated=True),
                        fields=("number",),
                        name="phone_lines_number_unique",
                        violation_error_message="This number is a phone line already.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("provider_id", ""), _negated=True),
                        fields=("company", "provider", "provider_id"),
                        name="phone_lines_company_id_provider_id_unique",
                        violation_error_message="Another phone line has this provider ID.",
                    ),
                    crm.db.policies.TenantPolicy(name="phone_lines_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=100)),
                ("last_name", models.CharField(blank=True, max_length=100)),
                ("phone", models.CharField(help_text="Main number, E.164.", max_length=32)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("address", models.CharField(blank=True, max_length=200)),
                ("city", models.CharField(blank=True, max_length=100)),
                ("state", models.CharField(blank=True, max_length=50)),
                ("postal_code", models.CharField(blank=True, max_length=20)),
                (
                    "timezone",
                    models.CharField(
                        blank=True,
                        help_text="Empty: taken from the phone number, else the company.",
                        max_length=64,
                        validators=[crm.models.companies.validate_timezone],
                        verbose_name="time zone",
                    ),
                ),
                ("keyed_text", models.CharField(blank=True, db_default="", editable=False, max_length=500)),
                (
                    "keys_stale",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Q(
                            (
                                "keyed_text",
                                django.db.models.functions.text.Concat(
                                    "first_name",
                                    models.Value("|"),
                                    "last_name",
                                    models.Value("|"),
                                    models.ExpressionWrapper(models.F("email"), output_field=models.CharField()),
                                ),
                            ),
                            _negated=True,
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                (
                    "is_abroad",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Q(
                            django.db.models.lookups.Exact(django.db.models.functions.text.Left("phone", 2), "+1"),
                            _negated=True,
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                "db_table": "contacts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "phone"),
                        name="contacts_company_id_phone_unique",
                        violation_error_message="Another contact has this number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("phone", ""), _negated=True),
                        name="contacts_phone_present",
                        violation_error_message="A contact must have a phone number.",
                    ),
                    crm.db.policies.TenantPolicy(name="contacts_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactSearchKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", crm.fields.SearchKeyField(max_length=100)),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="search_keys",
                        to="crm.contact",
                    ),
                ),
            ],
            options={
                "db_table": "contact_search_keys",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact", "key"), name="contact_search_keys_contact_id_key_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="contact_search_keys_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="contact_search_keys_contact_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactPhone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="phones",
                        to="crm.contact",
                    ),
                ),
                ("phone", models.CharField(help_text="E.164.", max_length=32)),
                ("label", models.CharField(blank=True, max_length=50)),
                (
                    "phone_reversed",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.text.Reverse("phone"),
                        output_field=crm.fields.SearchKeyField(max_length=32),
                    ),
                ),
                (
                    "is_main_elsewhere",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        help_text="Another contact may have it as its main number: another program wrote that contact.",
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
            ],
            options={
                "db_table": "contact_phones",
                "base_manager_name": "any_company",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "phone"),
                        name="contact_phones_company_id_phone_unique",
                        violation_error_message="Another contact has this number.",
                    ),
                    crm.db.policies.TenantPolicy(name="contact_phones_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="contact_phones_contact_id_same_company"),
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("any_company", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ContactFlag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="flags",
                        to="crm.contact",
                    ),
                ),
                (
                    "flag_type",
                    models.CharField(
                        choices=[
                            ("opted_out", "Opted Out"),
                            ("do_not_contact", "Do Not Contact"),
                            ("office_number", "Office Number"),
                            ("invalid_number", "Invalid Number"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                (
                    "source",
                    models.CharField(blank=True, help_text="Origin: manual, sms, import or provider.", max_length=50),
                ),
                ("evidence", models.TextField(blank=True, help_text="The words or event that justify the flag.")),
                (
                    "review_state",
                    models.CharField(
                        blank=True,
                        choices=[("pending", "Pending"), ("confirmed", "Confirmed")],
                        help_text="Pending: in force until a user reviews it. Empty: needs no review.",
                        max_length=10,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                    "expires_at",
                    models.DateTimeField(blank=True, help_text="Expires at this time. Empty: never.", null=True),
                ),
            ],
            options={
                "db_table": "contact_flags",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("flag_type__in", ["opted_out", "do_not_contact", "office_number", "invalid_number"])
                        ),
                        name="contact_flags_flag_type_valid",
                        violation_error_message="flag_type must be one of: opted_out, do_not_contact, office_number, invalid_number.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("review_state__in", ["", "pending", "confirmed"])),
                        name="contact_flags_review_state_valid",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("expires_at__isnull", True)),
                        fields=("contact", "flag_type"),
                        name="contact_flags_contact_id_flag_type_unique",
                        violation_error_message="The contact already has this flag.",
                    ),
                    crm.db.policies.TenantPolicy(name="contact_flags_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="contact_flags_contact_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactField",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("key", models.CharField(help_text="Name for programs: small letters, digits and _.", max_length=50)),
                ("label", models.CharField(help_text="Name for people.", max_length=100)),
                (
                    "field_type",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("yes_no", "Yes or no"),
                            ("choice", "Choice"),
                        ],
                        max_length=10,
                        verbose_name="type",
                    ),
                ),
                (
                    "options",
                    models.JSONField(blank=True, db_default=[], default=list, help_text="The values of a choice."),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(db_default=0, default=0, help_text="Place in forms and lists."),
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
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name": "custom field",
                "db_table": "contact_fields",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("field_type__in", ["text", "number", "date", "yes_no", "choice"])),
                        name="contact_fields_field_type_valid",
                        violation_error_message="field_type must be one of: text, number, date, yes_no, choice.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=("company", "key"),
                        name="contact_fields_company_id_key_unique",
                        violation_error_message="Another custom field has this key.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=("company", "label"),
                        name="contact_fields_company_id_label_unique",
                        violation_error_message="Another custom field has this label.",
                    ),
                    crm.db.policies.TenantPolicy(name="contact_fields_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactFieldValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "field",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="field_values",
                        to="crm.contactfield",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="field_values",
                        to="crm.contact",
                    ),
                ),
                (
                    "field_type",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("yes_no", "Yes or no"),
                            ("choice", "Choice"),
                        ],
                        max_length=10,
                    ),
                ),
                ("text", models.CharField(blank=True, max_length=500, null=True)),
                ("text_key", crm.fields.SearchKeyField(blank=True, editable=False, max_length=500, null=True)),
                ("number", models.FloatField(blank=True, null=True)),
                ("date", models.DateField(blank=True, null=True)),
                ("yes", models.BooleanField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
            ],
            options={
                "db_table": "contact_field_values",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("field_type__in", ["text", "choice"]),
                                ("date__isnull", True),
                                ("number__isnull", True),
                                ("text__isnull", False),
                                ("text_key__isnull", False),
                                ("yes__isnull", True),
                            ),
                            models.Q(
                                ("field_type", "number"),
                                ("date__isnull", True),
                                ("number__isnull", False),
                                ("text__isnull", True),
                                ("text_key__isnull", True),
                                ("yes__isnull", True),
                            ),
                            models.Q(
                                ("field_type", "date"),
                                ("date__isnull", False),
                                ("number__isnull", True),
                                ("text__isnull", True),
                                ("text_key__isnull", True),
                                ("yes__isnull", True),
                            ),
                            models.Q(
                                ("field_type", "yes_no"),
                                ("date__isnull", True),
                                ("number__isnull", True),
                                ("text__isnull", True),
                                ("text_key__isnull", True),
                                ("yes__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="contact_field_values_column_of_type",
                        violation_error_message="Exactly the column of the field's type must be filled.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("number__isnull", True),
                            ("number__range", (-1000000000000000.0, 1000000000000000.0)),
                            _connector="OR",
                        ),
                        name="contact_field_values_number_in_range",
                        violation_error_message="The number is too large.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("date__isnull", True),
                            ("date__range", (datetime.date(1800, 1, 1), datetime.date(2200, 12, 31))),
                            _connector="OR",
                        ),
                        name="contact_field_values_date_in_range",
                        violation_error_message="Must be a day from 1800-01-01 to 2200-12-31.",
                    ),
                    models.UniqueConstraint(
                        fields=("contact", "field"),
                        name="contact_field_values_contact_id_field_id_unique",
                        violation_error_message="The contact has a value of this field already.",
                    ),
                    crm.db.policies.TenantPolicy(name="contact_field_values_tenant"),
                    crm.db.policies.SameCompany(field="field", name="contact_field_values_field_id_same_company"),
                    crm.db.policies.SameCompany(field="contact", name="contact_field_values_contact_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                    "entries_changed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                        help_text="Time when contacts were last added or removed.",
                    ),
                ),
            ],
            options={
                "verbose_name": "list of contacts",
                "verbose_name_plural": "lists of contacts",
                "db_table": "contact_lists",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True),
                        name="contact_lists_name_present",
                        violation_error_message="A list must have a name.",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "name"),
                        name="contact_lists_company_id_name_unique",
                        violation_error_message="Another list has this name.",
                    ),
                    crm.db.policies.TenantPolicy(name="contact_lists_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactListEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="entries",
                        to="crm.contactlist",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="list_entries",
                        to="crm.contact",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "verbose_name_plural": "contact list entries",
                "db_table": "contact_list_entries",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("list", "contact"),
                        name="contact_list_entries_list_id_contact_id_unique",
                        violation_error_message="The contact is on this list already.",
                    ),
                    crm.db.policies.TenantPolicy(name="contact_list_entries_tenant"),
                    crm.db.policies.SameCompany(field="list", name="contact_list_entries_list_id_same_company"),
                    crm.db.policies.SameCompany(field="contact", name="contact_list_entries_contact_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("name", models.CharField(max_length=50)),
                ("name_key", crm.fields.SearchKeyField(editable=False, max_length=50)),
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
                "db_table": "tags",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name_key", ""), _negated=True),
                        name="tags_name_present",
                        violation_error_message="A tag must have a name.",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "name_key"),
                        name="tags_company_id_name_key_unique",
                        violation_error_message="Another tag has this name.",
                    ),
                    crm.db.policies.TenantPolicy(name="tags_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactTag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_tags",
                        to="crm.tag",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_tags",
                        to="crm.contact",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "contact_tags",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact", "tag"),
                        name="contact_tags_contact_id_tag_id_unique",
                        violation_error_message="The contact has this tag already.",
                    ),
                    crm.db.policies.TenantPolicy(name="contact_tags_tenant"),
                    crm.db.policies.SameCompany(field="tag", name="contact_tags_tag_id_same_company"),
                    crm.db.policies.SameCompany(field="contact", name="contact_tags_contact_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactMerge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gone_id", models.BigIntegerField(verbose_name="gone contact's ID")),
                (
                    "fields",
                    models.JSONField(blank=True, default=dict, help_text="The values that were chosen, by field."),
                ),
                ("moved", models.JSONField(default=dict, help_text="IDs of the moved rows, by table.")),
                ("counts", models.JSONField(default=dict, help_text="Number of moved rows, by table.")),
                (
                    "replaced",
                    models.JSONField(
                        default=dict,
                        help_text="Rows that were joined with a row of the kept contact: by table, its ID by theirs.",
                    ),
                ),
                (
                    "before",
                    models.JSONField(
                        default=dict,
                        help_text="Both contacts, and what else was changed. Empty after 30 days, and after erasure.",
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
                    "undone_at",
                    models.DateTimeField(
                        blank=True, help_text="Time when it was undone. Empty: it is in force.", null=True
                    ),
                ),
                (
                    "not_restored",
                    models.JSONField(blank=True, default=list, help_text="What the undoing could not restore."),
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "kept",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merges",
                        to="crm.contact",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "merge",
                "db_table": "merges",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at__isnull", True)),
                        fields=("company", "gone_id"),
                        name="merges_company_id_gone_id_unique",
                        violation_error_message="This contact is merged already.",
                    ),
                    crm.db.policies.TenantPolicy(name="merges_tenant"),
                    crm.db.policies.SameCompany(field="kept", name="merges_kept_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DuplicateCandidate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reasons",
                    models.JSONField(
                        default=list, help_text="What the two have in common: phone, email, name_address."
                    ),
                ),
                ("score", models.PositiveSmallIntegerField(help_text="0 to 100: how likely they are the same person.")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("merged", "Merged"), ("not_the_same", "Not the same")],
                        default="open",
                        max_length=20,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
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
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "first",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.contact",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.contact",
                    ),
                ),
            ],
            options={
                "verbose_name": "duplicate",
                "db_table": "duplicates",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "merged", "not_the_same"])),
                        name="duplicates_state_valid",
                        violation_error_message="state must be one of: open, merged, not_the_same.",
                    ),
                    models.CheckConstraint(condition=models.Q(("score__lte", 100)), name="duplicates_score_valid"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first__lt", models.F("second")),
                            ("first__isnull", True),
                            ("second__isnull", True),
                            _connector="OR",
                        ),
                        name="duplicates_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "merged"),
                            models.Q(("first__isnull", False), ("second__isnull", False)),
                            _connector="OR",
                        ),
                        name="duplicates_two_contacts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "open"), ("decided_at__isnull", False), _connector="OR"),
                        name="duplicates_decided_has_time",
                    ),
                    models.UniqueConstraint(fields=("first", "second"), name="duplicates_first_id_second_id_unique"),
                    crm.db.policies.TenantPolicy(name="duplicates_tenant"),
                    crm.db.policies.SameCompany(field="first", name="duplicates_first_id_same_company"),
                    crm.db.policies.SameCompany(field="second", name="duplicates_second_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Lead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leads",
                        to="crm.contact",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("contacted", "Contacted"),
                            ("qualified", "Qualified"),
                            ("booked", "Booked"),
                            ("won", "Won"),
                            ("lost", "Lost"),
                        ],
                        default="new",
                        max_length=20,
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=100)),
                (
                    "value",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="What the sale is worth, in the company's currency. Empty: unknown.",
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Who works on it. Empty: nobody.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("notes", models.TextField(blank=True)),
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
                "db_table": "leads",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["new", "contacted", "qualified", "booked", "won", "lost"])),
                        name="leads_status_valid",
                        violation_error_message="status must be one of: new, contacted, qualified, booked, won, lost.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("value__isnull", True), ("value__gte", 0), _connector="OR"),
                        name="leads_value_not_negative",
                        violation_error_message="value can't be negative.",
                    ),
                    crm.db.policies.TenantPolicy(name="leads_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="leads_contact_id_same_company"),
                    crm.db.policies.SameCompany(field="assignee", name="leads_assignee_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=50)),
                (
                    "role",
                    models.CharField(
                        choices=[("manager", "Manager"), ("csr", "CSR"), ("rep", "Rep")],
                        default="manager",
                        max_length=10,
                    ),
                ),
                ("scopes", models.JSONField(help_text="Names of scopes, such as contacts:read.")),
                (
                    "beginning",
                    models.CharField(help_text="First characters of the secret, to recognise it by.", max_length=4),
                ),
                ("secret_hash", models.CharField(help_text="SHA-256 of the secret, in hex.", max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "expires_at",
                    models.DateTimeField(blank=True, help_text="Time from which it ends. Empty: never.", null=True),
                ),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, help_text="To the minute. Empty: never.", null=True)),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "db_table": "api_tokens",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["manager", "csr", "rep"])),
                        name="api_tokens_role_valid",
                        violation_error_message="role must be one of: manager, csr, rep.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "created_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            models.Q(
                                ("expires_at__isnull", True),
                                (
                                    "expires_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("revoked_at__isnull", True),
                                (
                                    "revoked_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("last_used_at__isnull", True),
                                (
                                    "last_used_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="api_tokens_times_in_range",
                        violation_error_message="created_at, expires_at, revoked_at, last_used_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    crm.db.policies.TenantPolicy(name="api_tokens_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "beginning",
                    models.CharField(help_text="First characters of the secret, to recognise it by.", max_length=4),
                ),
                ("secret_hash", models.CharField(help_text="SHA-256 of the secret, in hex.", max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, help_text="To the minute. Empty: never.", null=True)),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "calendar_feeds",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "created_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            models.Q(
                                ("revoked_at__isnull", True),
                                (
                                    "revoked_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("last_used_at__isnull", True),
                                (
                                    "last_used_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="calendar_feeds_times_in_range",
                        violation_error_message="created_at, revoked_at, last_used_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at__isnull", True)),
                        fields=("company", "user"),
                        name="calendar_feeds_company_id_user_id_unique",
                        violation_error_message="The user has a calendar feed already.",
                    ),
                    crm.db.policies.TenantPolicy(name="calendar_feeds_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OutgoingWebhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=50)),
                ("url", models.CharField(max_length=500, verbose_name="URL")),
                ("resources", models.JSONField(help_text="Resources whose changes are sent.")),
                ("secret", crm.fields.EncryptedTextField()),
                (
                    "old_secret",
                    crm.fields.EncryptedTextField(
                        blank=True, help_text="The secret before the last rotation.", null=True
                    ),
                ),
                (
                    "old_secret_until",
                    models.DateTimeField(blank=True, help_text="Until when it signs as well.", null=True),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "disabled_reason",
                    models.CharField(blank=True, help_text="Why the product has switched it off.", max_length=200),
                ),
                (
                    "failing_since",
                    models.DateTimeField(blank=True, help_text="Empty: the last attempt succeeded.", null=True),
                ),
                ("failures", models.IntegerField(default=0, help_text="Failed attempts since the last success.")),
                (
                    "next_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="Until when it rests after a failure."
                    ),
                ),
                (
                    "lease_until",
                    models.DateTimeField(blank=True, help_text="Until when a worker sends to it.", null=True),
                ),
                (
                    "read_xid",
                    models.BigIntegerField(default=0, help_text="Up to where its changes have become events."),
                ),
                ("read_id", models.BigIntegerField(default=0, verbose_name="read ID")),
                ("history", models.CharField(blank=True, max_length=60)),
                ("read_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                    "api_token",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The API token that it belongs to, and ends with. Empty: it is a user's.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.apitoken",
                        verbose_name="API token",
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "created_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            (
                                "next_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            (
                                "read_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            models.Q(
                                ("old_secret_until__isnull", True),
                                (
                                    "old_secret_until__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("failing_since__isnull", True),
                                (
                                    "failing_since__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("lease_until__isnull", True),
                                (
                                    "lease_until__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="outgoing_webhooks_times_in_range",
                        violation_error_message="created_at, next_at, read_at, old_secret_until, failing_since, lease_until must be from 1970-01-01 to 2100-12-31.",
                    ),
                    crm.db.policies.TenantPolicy(name="outgoing_webhooks_tenant"),
                    crm.db.policies.SameCompany(field="api_token", name="outgoing_webhooks_api_token_id_same_company"),
                ],
                "db_table": "outgoing_webhooks",
            },
        ),
        migrations.CreateModel(
            name="OutgoingEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "event_id",
                    models.CharField(
                        verbose_name="event ID",
                        default=crm.models.outgoing_webhooks.new_event_id,
                        help_text="The same in each attempt.",
                        max_length=40,
                    ),
                ),
                ("resource", models.CharField(blank=True, max_length=30)),
                ("object_id", models.BigIntegerField(blank=True, null=True, verbose_name="object ID")),
                ("change", models.CharField(max_length=10)),
                ("occurred_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("sent", "Sent"), ("dead", "Dead")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("tries", models.IntegerField(default=0, help_text="Attempts, also failed ones.")),
                (
                    "run_at",
                    models.DateTimeField(default=django.utils.timezone.now, help_text="Time of the next attempt."),
                ),
                (
                    "give_up_at",
                    models.DateTimeField(
                        default=crm.models.outgoing_webhooks.give_up_at,
                        help_text="Time after which a failed attempt is the last.",
                    ),
                ),
                (
                    "answer_status",
                    models.IntegerField(blank=True, help_text="HTTP status of the last answer.", null=True),
                ),
                ("error", models.CharField(blank=True, help_text="Why the last attempt failed.", max_length=200)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="crm.outgoingwebhook",
                    ),
                ),
            ],
            options={
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="outgoing_events_storage",
                        parameters={
                            "autovacuum_analyze_scale_factor": 0.02,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_vacuum_scale_factor": 0.01,
                        },
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "sent", "dead"])),
                        name="outgoing_events_status_valid",
                        violation_error_message="status must be one of: pending, sent, dead.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "created_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            (
                                "run_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            (
                                "give_up_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            models.Q(
                                ("sent_at__isnull", True),
                                (
                                    "sent_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="outgoing_events_times_in_range",
                        violation_error_message="created_at, run_at, give_up_at, sent_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    crm.db.policies.TenantPolicy(name="outgoing_events_tenant"),
                    crm.db.policies.SameCompany(field="webhook", name="outgoing_events_webhook_id_same_company"),
                ],
                "db_table": "outgoing_events",
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("definition", models.JSONField()),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
            ],
            options={
                "db_table": "segments",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "name"),
                        name="segments_company_id_name_unique",
                        violation_error_message="Another segment has this name.",
                    ),
                    crm.db.policies.TenantPolicy(name="segments_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255)),
                ("content_type", models.CharField(max_length=100)),
                ("size", models.BigIntegerField(default=0, help_text="Bytes.")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Time of its deletion. Empty: it stays as long as what refers to it.",
                        null=True,
                    ),
                ),
                (
                    "has_object",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        help_text="Whether a worker has begun to move its content.",
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size__gte", 0)),
                        name="stored_files_size_valid",
                        violation_error_message="The size can't be negative.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at__isnull", True),
                            (
                                "expires_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="stored_files_times_in_range",
                        violation_error_message="expires_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("has_object", False), ("expires_at__isnull", True), _connector="OR"),
                        name="stored_files_object_is_kept",
                    ),
                    crm.db.policies.TenantPolicy(name="stored_files_tenant"),
                ],
                "db_table": "stored_files",
            },
        ),
        migrations.CreateModel(
            name="BackgroundTask",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(help_text="What is done, such as import.", max_length=50)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("done", models.BigIntegerField(default=0, help_text="How much of `total` is done.")),
                (
                    "total",
                    models.BigIntegerField(
                        blank=True, help_text="How much there is to do. Empty: not known yet.", null=True
                    ),
                ),
                ("parameters", models.JSONField(blank=True, default=dict)),
                ("error_code", models.CharField(blank=True, help_text="Why it failed, for programs.", max_length=50)),
                ("error", models.TextField(blank=True, help_text="Why it failed, in words.")),
                (
                    "cancel_requested",
                    models.BooleanField(default=False, help_text="Whether it ends after its present step."),
                ),
                (
                    "lease_until",
                    models.DateTimeField(
                        blank=True, help_text="Until when a worker has it. Renewed with each step.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
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
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "result_file",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The file that it made. Empty: none, or it has expired.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="crm.storedfile",
                    ),
                ),
            ],
            options={
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="background_tasks_storage",
                        parameters={
                            "autovacuum_analyze_scale_factor": 0.02,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_vacuum_scale_factor": 0.01,
                        },
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["queued", "running", "done", "failed", "cancelled"])),
                        name="background_tasks_state_valid",
                        violation_error_message="state must be one of: queued, running, done, failed, cancelled.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "created_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            models.Q(
                                ("lease_until__isnull", True),
                                (
                                    "lease_until__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("started_at__isnull", True),
                                (
                                    "started_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("ended_at__isnull", True),
                                (
                                    "ended_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="background_tasks_times_in_range",
                        violation_error_message="created_at, lease_until, started_at, ended_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("done__gte", 0),
                            models.Q(("total__isnull", True), ("total__gte", models.F("done")), _connector="OR"),
                        ),
                        name="background_tasks_done_within_total",
                        violation_error_message="No more can be done than there is.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("started_at__isnull", True), ("state", "queued")),
                            models.Q(("ended_at__isnull", True), ("started_at__isnull", False), ("state", "running")),
                            models.Q(("ended_at__isnull", False), ("state__in", ["done", "failed", "cancelled"])),
                            _connector="OR",
                        ),
                        name="background_tasks_state_has_its_times",
                        violation_error_message="A running task has started, and only an ended one has ended.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lease_until__isnull", True), ("state", "running"), _connector="OR"),
                        name="background_tasks_lease_of_running",
                        violation_error_message="Only a running task has a lease.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "failed"), models.Q(("error", ""), _negated=True)),
                            models.Q(models.Q(("state", "failed"), _negated=True), ("error", "")),
                            _connector="OR",
                        ),
                        name="background_tasks_error_of_failed",
                        violation_error_message="A failed task has an error, and no other has.",
                    ),
                    crm.db.policies.TenantPolicy(name="background_tasks_tenant"),
                    crm.db.policies.SameCompany(
                        field="result_file", name="background_tasks_result_file_id_same_company"
                    ),
                ],
                "db_table": "background_tasks",
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="Name of the file.", max_length=255)),
                ("header", models.JSONField(help_text="Names of the file's columns.")),
                ("header_key", models.CharField(help_text="Identity of the set of columns.", max_length=64)),
                ("mapping", models.JSONField(help_text="Which column goes where.")),
                (
                    "options",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Columns that may be overwritten, tags, wording of the consent.",
                    ),
                ),
                (
                    "warning",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="What a person should check. Empty: nothing.",
                        max_length=200,
                    ),
                ),
                (
                    "dry_run",
                    models.BooleanField(default=False, help_text="Whether it only predicts, and changes no contact."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("undoing", "Undoing"),
                            ("undone", "Undone"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "file_rows",
                    models.PositiveBigIntegerField(
                        default=0, editable=False, help_text="Rows of the file below its header."
                    ),
                ),
                (
                    "rows",
                    models.PositiveBigIntegerField(
                        default=0,
                        editable=False,
                        help_text="People of the file's rows. Rows without one count, too, as rejected.",
                    ),
                ),
                ("created", models.PositiveBigIntegerField(default=0, editable=False)),
                ("updated", models.PositiveBigIntegerField(default=0, editable=False)),
                ("unchanged", models.PositiveBigIntegerField(default=0, editable=False)),
                ("merged_in_file", models.PositiveBigIntegerField(default=0, editable=False)),
                ("rejected", models.PositiveBigIntegerField(default=0, editable=False)),
                (
                    "reversed",
                    models.PositiveBigIntegerField(
                        default=0, editable=False, help_text="Contacts that the undo has put back."
                    ),
                ),
                (
                    "kept",
                    models.PositiveBigIntegerField(
                        default=0, editable=False, help_text="Contacts that somebody has touched since."
                    ),
                ),
                (
                    "errored",
                    models.PositiveBigIntegerField(
                        default=0, editable=False, help_text="Contacts that the undo could not put back."
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The file. Empty: it has expired.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="crm.storedfile",
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The list that has all of its contacts.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="crm.contactlist",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        db_index=False,
                        help_text="The task that does it, or its undo.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.backgroundtask",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "running", "done", "failed", "cancelled", "undoing", "undone"])
                        ),
                        name="imports_state_valid",
                        violation_error_message="state must be one of: waiting, running, done, failed, cancelled, undoing, undone.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "created_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            models.Q(
                                ("ended_at__isnull", True),
                                (
                                    "ended_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="imports_times_in_range",
                        violation_error_message="created_at, ended_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["done", "undoing", "undone"]), _negated=True),
                            models.Q(
                                (
                                    "rows",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    models.F("created"), "+", models.F("updated")
                                                ),
                                                "+",
                                                models.F("unchanged"),
                                            ),
                                            "+",
                                            models.F("merged_in_file"),
                                        ),
                                        "+",
                                        models.F("rejected"),
                                    ),
                                ),
                                models.Q(
                                    models.Q(("state", "done"), _negated=True),
                                    ("rows__gte", models.F("file_rows")),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="imports_rows_add_up",
                        violation_error_message="Each row must be created, updated, unchanged, merged in the file or rejected.",
                    ),
                    crm.db.policies.TenantPolicy(name="imports_tenant"),
                    crm.db.policies.SameCompany(field="file", name="imports_file_id_same_company"),
                    crm.db.policies.SameCompany(field="list", name="imports_list_id_same_company"),
                    crm.db.policies.SameCompany(field="task", name="imports_task_id_same_company"),
                ],
                "db_table": "imports",
            },
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "n",
                    models.PositiveIntegerField(
                        help_text="Number of the row, as a spreadsheet shows it. The header's is 1."
                    ),
                ),
                ("person", models.PositiveSmallIntegerField(default=1, help_text="2 for the second person of a row.")),
                (
                    "cells",
                    models.JSONField(
                        help_text="The cells as read. Empty for a second person, and after erasure.", null=True
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("created", "Created"),
                            ("updated", "Updated"),
                            ("unchanged", "Unchanged"),
                            ("merged_in_file", "Merged in the file"),
                            ("rejected", "Rejected"),
                        ],
                        default="waiting",
                        max_length=15,
                    ),
                ),
                ("contact_id", models.BigIntegerField(null=True, verbose_name="contact ID")),
                ("before", models.JSONField(help_text="The values that the import has replaced.", null=True)),
                ("after", models.JSONField(help_text="What the import has written. Empty: nothing.", null=True)),
                ("reason", models.CharField(blank=True, help_text="Why it was rejected, for programs.", max_length=40)),
                (
                    "column",
                    models.CharField(blank=True, help_text="Column of the file with the fault.", max_length=200),
                ),
                (
                    "detail",
                    models.TextField(
                        blank=True, help_text="Why it was rejected, or which values were left out, in words."
                    ),
                ),
                (
                    "undo",
                    models.CharField(
                        blank=True,
                        choices=[("reversed", "Reversed"), ("kept", "Kept"), ("errored", "Errored")],
                        help_text="What the undo did.",
                        max_length=10,
                    ),
                ),
                ("undo_detail", models.TextField(blank=True, help_text="Why the undo kept the contact.")),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_column="import_id",
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="import_rows",
                        to="crm.import",
                    ),
                ),
            ],
            options={
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="import_rows_storage",
                        parameters={
                            "autovacuum_analyze_scale_factor": 0.02,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "fillfactor": 70,
                        },
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "verdict__in",
                                ["waiting", "created", "updated", "unchanged", "merged_in_file", "rejected"],
                            )
                        ),
                        name="import_rows_verdict_valid",
                        violation_error_message="verdict must be one of: waiting, created, updated, unchanged, merged_in_file, rejected.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("undo__in", ["", "reversed", "kept", "errored"])),
                        name="import_rows_undo_valid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verdict", "rejected"), models.Q(("reason", ""), _negated=True)),
                            models.Q(models.Q(("verdict", "rejected"), _negated=True), ("reason", "")),
                            _connector="OR",
                        ),
                        name="import_rows_rejected_with_reason",
                        violation_error_message="A rejected row has its reason, and no other has one.",
                    ),
                    models.UniqueConstraint(
                        fields=("source", "n", "person"), name="import_rows_import_id_n_person_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="import_rows_tenant"),
                    crm.db.policies.SameCompany(field="source", name="import_rows_import_id_same_company"),
                ],
                "db_table": "import_rows",
            },
        ),
        migrations.CreateModel(
            name="StoredFileChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField(help_text="0 for the first part.")),
                ("data", models.BinaryField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="crm.storedfile",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("file", "position"), name="stored_file_chunks_file_id_position_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="stored_file_chunks_tenant"),
                    crm.db.policies.SameCompany(field="file", name="stored_file_chunks_file_id_same_company"),
                ],
                "db_table": "stored_file_chunks",
            },
        ),
        migrations.CreateModel(
            name="StoredObject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(help_text="Its name in the file storage.", max_length=100, unique=True)),
                (
                    "copied_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Time from which the object is read. Empty: the database has the content.",
                        null=True,
                    ),
                ),
                (
                    "run_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="Next attempt to copy or to delete it not before this time, or the end of a lease.",
                    ),
                ),
                ("tries", models.PositiveIntegerField(default=0, help_text="Attempts since the last success.")),
                (
                    "error",
                    models.CharField(blank=True, help_text="Why the last attempt has failed.", max_length=200),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        blank=True,
                        help_text="Empty: the file was deleted, and the object will be.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="object",
                        to="crm.storedfile",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "run_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            models.Q(
                                ("copied_at__isnull", True),
                                (
                                    "copied_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="stored_objects_times_in_range",
                        violation_error_message="run_at, copied_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    crm.db.policies.TenantPolicy(name="stored_objects_tenant"),
                    crm.db.policies.SameCompany(field="file", name="stored_objects_file_id_same_company"),
                ],
                "db_table": "stored_objects",
            },
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("scheduled", "Scheduled"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=20,
                    ),
                ),
                (
                    "status_reason",
                    models.CharField(
                        blank=True,
                        db_default="",
                        editable=False,
                        help_text="Why the campaign paused itself.",
                        max_length=300,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[("marketing", "Marketing"), ("service", "Service")],
                        db_default="marketing",
                        default="marketing",
                        help_text="Marketing needs consent, where the company requires it. Service messages are about an order, such as an unpaid invoice.",
                        max_length=20,
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        blank=True,
                        help_text="Message sent to each contact. {first_name|there} is the first name, or “there” without one.",
                    ),
                ),
                (
                    "body_b",
                    models.TextField(
                        blank=True,
                        db_default="",
                        help_text="Second message of an A/B test: half of the contacts get it. Empty: no test.",
                        verbose_name="body B",
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
                    "segment",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Each run of a recurring campaign takes its contacts from this segment.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.segment",
                    ),
                ),
                (
                    "daily_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Messages a day (company's time zone). Empty: only the phone line's limit.",
                        null=True,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("scheduled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "recurrence",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="RFC 5545 rule of a recurring campaign, such as FREQ=MONTHLY;BYMONTHDAY=1.",
                        max_length=200,
                    ),
                ),
                (
                    "previous_run",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="next_run",
                        to="crm.campaign",
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "started_by",
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
                ("ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "feed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                        help_text="The worker looks after the running campaign next at this time.",
                    ),
                ),
                ("resumed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("seen_sent", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ("seen_opted_out", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
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
                "db_table": "campaigns",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["draft", "scheduled", "running", "paused", "completed", "cancelled"])
                        ),
                        name="campaigns_status_valid",
                        violation_error_message="status must be one of: draft, scheduled, running, paused, completed, cancelled.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["marketing", "service"])),
                        name="campaigns_purpose_valid",
                        violation_error_message="purpose must be one of: marketing, service.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "scheduled"), _negated=True),
                            ("scheduled_at__isnull", False),
                            _connector="OR",
                        ),
                        name="campaigns_scheduled_has_time",
                        violation_error_message="A scheduled campaign must have scheduled_at.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["draft", "cancelled"]),
                            models.Q(models.Q(("body", ""), _negated=True), ("phone_line__isnull", False)),
                            _connector="OR",
                        ),
                        name="campaigns_ready_has_body_and_line",
                        violation_error_message="A campaign needs a body and a phone line before it is scheduled or started.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["running", "paused", "completed"]), _negated=True),
                            ("started_at__isnull", False),
                            _connector="OR",
                        ),
                        name="campaigns_started_has_time",
                        violation_error_message="A started campaign must have started_at.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("daily_limit__isnull", True), ("daily_limit__gte", 1), _connector="OR"),
                        name="campaigns_daily_limit_valid",
                        violation_error_message="daily_limit must be at least 1, or empty.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("recurrence", ""), ("segment__isnull", False), _connector="OR"),
                        name="campaigns_recurring_has_segment",
                        violation_error_message="A recurring campaign needs a segment, from which each run takes its contacts.",
                    ),
                    crm.db.policies.TenantPolicy(name="campaigns_tenant"),
                    crm.db.policies.SameCompany(field="phone_line", name="campaigns_phone_line_id_same_company"),
                    crm.db.policies.SameCompany(field="segment", name="campaigns_segment_id_same_company"),
                    crm.db.policies.SameCompany(field="previous_run", name="campaigns_previous_run_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CampaignStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="crm.campaign",
                    ),
                ),
                ("step", models.PositiveSmallIntegerField(help_text="2 or more. The campaign's own body is step 1.")),
                ("delay_minutes", models.PositiveIntegerField(help_text="Time after the step before was sent.")),
                ("body", models.TextField()),
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
                "db_table": "campaign_steps",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "campaign", "step"),
                        name="campaign_steps_company_id_campaign_id_step_unique",
                        violation_error_message="The campaign has this step already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("delay_minutes__gte", 1), ("step__gte", 2), models.Q(("body", ""), _negated=True)
                        ),
                        name="campaign_steps_valid",
                        violation_error_message="A further step has a number from 2 on, a delay and a body.",
                    ),
                    crm.db.policies.TenantPolicy(name="campaign_steps_tenant"),
                    crm.db.policies.SameCompany(field="campaign", name="campaign_steps_campaign_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CampaignMembership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="crm.campaign",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="campaign_memberships",
                        to="crm.contact",
                    ),
                ),
                ("step", models.PositiveSmallIntegerField(db_default=1, default=1)),
                (
                    "variant",
                    models.CharField(choices=[("a", "A"), ("b", "B")], db_default="a", default="a", max_length=10),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("undelivered", "Undelivered"),
                            ("replied", "Replied"),
                            ("opted_out", "Opted Out"),
                            ("skipped", "Skipped"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("reason", models.CharField(blank=True, help_text="Reason for skipping or failure.", max_length=200)),
                (
                    "due_at",
                    models.DateTimeField(
                        blank=True, editable=False, help_text="The message may leave from then on.", null=True
                    ),
                ),
                (
                    "sms_segments",
                    models.PositiveSmallIntegerField(
                        db_default=0,
                        default=0,
                        editable=False,
                        help_text="Segments of the message, of which each is billed.",
                        verbose_name="SMS segments",
                    ),
                ),
                (
                    "booked_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Time of the booking that followed the message.",
                        null=True,
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
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "campaign_memberships",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="campaign_memberships_storage",
                        parameters={
                            "autovacuum_analyze_scale_factor": 0.02,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_vacuum_scale_factor": 0.01,
                        },
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "pending",
                                    "sending",
                                    "sent",
                                    "delivered",
                                    "failed",
                                    "undelivered",
                                    "replied",
                                    "opted_out",
                                    "skipped",
                                ],
                            )
                        ),
                        name="campaign_memberships_status_valid",
                        violation_error_message="status must be one of: pending, sending, sent, delivered, failed, undelivered, replied, opted_out, skipped.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("variant__in", ["a", "b"])),
                        name="campaign_memberships_variant_valid",
                        violation_error_message="variant must be one of: a, b.",
                    ),
                    models.UniqueConstraint(
                        fields=("campaign", "step", "contact"),
                        name="campaign_memberships_campaign_id_step_contact_id_unique",
                        violation_error_message="The contact is already in this campaign.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("step__gte", 1)),
                        name="campaign_memberships_step_valid",
                        violation_error_message="Steps are from 1 on.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ("sent", "delivered", "undelivered", "replied")), _negated=True),
                            ("sent_at__isnull", False),
                            _connector="OR",
                        ),
                        name="campaign_memberships_sent_has_time",
                        violation_error_message="A sent membership must have sent_at.",
                    ),
                    crm.db.policies.TenantPolicy(name="campaign_memberships_tenant"),
                    crm.db.policies.SameCompany(field="campaign", name="campaign_memberships_campaign_id_same_company"),
                    crm.db.policies.SameCompany(field="contact", name="campaign_memberships_contact_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CampaignCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="counts",
                        to="crm.campaign",
                    ),
                ),
                ("step", models.PositiveSmallIntegerField()),
                ("variant", models.CharField(max_length=10)),
                ("status", models.CharField(max_length=20)),
                ("booked", models.BooleanField()),
                ("hour", models.DateTimeField(help_text="Hour of sending (UTC). Null: not sent.", null=True)),
                ("members", models.IntegerField()),
                ("sms_segments", models.IntegerField(verbose_name="SMS segments")),
            ],
            options={
                "db_table": "campaign_counts",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="campaign_counts_storage",
                        parameters={
                            "autovacuum_analyze_scale_factor": 0.02,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_vacuum_scale_factor": 0.01,
                        },
                    ),
                    crm.db.policies.TenantPolicy(name="campaign_counts_tenant"),
                    crm.db.policies.SameCompany(field="campaign", name="campaign_counts_campaign_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MarketingConsent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("number_hash", models.CharField(max_length=64)),
                ("phone", models.CharField(blank=True, help_text="E.164. Empty after erasure.", max_length=32)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("form", "Form"),
                            ("message", "Text message"),
                            ("import", "Import"),
                            ("person", "Recorded by a user"),
                        ],
                        max_length=20,
                    ),
                ),
                ("wording", models.TextField(help_text="The words that the person agreed to.")),
                (
                    "proof",
                    models.CharField(
                        blank=True,
                        help_text="Where the proof is: the form's URL, the import's file, the message. Empty: the user's word.",
                        max_length=300,
                    ),
                ),
                (
                    "given_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="Time at which the person agreed."
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "withdrawn_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Time of the opt-out or of the withdrawal. Empty: the consent is valid.",
                        null=True,
                    ),
                ),
                (
                    "main_contact_id",
                    models.BigIntegerField(
                        editable=False,
                        help_text="Contact with this main number, of a valid consent. Empty: it is found by the number.",
                        null=True,
                        verbose_name="main contact ID",
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
            ],
            options={
                "db_table": "marketing_consents",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["form", "message", "import", "person"])),
                        name="marketing_consents_source_valid",
                        violation_error_message="source must be one of: form, message, import, person.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "given_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            models.Q(
                                ("withdrawn_at__isnull", True),
                                (
                                    "withdrawn_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="marketing_consents_times_in_range",
                        violation_error_message="given_at, withdrawn_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_at__isnull", True),
                            ("withdrawn_at__gte", models.F("given_at")),
                            _connector="OR",
                        ),
                        name="marketing_consents_withdrawn_after_given",
                        violation_error_message="A consent can't be withdrawn before it was given.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("wording", ""), _negated=True),
                            models.Q(
                                models.Q(("recorded_by__isnull", False), ("source", "person")),
                                models.Q(("proof", ""), _negated=True),
                                _connector="OR",
                            ),
                        ),
                        name="marketing_consents_proved",
                        violation_error_message="A consent needs its wording and its proof, or the user who recorded it.",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "number_hash"), name="marketing_consents_company_id_number_hash_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="marketing_consents_tenant"),
                    crm.db.policies.SameCompany(
                        field="recorded_by", name="marketing_consents_recorded_by_id_same_company"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "actor_id",
                    models.BigIntegerField(help_text="User ID. Empty: a program.", null=True, verbose_name="actor ID"),
                ),
                (
                    "actor",
                    models.CharField(
                        blank=True,
                        help_text="User or program. Empty: unknown.",
                        max_length=200,
                    ),
                ),
                ("table_name", models.CharField(max_length=63)),
                ("row_id", models.BigIntegerField(verbose_name="row ID")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("insert", "Insert"),
                            ("update", "Update"),
                            ("delete", "Delete"),
                            ("export", "Export"),
                            ("replay", "Replay"),
                        ],
                        max_length=10,
                    ),
                ),
                ("changes", models.JSONField(help_text="Old and new value of each changed column.")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "db_table": "audit_entries",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["insert", "update", "delete", "export", "replay"])),
                        name="audit_entries_action_valid",
                        violation_error_message="action must be one of: insert, update, delete, export, replay.",
                    ),
                    crm.db.policies.TenantPolicy(appended_from_anywhere=True, name="audit_entries_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ArchivedId",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("id_hash", models.BigIntegerField(verbose_name="ID hash")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "verbose_name": "archived ID",
                "db_table": "archived_ids",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "id_hash"), name="archived_ids_company_id_id_hash_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="archived_ids_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SuppressedNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("number_hash", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "suppressed_numbers",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "number_hash"), name="suppressed_numbers_company_id_number_hash_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="suppressed_numbers_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeyFingerprint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The environment variable.", max_length=20)),
                ("fingerprint", models.CharField(max_length=64)),
            ],
            options={
                "db_table": "key_fingerprints",
                "constraints": [models.UniqueConstraint(fields=("name",), name="key_fingerprints_name_unique")],
            },
        ),
        migrations.CreateModel(
            name="Conversation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to="crm.contact",
                    ),
                ),
                (
                    "phone_line",
                    models.ForeignKey(
                        db_column="phone_number_id",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.phoneline",
                    ),
                ),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("waiting", "Waiting for reply"),
                            ("snoozed", "Snoozed"),
                            ("closed", "Closed"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "snoozed_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="Time at which a snoozed conversation waits again. Empty: when the contact writes.",
                        null=True,
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
                ("last_activity_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "db_table": "conversations",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "waiting", "snoozed", "closed"])),
                        name="conversations_status_valid",
                        violation_error_message="status must be one of: open, waiting, snoozed, closed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status", "snoozed"), ("snoozed_until__isnull", True), _connector="OR"),
                        name="conversations_snoozed_until_only_if_snoozed",
                        violation_error_message="Only a snoozed conversation has a time to wait again.",
                    ),
                    models.UniqueConstraint(
                        fields=("contact", "phone_line"),
                        name="conversations_contact_id_phone_number_id_unique",
                        violation_error_message="This contact and phone line already have a conversation.",
                    ),
                    crm.db.storage.StorageSettings(
                        name="conversations_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                        },
                    ),
                    crm.db.policies.TenantPolicy(name="conversations_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="conversations_contact_id_same_company"),
                    crm.db.policies.SameCompany(field="phone_line", name="conversations_phone_number_id_same_company"),
                    crm.db.policies.SameCompany(field="assignee", name="conversations_assignee_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "openphone_id",
                    models.CharField(
                        blank=True,
                        help_text="The provider's ID, of any provider.",
                        max_length=100,
                        null=True,
                        verbose_name="OpenPhone ID",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activities",
                        to="crm.contact",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activities",
                        to="crm.conversation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The user who wrote or called.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "activity_type",
                    models.CharField(
                        choices=[
                            ("message", "Message"),
                            ("call", "Call"),
                            ("voicemail", "Voicemail"),
                            ("email", "Email"),
                            ("note", "Note"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "direction",
                    models.CharField(
                        blank=True,
                        choices=[("incoming", "Incoming"), ("outgoing", "Outgoing")],
                        help_text="Empty for notes.",
                        max_length=10,
                    ),
                ),
                ("body", models.TextField(blank=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="Time of the event, as reported by the provider."
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
            ],
            options={
                "verbose_name_plural": "activities",
                "db_table": "activities",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("activity_type__in", ["message", "call", "voicemail", "email", "note"])),
                        name="activities_activity_type_valid",
                        violation_error_message="activity_type must be one of: message, call, voicemail, email, note.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("direction__in", ["incoming", "outgoing"]),
                            models.Q(("activity_type", "note"), ("direction", "")),
                            _connector="OR",
                        ),
                        name="activities_direction_valid",
                        violation_error_message="Only a note can be without a direction.",
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
                        name="activities_created_at_in_range",
                        violation_error_message="created_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "openphone_id"), name="activities_company_id_openphone_id_unique"
                    ),
                    crm.db.storage.StorageSettings(
                        name="activities_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                        },
                    ),
                    crm.db.policies.TenantPolicy(name="activities_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="activities_contact_id_same_company"),
                    crm.db.policies.SameCompany(field="conversation", name="activities_conversation_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("key", models.CharField(help_text="Chosen by the client, unique for each operation.", max_length=100)),
                ("request", models.CharField(help_text="Method and path.", max_length=250)),
                ("request_hash", models.CharField(help_text="Keyed hash of the request body.", max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("response", models.TextField(help_text="JSON response, in its original key order.")),
                (
                    "etag",
                    models.CharField(
                        blank=True, db_default="", help_text="Tag of the row in the response.", max_length=100
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "idempotency_keys",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="idempotency_keys_storage",
                        parameters={
                            "autovacuum_analyze_scale_factor": 0.02,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "fillfactor": 80,
                        },
                    ),
                    models.UniqueConstraint(
                        fields=("company", "user", "key"),
                        name="idempotency_keys_company_id_user_id_key_unique",
                        violation_error_message="This key is already in use.",
                    ),
                    crm.db.policies.TenantPolicy(name="idempotency_keys_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="crm.contact",
                    ),
                ),
                (
                    "number",
                    models.CharField(help_text="As printed on the invoice. Unique within the company.", max_length=50),
                ),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=2, max_digits=12, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("sent", "Sent"),
                            ("partial", "Partial"),
                            ("paid", "Paid"),
                            ("overdue", "Overdue"),
                            ("void", "Void"),
                        ],
                        default="draft",
                        max_length=20,
                    ),
                ),
                ("due_date", models.DateField()),
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
                "db_table": "invoices",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["draft", "sent", "partial", "paid", "overdue", "void"])),
                        name="invoices_status_valid",
                        violation_error_message="status must be one of: draft, sent, partial, paid, overdue, void.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0)),
                        name="invoices_amount_not_negative",
                        violation_error_message="amount can't be negative.",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "number"),
                        name="invoices_company_id_number_unique",
                        violation_error_message="Another invoice has this number.",
                    ),
                    crm.db.policies.TenantPolicy(name="invoices_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="invoices_contact_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OptOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                ("number_hash", models.CharField(max_length=64)),
                (
                    "phone",
                    models.CharField(blank=True, help_text="E.164. Empty after erasure.", max_length=32),
                ),
                ("channel", models.CharField(choices=[("sms", "SMS")], default="sms", max_length=10)),
                (
                    "state",
                    models.CharField(
                        choices=[("clear", "Clear"), ("under_review", "Under Review"), ("opted_out", "Opted Out")],
                        default="clear",
                        max_length=20,
                    ),
                ),
                (
                    "decided_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Time of the entry that decides the state. Empty: no entries.",
                        null=True,
                    ),
                ),
                (
                    "confirmed_at",
                    models.DateTimeField(
                        blank=True, help_text="Time of the last confirmation of an opt-out or opt-in.", null=True
                    ),
                ),
                (
                    "asked_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Time of the last message that asked for an opt-in.",
                        null=True,
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
            ],
            options={
                "verbose_name": "opt-out",
                "db_table": "opt_outs",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["sms"])),
                        name="opt_outs_channel_valid",
                        violation_error_message="channel must be one of: sms.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["clear", "under_review", "opted_out"])),
                        name="opt_outs_state_valid",
                        violation_error_message="state must be one of: clear, under_review, opted_out.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "clear"), ("decided_at__isnull", False), _connector="OR"),
                        name="opt_outs_decided_has_time",
                        violation_error_message="A state other than clear needs the time of its decision.",
                    ),
                    models.UniqueConstraint(
                        fields=("company", "number_hash", "channel"),
                        name="opt_outs_company_id_number_hash_channel_unique",
                    ),
                    crm.db.policies.TenantPolicy(name="opt_outs_tenant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OptOutEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "opt_out",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="crm.optout",
                        verbose_name="opt-out",
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("opted_out", "Opted Out"),
                            ("suspected", "Possible opt-out"),
                            ("dismissed", "Dismissed"),
                            ("opted_in", "Opted In"),
                        ],
                        max_length=20,
                    ),
                ),
                ("words", models.TextField(blank=True, help_text="The exact words.")),
                (
                    "source",
                    models.CharField(help_text="Origin: sms, provider, review, manual or import.", max_length=50),
                ),
                (
                    "activity",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The message with these words.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.activity",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "occurred_at",
                    models.DateTimeField(
                        help_text="Time of the words, as reported by the provider. The latest entry decides."
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "verbose_name": "opt-out entry",
                "verbose_name_plural": "opt-out entries",
                "db_table": "opt_out_entries",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["opted_out", "suspected", "dismissed", "opted_in"])),
                        name="opt_out_entries_action_valid",
                        violation_error_message="action must be one of: opted_out, suspected, dismissed, opted_in.",
                    ),
                    models.UniqueConstraint(
                        fields=("opt_out", "activity", "action"), name="opt_out_entries_opt_out_activity_action_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="opt_out_entries_tenant"),
                    crm.db.policies.SameCompany(field="opt_out", name="opt_out_entries_opt_out_id_same_company"),
                    crm.db.policies.SameCompany(field="activity", name="opt_out_entries_activity_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "list",
                    models.CharField(help_text="Label of the list's model, such as crm.contact.", max_length=60),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "query",
                    models.CharField(
                        blank=True, help_text="Query string with the filters and the order.", max_length=2000
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "saved_views",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "list", "name"), name="saved_views_user_id_list_name_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkerHeartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.CharField(max_length=255)),
                ("pid", models.PositiveBigIntegerField(verbose_name="process ID")),
                ("version", models.CharField(max_length=50)),
                ("jobs", models.JSONField(help_text="Names of its jobs.")),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("seen_at", models.DateTimeField(help_text="Time of the last sign of life.")),
            ],
            options={
                "db_table": "worker_heartbeats",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="worker_heartbeats_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                            "fillfactor": 50,
                        },
                    )
                ],
            },
        ),
        crm.db.rate_counters.CreateMinuteCounters(),
        crm.db.replicas.CreateWritePositions(),
        crm.db.audit.CreateAuditFunction(),
        crm.db.audit.CreateAuditTriggers(
            model_name="company",
            skips=["updated_at", "duplicates_run_at", "duplicates_searched_at"],
            inserts=False,
            company="id",
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="user",
            skips=["last_login", "updated_at"],
            hides=["password"],
        ),
        crm.db.triggers.CreateTriggers(
            on="users",
            name="end_sessions",
            postgresql="\nBEGIN\n    UPDATE token_blacklist_outstandingtoken SET user_id = NULL WHERE user_id = NEW.id; DELETE FROM user_sessions WHERE user_id = NEW.id; UPDATE calendar_feeds SET revoked_at = CURRENT_TIMESTAMP WHERE revoked_at IS NULL AND (user_id = NEW.id OR created_by_id = NEW.id AND (OLD.role <> NEW.role OR OLD.is_active <> NEW.is_active OR OLD.company_id IS DISTINCT FROM NEW.company_id));\n    RETURN NULL;\nEND\n",
            each_row={
                "UPDATE": "OLD.password <> NEW.password OR OLD.role <> NEW.role OR OLD.is_active <> NEW.is_active OR OLD.company_id IS DISTINCT FROM NEW.company_id"
            },
            each_statement=[],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="contact",
            skips=["updated_at", "keyed_text"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="contactphone",
            skips=["updated_at", "is_main_elsewhere"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="contactflag",
            skips=["updated_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="contactfield",
            skips=["updated_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="contactfieldvalue",
            skips=["updated_at", "text_key"],
            inserts=False,
            keeps=["contact_id", "field_id"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="contactlist",
            skips=["updated_at", "entries_changed_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="tag",
            skips=["updated_at", "name_key"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="contacttag",
            inserts=False,
            keeps=["contact_id", "tag_id"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="contactmerge",
            skips=["updated_at", "moved", "replaced", "before", "fields", "not_restored"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="lead",
            skips=["updated_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="campaign",
            skips=["updated_at", "feed_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="activity",
            skips=["updated_at"],
            only="{row}.activity_type = 'note'",
            keeps=["contact_id"],
            moves_to="archived_chunks",
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="segment",
            skips=["updated_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="campaignstep",
            skips=["updated_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="marketingconsent",
            skips=["updated_at", "main_contact_id"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="invoice",
            skips=["updated_at"],
        ),
        crm.db.triggers.CreateTriggers(
            on="campaign_memberships",
            name="count_campaign_memberships",
            postgresql="\nBEGIN\n    IF TG_OP = 'TRUNCATE' THEN\n        DELETE FROM campaign_counts;\n        RETURN NULL;\n    END IF;\n    IF TG_OP = 'INSERT' THEN\n        INSERT INTO campaign_counts (company_id, campaign_id, step, variant, status, booked, hour, members, sms_segments)\n        SELECT company_id, campaign_id, step, variant, status, booked_at IS NOT NULL, date_trunc('hour', sent_at, 'UTC'), count(*), sum(sms_segments)\n        FROM after GROUP BY company_id, campaign_id, step, variant, status, 6, 7;\n    ELSIF TG_OP = 'DELETE' THEN\n        INSERT INTO campaign_counts (company_id, campaign_id, step, variant, status, booked, hour, members, sms_segments)\n        SELECT company_id, campaign_id, step, variant, status, booked_at IS NOT NULL, date_trunc('hour', sent_at, 'UTC'), -count(*), -sum(sms_segments)\n        FROM before GROUP BY company_id, campaign_id, step, variant, status, 6, 7;\n    ELSE\n        INSERT INTO campaign_counts (company_id, campaign_id, step, variant, status, booked, hour, members, sms_segments)\n        SELECT company_id, campaign_id, step, variant, status, booked, hour, sum(members), sum(sms_segments)\n        FROM (\n            SELECT company_id, campaign_id, step, variant, status, booked_at IS NOT NULL AS booked, date_trunc('hour', sent_at, 'UTC') AS hour,\n                1 AS members, sms_segments FROM after\n            UNION ALL\n            SELECT company_id, campaign_id, step, variant, status, booked_at IS NOT NULL, date_trunc('hour', sent_at, 'UTC'), -1, -sms_segments FROM before\n        ) AS row\n        GROUP BY company_id, campaign_id, step, variant, status, booked, hour\n        HAVING sum(members) <> 0 OR sum(sms_segments) <> 0;\n    END IF;\n    RETURN NULL;\nEND\n",
        ),
        crm.db.triggers.CreateTriggers(
            on="contacts",
            name="follow_main_number",
            postgresql="\nDECLARE\n    contact contacts;\nBEGIN\n    IF TG_OP = 'INSERT' THEN\n        FOR contact IN\n            SELECT after.* FROM after, LATERAL (\n                SELECT FROM contact_phones\n                WHERE company_id = after.company_id AND phone = after.phone AND contact_id <> after.id\n                    AND NOT is_main_elsewhere\n                OFFSET 0\n            ) AS number\n        LOOP \nUPDATE contact_phones SET is_main_elsewhere = true\nWHERE company_id = contact.company_id AND phone = contact.phone AND contact_id <> contact.id\n    AND NOT is_main_elsewhere;\n END LOOP;\n    ELSIF TG_OP = 'DELETE' THEN\n        FOR contact IN\n            SELECT before.* FROM before, LATERAL (\n                SELECT FROM marketing_consents\n                WHERE company_id = before.company_id AND main_contact_id = before.id\n                OFFSET 0\n            ) AS consent\n        LOOP \nUPDATE marketing_consents SET main_contact_id = NULL\nWHERE company_id = contact.company_id AND main_contact_id = contact.id;\n END LOOP;\n    ELSE \nUPDATE marketing_consents SET main_contact_id = NULL\nWHERE company_id = OLD.company_id AND main_contact_id = OLD.id;\n \nUPDATE contact_phones SET is_main_elsewhere = true\nWHERE company_id = NEW.company_id AND phone = NEW.phone AND contact_id <> NEW.id\n    AND NOT is_main_elsewhere;\n\n    END IF;\n    RETURN NULL;\nEND\n",
            each_row={"UPDATE": "OLD.phone <> NEW.phone"},
            each_statement=["INSERT", "DELETE"],
        ),
        crm.db.triggers.CreateTriggers(
            on="contact_phones",
            name="mark_owned_number",
            postgresql="\nBEGIN\n    NEW.is_main_elsewhere := \nEXISTS (\n    SELECT 1 FROM contacts WHERE company_id = NEW.company_id AND phone = NEW.phone AND id <> NEW.contact_id\n)\n;\n    RETURN NEW;\nEND\n",
            each_row={
                "INSERT": "true",
                "UPDATE": "OLD.phone <> NEW.phone OR OLD.contact_id <> NEW.contact_id OR OLD.is_main_elsewhere <> NEW.is_main_elsewhere",
            },
            each_statement=[],
            timing="BEFORE",
        ),
        crm.db.triggers.CreateTriggers(
            on="marketing_consents",
            name="link_consent",
            postgresql="\nBEGIN\n    NEW.main_contact_id := NULL;\n    IF NEW.withdrawn_at IS NULL THEN\n        SELECT id INTO NEW.main_contact_id FROM contacts WHERE company_id = NEW.company_id AND phone = NEW.phone FOR KEY SHARE;\n    END IF;\n    RETURN NEW;\nEND\n",
            each_row={
                "INSERT": "true",
                "UPDATE": "OLD.phone <> NEW.phone OR OLD.withdrawn_at IS DISTINCT FROM NEW.withdrawn_at OR OLD.main_contact_id IS DISTINCT FROM NEW.main_contact_id",
            },
            each_statement=[],
            timing="BEFORE",
        ),
        crm.db.triggers.CreateTriggers(
            on="contact_fields",
            name="limit_contact_fields",
            postgresql="\nBEGIN\n    -- Others who add one to this company wait here, before their row is there: each sees the rows of those before it.\n    PERFORM pg_advisory_xact_lock(hashtextextended('contact_fields_per_company', NEW.company_id));\n    IF (SELECT count(*) FROM (SELECT 1 FROM contact_fields WHERE company_id = NEW.company_id AND deleted_at IS NULL LIMIT 200) AS counted) >= 200 THEN\n        RAISE EXCEPTION 'contact_fields_per_company' USING ERRCODE = 'check_violation', CONSTRAINT = 'contact_fields_per_company';\n    END IF;\n    RETURN NEW;\nEND\n",
            each_row={"INSERT": "true", "UPDATE": "OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL"},
            each_statement=[],
            timing="BEFORE",
        ),
        crm.db.triggers.CreateTriggers(
            on="tags",
            name="limit_tags",
            postgresql="\nBEGIN\n    -- Others who add one to this company wait here, before their row is there: each sees the rows of those before it.\n    PERFORM pg_advisory_xact_lock(hashtextextended('tags_per_company', NEW.company_id));\n    IF (SELECT count(*) FROM (SELECT 1 FROM tags WHERE company_id = NEW.company_id AND true LIMIT 1000) AS counted) >= 1000 THEN\n        RAISE EXCEPTION 'tags_per_company' USING ERRCODE = 'check_violation', CONSTRAINT = 'tags_per_company';\n    END IF;\n    RETURN NEW;\nEND\n",
            each_row={"INSERT": "true"},
            each_statement=[],
            timing="BEFORE",
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "xid",
                    models.BigIntegerField(
                        help_text="Transaction that wrote it. 0 on SQLite.", verbose_name="transaction ID"
                    ),
                ),
                ("resource", models.CharField(max_length=30)),
                ("object_id", models.BigIntegerField(verbose_name="object ID")),
                (
                    "contact_id",
                    models.BigIntegerField(
                        help_text="Reps who see this contact see the object.", null=True, verbose_name="contact ID"
                    ),
                ),
                (
                    "rep_id",
                    models.BigIntegerField(
                        help_text="Rep who sees the object, or saw it before.", null=True, verbose_name="rep ID"
                    ),
                ),
                ("change", models.CharField(max_length=10, help_text="See `crm.db.change_feed`.")),
                ("at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
            ],
            options={
                "db_table": "changes",
                "constraints": [
                    crm.db.storage.StorageSettings(
                        name="changes_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                        },
                    ),
                    crm.db.policies.TenantPolicy(appended_from_anywhere=True, name="changes_tenant"),
                ],
            },
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="company",
            feed=crm.db.change_feed.Feed(
                "company", company="id", ignores=("duplicates_run_at", "duplicates_searched_at")
            ),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="user",
            feed=crm.db.change_feed.Feed(
                "users",
                ignores=("last_login",),
                condition="{row}.company_id IS NOT NULL",
                changes_company=True,
            ),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="phoneline",
            feed=crm.db.change_feed.Feed(
                "phone-lines", ignores=("next_send_at", "next_campaign_send_at", "sent_on", "sent_segments")
            ),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="segment",
            feed=crm.db.change_feed.Feed("segments"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="backgroundtask",
            feed=crm.db.change_feed.Feed("background-tasks", rep="requested_by_id", ignores=("lease_until",)),
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="import",
            skips=["updated_at", "header", "mapping"],
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="import",
            feed=crm.db.change_feed.Feed("imports"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="contact",
            feed=crm.db.change_feed.Feed("contacts", ignores=("keyed_text",)),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="contactphone",
            feed=crm.db.change_feed.Feed("contacts", key="contact_id", ignores=("is_main_elsewhere",)),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="contactflag",
            feed=crm.db.change_feed.Feed(
                "contact-flags",
                contact="contact_id",
                also=(crm.db.change_feed.Also("contacts", key="contact_id"),),
            ),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="contactfield",
            feed=crm.db.change_feed.Feed("contact-fields"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="contactfieldvalue",
            feed=crm.db.change_feed.Feed("contacts", ignores=("text_key",), key="contact_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="contactlist",
            feed=crm.db.change_feed.Feed("contact-lists"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="tag",
            feed=crm.db.change_feed.Feed("tags", ignores=("name_key",)),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="contacttag",
            feed=crm.db.change_feed.Feed("contacts", key="contact_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="contactmerge",
            feed=crm.db.change_feed.Feed("merges", ignores=("moved", "replaced", "before")),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="duplicatecandidate",
            feed=crm.db.change_feed.Feed("duplicates"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="lead",
            feed=crm.db.change_feed.Feed("leads", contact="contact_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="conversation",
            feed=crm.db.change_feed.Feed("conversations", contact="contact_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="activity",
            feed=crm.db.change_feed.Feed(
                "activities",
                contact="CASE WHEN {row}.activity_type NOT IN ('call', 'voicemail') THEN {row}.contact_id END",
            ),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="campaign",
            feed=crm.db.change_feed.Feed("campaigns", ignores=("seen_sent", "seen_opted_out", "feed_at")),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="campaignmembership",
            feed=crm.db.change_feed.Feed("campaign-memberships", ignores=("due_at",)),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="invoice",
            feed=crm.db.change_feed.Feed("invoices"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="optout",
            feed=crm.db.change_feed.Feed("opt-outs", ignores=("asked_at",), condition="{row}.decided_at IS NOT NULL"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="campaignstep",
            feed=crm.db.change_feed.Feed("campaigns", key="campaign_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="marketingconsent",
            feed=crm.db.change_feed.Feed("marketing-consents", ignores=("main_contact_id",)),
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="apitoken",
            skips=["updated_at", "last_used_at"],
            hides=["secret_hash"],
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="apitoken",
            feed=crm.db.change_feed.Feed("api-tokens", ignores=("last_used_at",)),
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="calendarfeed",
            skips=["updated_at", "last_used_at"],
            hides=["secret_hash"],
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="calendarfeed",
            feed=crm.db.change_feed.Feed("calendar-feeds", rep="user_id", ignores=("last_used_at",)),
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="outgoingwebhook",
            skips=[
                "updated_at",
                "failing_since",
                "failures",
                "next_at",
                "lease_until",
                "read_xid",
                "read_id",
                "history",
                "read_at",
            ],
            hides=["secret", "old_secret"],
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="outgoingwebhook",
            feed=crm.db.change_feed.Feed(
                "outgoing-webhooks",
                ignores=("failures", "next_at", "lease_until", "read_xid", "read_id", "history", "read_at"),
            ),
        ),
        crm.db.request_functions.CreateRequestFunctions(),
    ]
