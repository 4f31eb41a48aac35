"""Companies, users and phone lines."""

from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower, Now
from django.utils.timezone import now

from crm.choices import Provider, Role
from crm.constraints import one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.appointment_texts import MAX_APPOINTMENT_TEXT, validate_on_the_way_text, validate_reminder_text
from crm.models.opt_out_texts import MAX_OPT_OUT_TEXT, validate_opt_out_text
from crm.models.session_triggers import SESSIONS_END
from crm.names import name_of_line, name_of_user
from crm.phones import MAX_LENGTH
from crm.querysets import PhoneLineQuerySet
from crm.texting_hours import EARLIEST, LATEST
from crm.working_hours import is_open, validate_working_hours

MIN_IDLE_DAYS = 7  # before it, somebody may still mean to reply
MAX_CAMPAIGN_INTERVAL_DAYS = 365
MAX_SEGMENT_PRICE_MICROS = 10_000_000  # ten dollars: more is a typing error
MIN_RECORDING_DAYS = 30  # a complaint may need the recording
MIN_RETENTION_DAYS = 365  # the dashboard compares years, and reconciling asks a provider for old records again

LAWFUL_HOURS = f"from {EARLIEST} to {LATEST}: the law allows automatic texts in no other hours."


def validate_timezone(name: str) -> None:
    """Raise ValidationError unless `name` is an IANA time zone such as `America/Denver`."""
    if name not in available_timezones():
        raise ValidationError(f"{name!r} isn't an IANA time zone; use a name such as America/Denver.")


