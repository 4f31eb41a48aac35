"""Admin for reminders of appointments."""

from django.contrib import admin

from crm.admin.base.columns import badge, excerpt, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.admin.base.search import ExactSearch
from messaging.models import AppointmentReminder


@admin.register(AppointmentReminder)
class AppointmentReminderAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (
        moment("created_at"), "appointment", "lead_minutes", moment("scheduled_start"), badge("status"),
        excerpt("reason"), badge("answer"), "company",
    )  # fmt: skip
    list_select_related = ("appointment", "company")
    list_filter = ("created_at", "company")
    search_contact = "appointment__contact"
    search_help_text = "The contact's name or phone number, or # and the reminder's ID, such as #12."
    fields = (
        "company", "appointment", "lead_minutes", "scheduled_start", "status", "reason", "message_id", "answer",
        "answered_at", "run_at", "created_at",
    )  # fmt: skip
