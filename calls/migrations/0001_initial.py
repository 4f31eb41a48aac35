"""Tables and constraints."""

import datetime

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import calls.models.calls
import calls.wallclock
import crm.db.audit
import crm.db.change_feed
import crm.db.policies
import crm.db.storage
import crm.db.triggers
import crm.models.companies


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("crm", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Call",
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
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="call",
                        to="crm.activity",
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
                        related_name="calls",
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
                    "lead",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=calls.models.calls.keep_lead_of_booked_calls,
                        related_name="calls",
                        to="crm.lead",
                    ),
                ),
                (
                    "assigned_rep",
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
                    "direction",
                    models.CharField(
                        choices=[("incoming", "Incoming"), ("outgoing", "Outgoing")], default="incoming", max_length=10
                    ),
                ),
                (
                    "from_number",
                    models.CharField(blank=True, help_text="E.164, or as sent, such as Anonymous.", max_length=32),
                ),
                ("to_number", models.CharField(blank=True, max_length=32)),
                ("recording_url", models.URLField(blank=True, max_length=500, verbose_name="recording URL")),
                ("voicemail_url", models.URLField(blank=True, max_length=500, verbose_name="voicemail URL")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("in_progress", "In Progress"),
                            ("missed", "Missed"),
                            ("unbooked", "Unbooked"),
                            ("awaiting_quote", "Awaiting Quote"),
                            ("still_deciding", "Still Deciding"),
                            ("purchased", "Purchased"),
                            ("lost", "Lost"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="in_progress",
                        max_length=20,
                    ),
                ),
                ("booked", models.BooleanField(default=False, editable=False, help_text="Derived from the status.")),
                ("reason_for_lost_sale", models.TextField(blank=True)),
                (
                    "quoted_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, help_text="Start of ringing."),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "duration_s",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Talk time in seconds; empty if unanswered.",
                        null=True,
                        verbose_name="duration",
                    ),
                ),
            ],
            options={
                "db_table": "calls",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("direction__in", ["incoming", "outgoing"])),
                        name="calls_direction_valid",
                        violation_error_message="direction must be one of: incoming, outgoing.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "in_progress",
                                    "missed",
                                    "unbooked",
                                    "awaiting_quote",
                                    "still_deciding",
                                    "purchased",
                                    "lost",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="calls_status_valid",
                        violation_error_message="status must be one of: in_progress, missed, unbooked, awaiting_quote, still_deciding, purchased, lost, cancelled.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("booked", True),
                                ("status__in", ("awaiting_quote", "still_deciding", "purchased", "lost", "cancelled")),
                            ),
                            models.Q(
                                ("booked", False),
                                models.Q(
                                    (
                                        "status__in",
                                        ("awaiting_quote", "still_deciding", "purchased", "lost", "cancelled"),
                                    ),
                                    _negated=True,
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="calls_booked_agrees_with_status",
                        violation_error_message="booked must agree with the status.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("direction", "outgoing"), ("status", "missed"), _negated=True),
                        name="calls_outgoing_never_missed",
                        violation_error_message="An outgoing call can't be missed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quoted_price__isnull", True), ("quoted_price__gte", 0), _connector="OR"),
                        name="calls_quoted_price_not_negative",
                        violation_error_message="quoted_price can't be negative.",
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
                                ("answered_at__isnull", True),
                                (
                                    "answered_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("completed_at__isnull", True),
                                (
                                    "completed_at__range",
                                    (
                                        datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                        datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                    ),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="calls_times_in_range",
                        violation_error_message="created_at, answered_at, completed_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answered_at__isnull", True),
                            ("answered_at__gte", models.F("created_at")),
                            _connector="OR",
                        ),
                        name="calls_times_start_before_answer",
                        violation_error_message="A call can't be answered before it starts (created_at).",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("completed_at__isnull", True),
                            models.Q(
                                ("completed_at__gte", models.F("created_at")),
                                models.Q(
                                    ("answered_at__isnull", True),
                                    ("completed_at__gte", models.F("answered_at")),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="calls_times_start_before_end",
                        violation_error_message="A call can't end before it starts (created_at) or is answered.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("answered_at__isnull", True),
                                models.Q(("duration_s__isnull", True), ("duration_s", 0), _connector="OR"),
                            ),
                            models.Q(("status", "missed"), _negated=True),
                            _connector="OR",
                        ),
                        name="calls_answered_never_missed",
                        violation_error_message="A call that was answered can't be missed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status", "lost"), ("reason_for_lost_sale", ""), _connector="OR"),
                        name="calls_reason_only_if_lost",
                        violation_error_message="Only a lost call has a reason; set the status to lost, or leave this empty.",
                    ),
                    crm.db.storage.StorageSettings(
                        name="calls_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                        },
                    ),
                    crm.db.policies.TenantPolicy(name="calls_tenant"),
                    crm.db.policies.SameCompany(field="activity", name="calls_activity_id_same_company"),
                    crm.db.policies.SameCompany(field="contact", name="calls_contact_card_id_same_company"),
                    crm.db.policies.SameCompany(field="phone_line", name="calls_phone_line_id_same_company"),
                    crm.db.policies.SameCompany(field="lead", name="calls_lead_id_same_company"),
                    crm.db.policies.SameCompany(field="assigned_rep", name="calls_assigned_rep_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Appointment",
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
                        related_name="appointments",
                        to="crm.contact",
                    ),
                ),
                (
                    "call",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appointments",
                        to="calls.call",
                    ),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="appointments",
                        to="crm.lead",
                    ),
                ),
                (
                    "assigned_rep",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("scheduled_start", models.DateTimeField()),
                ("scheduled_end", models.DateTimeField()),
                (
                    "timezone",
                    models.CharField(
                        max_length=64, validators=[crm.models.companies.validate_timezone], verbose_name="time zone"
                    ),
                ),
                (
                    "date",
                    models.GeneratedField(
                        db_persist=True,
                        expression=calls.wallclock.WallDate("scheduled_start", "timezone"),
                        output_field=models.DateField(),
                    ),
                ),
                (
                    "time",
                    models.GeneratedField(
                        db_persist=True,
                        expression=calls.wallclock.WallTime("scheduled_start", "timezone"),
                        output_field=models.TimeField(),
                    ),
                ),
                (
                    "allow_overlap",
                    models.BooleanField(
                        default=False, help_text="Booked although the rep has another appointment at this time."
                    ),
                ),
                (
                    "series",
                    models.UUIDField(
                        blank=True,
                        editable=False,
                        help_text="Of appointments that were booked together, by one rule.",
                        null=True,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("confirmed", "Confirmed"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                            ("no_show", "No Show"),
                        ],
                        default="scheduled",
                        max_length=20,
                    ),
                ),
                ("notes", models.TextField(blank=True)),
                (
                    "on_the_way_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="Time when the contact was told that the rep is on the way.",
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
                "db_table": "appointments",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["scheduled", "confirmed", "completed", "cancelled", "no_show"])
                        ),
                        name="appointments_status_valid",
                        violation_error_message="status must be one of: scheduled, confirmed, completed, cancelled, no_show.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scheduled_end__gt", models.F("scheduled_start"))),
                        name="appointments_ends_after_start",
                        violation_error_message="An appointment must end after it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "scheduled_start__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            (
                                "scheduled_end__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                        ),
                        name="appointments_times_in_range",
                        violation_error_message="scheduled_start, scheduled_end must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "scheduled_end__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("scheduled_start"), "+", models.Value(datetime.timedelta(days=14))
                                ),
                            )
                        ),
                        name="appointments_length_valid",
                        violation_error_message="An appointment must end within 14 days.",
                    ),
                    crm.db.policies.TenantPolicy(name="appointments_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="appointments_contact_id_same_company"),
                    crm.db.policies.SameCompany(field="call", name="appointments_call_id_same_company"),
                    crm.db.policies.SameCompany(field="lead", name="appointments_lead_id_same_company"),
                    crm.db.policies.SameCompany(field="assigned_rep", name="appointments_assigned_rep_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AppointmentProposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scheduled_start", models.DateTimeField(help_text="Start that is proposed.")),
                ("scheduled_end", models.DateTimeField(help_text="End that is proposed.")),
                ("note", models.CharField(blank=True, help_text="Why, for who decides.", max_length=300)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=10,
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
                    "appointment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="calls.appointment",
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
            ],
            options={
                "db_table": "appointment_proposals",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["open", "accepted", "declined", "withdrawn"])),
                        name="appointment_proposals_status_valid",
                        violation_error_message="status must be one of: open, accepted, declined, withdrawn.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scheduled_end__gt", models.F("scheduled_start"))),
                        name="appointment_proposals_ends_after_start",
                        violation_error_message="An appointment must end after it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "scheduled_start__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            (
                                "scheduled_end__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                        ),
                        name="appointment_proposals_times_in_range",
                        violation_error_message="scheduled_start, scheduled_end must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "scheduled_end__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("scheduled_start"), "+", models.Value(datetime.timedelta(days=14))
                                ),
                            )
                        ),
                        name="appointment_proposals_length_valid",
                        violation_error_message="An appointment must end within 14 days.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("status", "open")),
                            models.Q(
                                models.Q(("status", "open"), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="appointment_proposals_decided_says_when",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "open")),
                        fields=("appointment",),
                        name="appointment_proposals_appointment_id_unique",
                        violation_error_message="Another time is proposed for this appointment already.",
                    ),
                    crm.db.policies.TenantPolicy(name="appointment_proposals_tenant"),
                    crm.db.policies.SameCompany(
                        field="appointment", name="appointment_proposals_appointment_id_same_company"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(help_text="What is to be done.", max_length=200)),
                ("due_at", models.DateTimeField(help_text="Time by which it is to be done.")),
                ("done_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Who is to do it. Empty: anybody.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "call",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="calls.call",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks",
                        to="crm.contact",
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
                (
                    "lead",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tasks",
                        to="crm.lead",
                    ),
                ),
            ],
            options={
                "db_table": "tasks",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True),
                        name="tasks_title_present",
                        violation_error_message="A task must have a title.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "due_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            )
                        ),
                        name="tasks_due_at_in_range",
                        violation_error_message="due_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    crm.db.policies.TenantPolicy(name="tasks_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="tasks_contact_id_same_company"),
                    crm.db.policies.SameCompany(field="call", name="tasks_call_id_same_company"),
                    crm.db.policies.SameCompany(field="lead", name="tasks_lead_id_same_company"),
                    crm.db.policies.SameCompany(field="assignee", name="tasks_assignee_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TimeOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField(verbose_name="starts")),
                ("ends_at", models.DateTimeField(verbose_name="ends")),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Such as Holiday. Colleagues read it.", max_length=200),
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
                    "rep",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "time off",
                "verbose_name_plural": "time off",
                "db_table": "time_off",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="time_off_ends_after_start",
                        violation_error_message="Time off must end after it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "starts_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                            (
                                "ends_at__range",
                                (
                                    datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC),
                                    datetime.datetime(2100, 12, 31, 0, 0, tzinfo=datetime.UTC),
                                ),
                            ),
                        ),
                        name="time_off_times_in_range",
                        violation_error_message="starts_at, ends_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "ends_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("starts_at"),
                                    "+",
                                    models.Value(datetime.timedelta(days=366)),
                                ),
                            )
                        ),
                        name="time_off_length_valid",
                        violation_error_message="Time off must end within 366 days.",
                    ),
                    crm.db.policies.TenantPolicy(name="time_off_tenant"),
                    crm.db.policies.SameCompany(field="rep", name="time_off_rep_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("message", "Message"),
                            ("recording", "Recording"),
                            ("voicemail", "Voicemail"),
                            ("upload", "Upload"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        db_default=0, default=0, help_text="0 for the first one of a message."
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        blank=True,
                        choices=[("openphone", "OpenPhone / Quo"), ("callrail", "CallRail"), ("twilio", "Twilio")],
                        max_length=20,
                    ),
                ),
                (
                    "source_url",
                    models.TextField(blank=True, help_text="Where the provider keeps it.", verbose_name="source URL"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("stored", "Stored"), ("failed", "Failed")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                (
                    "error",
                    models.CharField(blank=True, help_text="Why the last attempt has failed.", max_length=200),
                ),
                (
                    "tries",
                    models.PositiveSmallIntegerField(default=0, help_text="Number of attempts to fetch it."),
                ),
                (
                    "run_at",
                    models.DateTimeField(blank=True, help_text="Next attempt not before this time.", null=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="Time of the message, the call or the upload."
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
                    "activity",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="That of the message.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to="crm.activity",
                    ),
                ),
                (
                    "appointment",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="calls.appointment",
                    ),
                ),
                (
                    "call",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="calls.call",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.company"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="crm.contact",
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
                (
                    "file",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachment",
                        to="crm.storedfile",
                    ),
                ),
            ],
            options={
                "db_table": "attachments",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["message", "recording", "voicemail", "upload"])),
                        name="attachments_kind_valid",
                        violation_error_message="kind must be one of: message, recording, voicemail, upload.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "stored", "failed"])),
                        name="attachments_status_valid",
                        violation_error_message="status must be one of: pending, stored, failed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("provider__in", ["", "openphone", "callrail", "twilio"])),
                        name="attachments_provider_valid",
                        violation_error_message="provider must be empty or one of: openphone, callrail, twilio.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("activity__isnull", True),
                                ("appointment__isnull", True),
                                ("call__isnull", True),
                                ("contact__isnull", True),
                            ),
                            models.Q(
                                ("activity__isnull", False),
                                ("appointment__isnull", True),
                                ("call__isnull", True),
                                ("contact__isnull", True),
                            ),
                            models.Q(
                                ("activity__isnull", True),
                                ("appointment__isnull", True),
                                ("call__isnull", False),
                                ("contact__isnull", True),
                            ),
                            models.Q(
                                ("activity__isnull", True),
                                ("appointment__isnull", True),
                                ("call__isnull", True),
                                ("contact__isnull", False),
                            ),
                            models.Q(
                                ("activity__isnull", True),
                                ("appointment__isnull", False),
                                ("call__isnull", True),
                                ("contact__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="attachments_one_owner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("file__isnull", False), ("status", "stored")),
                            models.Q(models.Q(("status", "stored"), _negated=True), ("file__isnull", True)),
                            _connector="OR",
                        ),
                        name="attachments_stored_has_file",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "pending"), _negated=True), ("run_at__isnull", False), _connector="OR"
                        ),
                        name="attachments_pending_has_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("activity__isnull", False)),
                        fields=("activity", "position"),
                        name="attachments_activity_id_position_unique",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("call__isnull", False)),
                        fields=("call", "kind", "position"),
                        name="attachments_call_id_kind_position_unique",
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
                        name="attachments_created_at_in_range",
                        violation_error_message="created_at must be from 1970-01-01 to 2100-12-31.",
                    ),
                    crm.db.policies.TenantPolicy(name="attachments_tenant"),
                    crm.db.policies.SameCompany(field="activity", name="attachments_activity_id_same_company"),
                    crm.db.policies.SameCompany(field="call", name="attachments_call_id_same_company"),
                    crm.db.policies.SameCompany(field="contact", name="attachments_contact_id_same_company"),
                    crm.db.policies.SameCompany(field="appointment", name="attachments_appointment_id_same_company"),
                    crm.db.policies.SameCompany(field="file", name="attachments_file_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CallDetail",
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
                        help_text="The provider's ID of the call, from any provider.",
                        max_length=100,
                        verbose_name="OpenPhone ID",
                    ),
                ),
                (
                    "call",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="detail",
                        to="calls.call",
                    ),
                ),
                ("recordings", models.JSONField(blank=True, default=list, help_text="A list of {url, type}.")),
                ("voicemail_transcript", models.TextField(blank=True)),
                ("summary", models.TextField(blank=True)),
                ("next_steps", models.JSONField(blank=True, default=list, help_text="A list of strings.")),
                (
                    "transcript",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="A list of {speaker, start, end, text}; in seconds from the start.",
                    ),
                ),
                ("forwarded_to", models.CharField(blank=True, max_length=100)),
                (
                    "menu_choice",
                    models.CharField(blank=True, help_text="The caller's choice in the phone menu.", max_length=200),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "call_details",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("company", "openphone_id"), name="call_details_company_id_openphone_id_unique"
                    ),
                    crm.db.policies.TenantPolicy(name="call_details_tenant"),
                    crm.db.policies.SameCompany(field="call", name="call_details_call_id_same_company"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MissedCaller",
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
                        related_name="missed_callers",
                        to="crm.contact",
                    ),
                ),
                (
                    "phone_line",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The phone line of the last missed call.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.phoneline",
                    ),
                ),
                ("missed_calls", models.PositiveIntegerField(default=1)),
                ("first_missed_at", models.DateTimeField()),
                ("last_missed_at", models.DateTimeField()),
                (
                    "text_back",
                    models.CharField(
                        choices=[
                            ("off", "Off"),
                            ("due", "Due"),
                            ("queued", "Queued"),
                            ("refused", "Blocked"),
                            ("failed", "Failed"),
                        ],
                        default="off",
                        max_length=10,
                    ),
                ),
                (
                    "text_back_reason",
                    models.CharField(blank=True, help_text="The reason why no message was sent.", max_length=300),
                ),
                ("recovered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "recovered_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reply", "Replied"),
                            ("call", "Answered call"),
                            ("booking", "Booked"),
                            ("manual", "Marked by a user"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "recovered_user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The user who marked the caller as recovered.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The user who is calling back.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "claimed_until",
                    models.DateTimeField(blank=True, help_text="End of the claim, unless it is renewed.", null=True),
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
                "db_table": "missed_callers",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text_back__in", ["off", "due", "queued", "refused", "failed"])),
                        name="missed_callers_text_back_valid",
                        violation_error_message="text_back must be one of: off, due, queued, refused, failed.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("recovered_at__isnull", True), ("recovered_by", "")),
                            models.Q(
                                ("recovered_at__isnull", False),
                                ("recovered_by__in", ["reply", "call", "booking", "manual"]),
                            ),
                            _connector="OR",
                        ),
                        name="missed_callers_recovered_says_how",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("claimed_by__isnull", True), ("claimed_until__isnull", True)),
                            models.Q(("claimed_by__isnull", False), ("claimed_until__isnull", False)),
                            _connector="OR",
                        ),
                        name="missed_callers_claim_has_an_end",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("recovered_at__isnull", True)),
                        fields=("contact",),
                        name="missed_callers_contact_id_unique",
                    ),
                    crm.db.storage.StorageSettings(
                        name="missed_callers_storage",
                        parameters={
                            "autovacuum_vacuum_scale_factor": 0.01,
                            "autovacuum_vacuum_insert_scale_factor": 0.05,
                            "autovacuum_analyze_scale_factor": 0.02,
                        },
                    ),
                    crm.db.policies.TenantPolicy(name="missed_callers_tenant"),
                    crm.db.policies.SameCompany(field="contact", name="missed_callers_contact_id_same_company"),
                    crm.db.policies.SameCompany(field="phone_line", name="missed_callers_phone_line_id_same_company"),
                ],
            },
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="appointment",
            skips=["updated_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="appointmentproposal",
            skips=["updated_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="task",
            skips=["updated_at"],
        ),
        crm.db.audit.CreateAuditTriggers(
            model_name="timeoff",
            skips=["updated_at"],
        ),
        crm.db.triggers.CreateTriggers(
            on="calls",
            name="share_lead",
            postgresql="\nBEGIN\n    UPDATE appointments SET lead_id = NEW.lead_id WHERE call_id = NEW.id;\n    RETURN NULL;\nEND\n",
            each_row={"UPDATE": "OLD.lead_id IS DISTINCT FROM NEW.lead_id"},
            each_statement=[],
        ),
        crm.db.triggers.CreateTriggers(
            on="appointments",
            name="keep_rep_in_one_place",
            postgresql="\nBEGIN\n    -- Concurrent bookings of one rep wait here, so that each sees the rows of those before it.\n    PERFORM pg_advisory_xact_lock(hashtextextended('appointments_rep_is_free', NEW.assigned_rep_id));\n    IF EXISTS (SELECT \n    FROM appointments\n    WHERE assigned_rep_id = NEW.assigned_rep_id AND id <> NEW.id AND status <> 'cancelled'\n        AND scheduled_start > NEW.scheduled_start - interval '14 days' AND scheduled_start < NEW.scheduled_end\n        AND scheduled_end > NEW.scheduled_start\n) THEN\n        RAISE EXCEPTION 'appointments_rep_is_free' USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'appointments_rep_is_free';\n    END IF;\n    RETURN NULL;\nEND\n",
            each_row={
                "INSERT": "NEW.assigned_rep_id IS NOT NULL AND NEW.status <> 'cancelled' AND NOT NEW.allow_overlap",
                "UPDATE": "NEW.assigned_rep_id IS NOT NULL AND NEW.status <> 'cancelled' AND NOT NEW.allow_overlap AND (\n    OLD.status = 'cancelled' OR OLD.assigned_rep_id IS DISTINCT FROM NEW.assigned_rep_id\n    OR OLD.scheduled_start <> NEW.scheduled_start OR OLD.scheduled_end <> NEW.scheduled_end\n    OR OLD.allow_overlap <> NEW.allow_overlap\n)",
            },
            each_statement=[],
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="call",
            feed=crm.db.change_feed.Feed("calls", contact="contact_card_id", rep="assigned_rep_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="appointment",
            feed=crm.db.change_feed.Feed("appointments", contact="contact_id", rep="assigned_rep_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="appointmentproposal",
            feed=crm.db.change_feed.Feed("appointment-proposals", rep="created_by_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="task",
            feed=crm.db.change_feed.Feed("tasks", rep="assignee_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="timeoff",
            feed=crm.db.change_feed.Feed("time-off", rep="rep_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="attachment",
            feed=crm.db.change_feed.Feed(
                "attachments", contact="contact_id", ignores=("tries", "run_at", "source_url")
            ),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="calldetail",
            feed=crm.db.change_feed.Feed("calls", key="call_id"),
        ),
        crm.db.change_feed.CreateFeedTriggers(
            model_name="missedcaller",
            feed=crm.db.change_feed.Feed("missed-calls"),
        ),
    ]