class Company(models.Model):
    """A tenant: one home-services business."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True, help_text="Part of the webhook URLs given to providers.")

    timezone = models.CharField(
        max_length=64, default="America/New_York", validators=[validate_timezone], verbose_name="time zone"
    )
    currency = models.CharField(
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"^[A-Z]{3}$", "Must be three capital letters, such as USD.")],
    )

    missed_call_text = models.TextField(blank=True, help_text="Sent after a missed call. Leave empty to send nothing.")
    after_hours_text = models.TextField(
        blank=True,
        db_default="",
        help_text="Sent instead after a call that was missed outside of working hours. Empty: the same text.",
    )
    working_hours = models.JSONField(
        null=True,
        blank=True,
        validators=[validate_working_hours],
        help_text='By day: {"monday": {"opens": "08:00", "closes": "17:00"}}. Other days: closed. Empty: always open.',
    )
    quiet_hours_start = models.PositiveSmallIntegerField(
        default=LATEST,
        db_default=LATEST,
        help_text=f"Hour from which automatic texts wait, by the recipient's clock: {LATEST} (9 pm) at the latest.",
        verbose_name="quiet hours begin at",
    )
    quiet_hours_end = models.PositiveSmallIntegerField(
        default=EARLIEST,
        db_default=EARLIEST,
        help_text=f"Hour from which they leave: {EARLIEST} at the earliest. States and campaigns have stricter hours.",
        verbose_name="quiet hours end at",
    )
    opt_out_text = models.TextField(
        blank=True,
        db_default="",
        max_length=MAX_OPT_OUT_TEXT,
        validators=[validate_opt_out_text],
        help_text="Confirms an opt-out, with {company_name} and the word START. Empty: the standard text.",
        verbose_name="confirmation of opt-outs",
    )

    retention_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Archive closed records after this many days. Empty: never.",
    )
    recording_retention_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Delete recordings and voicemails after this many days. Empty: never."
    )
    close_conversations_after_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=90,
        help_text="Close conversations after this many days without a call or message. Empty: never.",
    )

    require_marketing_consent = models.BooleanField(
        default=False, db_default=False, help_text="Leave contacts without a recorded consent out of campaigns."
    )
    campaign_interval_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="A contact gets one campaign in this many days. Empty: any number."
    )
    daily_segment_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="SMS segments a day (UTC) that carriers allow for all lines together. Empty: only each line's limit.",
    )
    segment_price_micros = models.PositiveIntegerField(
        default=11_000,
        db_default=11_000,
        help_text="Price of an SMS segment in millionths of the currency, for estimates.",
    )
    appointment_reminders = models.BooleanField(
        default=False, db_default=False, help_text="Remind contacts of appointments 24 hours and 2 hours before."
    )
    reminder_text_24h = models.TextField(
        blank=True,
        db_default="",
        max_length=MAX_APPOINTMENT_TEXT,
        validators=[validate_reminder_text],
        help_text=(
            "Reminder 24 hours before. It may have {first_name|there}, {company_name}, {day}, {time} and {answers}. "
            "Empty: the standard text."
        ),
        verbose_name="reminder text, 24 hours before",
    )
    reminder_text_2h = models.TextField(
        blank=True,
        db_default="",
        max_length=MAX_APPOINTMENT_TEXT,
        validators=[validate_reminder_text],
        help_text="Reminder 2 hours before, with the same placeholders. Empty: the standard text.",
        verbose_name="reminder text, 2 hours before",
    )
    on_the_way_text = models.TextField(
        blank=True,
        db_default="",
        max_length=MAX_APPOINTMENT_TEXT,
        validators=[validate_on_the_way_text],
        help_text=(
            "Text that the rep is on the way. It may have {first_name|there}, {company_name}, {rep|Your rep} and "
            "{minutes}. Empty: the standard text."
        ),
        verbose_name="on-the-way text",
    )

    duplicates_run_at = models.DateTimeField(
        default=now,
        db_default=Now(),
        editable=False,
        help_text="The next search for duplicates isn't before. While one runs: the end of its lease.",
    )
    duplicates_searched_at = models.DateTimeField(
        null=True, editable=False, help_text="Start of the last search for duplicates. Empty: there was none."
    )

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    audit = Audit(company="id", skips=("updated_at", "duplicates_run_at", "duplicates_searched_at"), inserts=False)
    feed = Feed("company", company="id", ignores=("duplicates_run_at", "duplicates_searched_at"))

    class Meta:
        db_table = "companies"
        verbose_name_plural = "companies"
        constraints = [
            models.CheckConstraint(
                condition=Q(retention_days__isnull=True) | Q(retention_days__gte=MIN_RETENTION_DAYS),
                name="companies_retention_days_valid",
                violation_error_message=f"retention_days must be at least {MIN_RETENTION_DAYS}, or empty.",
            ),
            models.CheckConstraint(
                condition=Q(recording_retention_days__isnull=True)
                | Q(recording_retention_days__gte=MIN_RECORDING_DAYS),
                name="companies_recording_retention_days_valid",
                violation_error_message=f"recording_retention_days must be at least {MIN_RECORDING_DAYS}, or empty.",
            ),
            models.CheckConstraint(
                condition=Q(close_conversations_after_days__isnull=True)
                | Q(close_conversations_after_days__gte=MIN_IDLE_DAYS),
                name="companies_close_conversations_after_days_valid",
                violation_error_message=(f"close_conversations_after_days must be at least {MIN_IDLE_DAYS}, or empty."),
            ),
            models.CheckConstraint(
                condition=Q(campaign_interval_days__isnull=True)
                | Q(campaign_interval_days__range=(1, MAX_CAMPAIGN_INTERVAL_DAYS)),
                name="companies_campaign_interval_days_valid",
                violation_error_message=(
                    f"campaign_interval_days must be from 1 to {MAX_CAMPAIGN_INTERVAL_DAYS}, or empty."
                ),
            ),
            models.CheckConstraint(
                condition=Q(daily_segment_limit__isnull=True) | Q(daily_segment_limit__gte=1),
                name="companies_daily_segment_limit_valid",
                violation_error_message="daily_segment_limit must be at least 1, or empty.",
            ),
            models.CheckConstraint(
                condition=Q(segment_price_micros__lte=MAX_SEGMENT_PRICE_MICROS),
                name="companies_segment_price_micros_valid",
                violation_error_message=f"segment_price_micros must be at most {MAX_SEGMENT_PRICE_MICROS}.",
            ),
            models.CheckConstraint(
                condition=Q(quiet_hours_end__range=(EARLIEST, LATEST)),
                name="companies_quiet_hours_end_valid",
                violation_error_message=f"quiet_hours_end must be {LAWFUL_HOURS}",
            ),
            models.CheckConstraint(
                condition=Q(quiet_hours_start__range=(EARLIEST, LATEST)),
                name="companies_quiet_hours_start_valid",
                violation_error_message=f"quiet_hours_start must be {LAWFUL_HOURS}",
            ),
            models.CheckConstraint(
                condition=Q(quiet_hours_start__gt=F("quiet_hours_end")),
                name="companies_quiet_hours_leave_an_hour",
                violation_error_message="quiet_hours_start must be later than quiet_hours_end, or no text could leave.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the company's days begin and end."""
        return ZoneInfo(self.timezone)

    def text_after_missed_call(self, moment: datetime) -> str:
        """Return the text for a call that was missed at that moment; "" for none."""
        works = is_open(hours=self.working_hours, zone=self.zone, moment=moment)
        return self.missed_call_text if works else self.after_hours_text or self.missed_call_text


class AccountManager(UserManager):
    """Manager of the users of all companies."""

    def get_by_natural_key(self, username: str | None) -> Any:
        """Return the user with this name, however it was typed. Letters in another case are the same name."""
        name = self.model.normalize_username(username or "")
        return self.alias(key=Lower("username")).get(key=Lower(Value(name)))


class TenantUserManager(TenantManager, UserManager):
    """Manager of the active tenant's users."""


class User(AbstractUser):
    """A person who signs in: a user of one company with one role, or staff, who see all companies in the admin."""

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    role = models.CharField(max_length=10, choices=Role.choices, blank=True)
    second_factor_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when signing in asks for a code."
    )
    working_hours = models.JSONField(
        null=True,
        blank=True,
        validators=[validate_working_hours],
        help_text="Of a rep, as those of the company: by day. Empty: the company's.",
    )
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    # Sign-in looks up a user name before a tenant is active, and user names are unique across companies. So the default
    # manager is the open one. All other code uses `User.objects`, which needs an active tenant.
    accounts = AccountManager()
    objects: ClassVar = TenantUserManager()
    audit = Audit(skips=("last_login", "updated_at"), hides=("password",))
    triggers = SESSIONS_END
    feed = Feed("users", ignores=("last_login",), condition="{row}.company_id IS NOT NULL", changes_company=True)

    class Meta(AbstractUser.Meta):
        db_table = "users"
        constraints = [
            models.CheckConstraint(
                condition=Q(company__isnull=True, is_staff=True, role="")
                | Q(company__isnull=False, role__in=Role.values),
                name="users_role_within_company",
                violation_error_message="A user must have a company and a role, or be staff without either.",
            ),
            models.CheckConstraint(
                condition=Q(company__isnull=True) | (Q(is_superuser=False) & Q(is_staff=False)),
                name="users_staff_without_company",
                violation_error_message="A user of a company can't be staff.",
            ),
            # Beside `manager`, a `Manager` could pass for that user.
            models.UniqueConstraint(
                Lower("username"),
                name="users_username_lower_unique",
                violation_error_message="A user with that username already exists.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "date_joined"],
                name="ix_users_company_id_date_joined",
                question="A company's users, newest first?",
                asked_by="GET /api/v1/users",
            ),
        ]

    def __str__(self) -> str:
        return name_of_user(self.first_name, self.last_name, self.username)


class PhoneLine(TenantModel):
    """One of a company's own numbers. A line that a webhook event created has no name until a manager gives it one."""

    name = models.CharField(max_length=100, blank=True)
    number = models.CharField(
        max_length=MAX_LENGTH, blank=True, help_text="E.164. Empty: only the provider's ID is known."
    )
    provider = models.CharField(max_length=20, choices=Provider.choices, default=Provider.OPENPHONE)
    provider_id = models.CharField(
        max_length=100, blank=True, help_text="The provider's ID for this line, such as PN…", verbose_name="provider ID"
    )

    # Pace and daily count of outgoing messages. Each send updates them, so all workers together keep one pace.
    daily_cap = models.PositiveIntegerField(default=2000, help_text="SMS segments a day that the carrier allows.")
    next_send_at = models.DateTimeField(default=now, editable=False, help_text="Next message not before this time.")
    next_campaign_send_at = models.DateTimeField(
        default=now,
        db_default=Now(),
        editable=False,
        help_text="Next campaign message not before this time: replies have a share.",
    )
    sent_on = models.DateField(
        null=True, blank=True, editable=False, help_text="The day (UTC) that sent_segments counts."
    )
    sent_segments = models.PositiveIntegerField(default=0, editable=False, help_text="SMS segments sent on that day.")
    paused_until = models.DateTimeField(null=True, blank=True, help_text="Paused by the provider until this time.")
    paused_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Beginning of the latest pause.")
    pause_reason = models.CharField(max_length=200, blank=True)

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(PhoneLineQuerySet)()
    feed = Feed("phone-lines", ignores=("next_send_at", "next_campaign_send_at", "sent_on", "sent_segments"))

    class Meta:
        db_table = "phone_lines"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE | {"fillfactor": 50}, name="phone_lines_storage"),
            one_of("provider", Provider, name="phone_lines_provider_valid"),
            models.CheckConstraint(
                condition=~Q(number="", provider_id=""),
                name="phone_lines_identified",
                violation_error_message="A phone line must have a number or a provider ID.",
            ),
            # Over all companies: messages to a number reach one company. The sentence doesn't tell which.
            models.UniqueConstraint(
                fields=["number"],
                condition=~Q(number=""),
                name="phone_lines_number_unique",
                violation_error_message="This number is a phone line already.",
            ),
            models.UniqueConstraint(
                fields=["company", "provider", "provider_id"],
                condition=~Q(provider_id=""),
                name="phone_lines_company_id_provider_id_unique",
                violation_error_message="Another phone line has this provider ID.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_phone_lines_company_id_created_at",
                question="A company's phone lines, newest first?",
                asked_by="GET /api/v1/phone-lines",
            ),
        ]

    def __str__(self) -> str:
        return name_of_line(self.name, self.number, self.provider_id)
