"""Every page and action of the admin, from its registry: those of tables by their names, others with what they need."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import URLPattern

from tests import factories
from tests.config.test_admin_pages import FACTORIES

# What a page of a table needs, by the end of its name.
OF_TABLES = {
    "changelist": "view", "export": "view", "save_view": "view", "change_view": "view", "history": "view",
    "change": "view", "add": "add", "delete": "delete",
}  # fmt: skip
# Pages of everybody who may enter the admin.
OPEN = {
    "index", "search", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n",
    "view_on_site", "app_list", "second_factor", "sessions",
}  # fmt: skip
POST = ("post",)


@dataclass(frozen=True)
class Page:
    """A page with a name of its own.

    Attributes:
        needs: the permission, as `change_contact`.
        make: makes the row of its URL, at the company.
        methods: those that it takes.
    """

    needs: str
    make: Callable[[Any], Any] | None = None
    methods: tuple[str, ...] = ("get", "post")


def of(model: str) -> Callable[[Any], Any]:
    return lambda company: FACTORIES[model]()


def campaign(company: Any) -> Any:
    line = factories.PhoneLineFactory(company=company)
    return factories.CampaignFactory(company=company, status="draft", phone_line=line, scheduled_at=None)


CUSTOM = {
    "index_health": Page("view_callrollup"),
    "contact_privacy": Page("change_contact", of("contact")),
    "crm_contact_merge": Page("change_contact", of("contact")),
    "crm_contact_note": Page("change_contact", of("contact")),
    "crm_contactmerge_undo": Page("change_contact", of("contactmerge"), methods=POST),
    "crm_backgroundtask_cancel": Page("change_backgroundtask", of("backgroundtask"), methods=POST),
    "crm_backgroundtask_file": Page("view_backgroundtask", of("backgroundtask")),
    "crm_import_map": Page("add_import", of("storedfile")),
    "crm_import_rejected": Page("view_import", of("import")),
    "crm_import_repeat": Page("add_import", of("import"), methods=POST),
    "crm_import_cancel": Page("add_import", of("import"), methods=POST),
    "crm_import_undo": Page("add_import", of("import")),
    "crm_user_invite": Page("change_user", of("user")),
    "crm_user_reset_second_factor": Page("change_user", of("user")),
    "auth_user_password_change": Page("change_user", of("user")),
    "crm_conversation_text": Page("change_conversation", of("contact")),
    "crm_lead_conversion": Page("view_lead"),
    "crm_segment_preview": Page("view_segment", methods=POST),
    "crm_segment_choices": Page("view_segment", methods=("get",)),
    "calls_appointment_week": Page("view_appointment"),
    "calls_appointment_day": Page("view_appointment"),
    "calls_appointment_move": Page("change_appointment", of("appointment")),
    "calls_appointment_on_the_way": Page("change_appointment", of("appointment"), methods=POST),
    "calls_appointmentproposal_decide": Page("change_appointment", of("appointmentproposal"), methods=POST),
    "calls_missedcaller_act": Page("change_missedcaller", of("missedcaller"), methods=POST),
    "calls_task_finish": Page("change_task", of("task"), methods=POST),
    "calls_attachment_file": Page("view_attachment", of("attachment")),
    "calls_attachment_contact": Page("view_attachment", of("contact"), methods=("get",)),
    "calls_attachment_appointment": Page("view_attachment", of("appointment"), methods=("get",)),
    "calls_call_objections": Page("add_callanalysis", of("call"), methods=POST),
    "crm_campaign_progress": Page("view_campaign", campaign),
    **{
        f"crm_campaign_{name}": Page("change_campaign", campaign)
        for name in ("start", "pause", "resume", "cancel", "audience", "test_send")
    },
}
# What an action on rows of a list needs, by the names of the table and of the action.
ACTIONS = {
    ("apitoken", "revoke"): "change_apitoken",
    ("calendarfeed", "revoke"): "change_calendarfeed",
    ("attachment", "fetch_again"): "change_attachment",
    ("backgroundtask", "cancel"): "change_backgroundtask",
    ("campaign", "pause"): "change_campaign",
    ("contactfield", "restore"): "change_contactfield",
    ("mail", "send_again"): "change_mail",
    ("message", "cancel"): "change_message",
    ("message", "release"): "change_message",
    ("outgoingevent", "replay"): "change_outgoingevent",
    ("webhookevent", "process_again"): "change_webhookevent",
}


def registered() -> dict[str, Any]:
    return {str(model._meta.model_name): each for model, each in admin.site._registry.items()}


def pages_of_tables() -> dict[str, tuple[str, str]]:
    """Return the table and what is needed, by the page's name."""
    return {
        f"{each.opts.app_label}_{name}_{end}": (name, needs)
        for name, each in registered().items()
        for end, needs in OF_TABLES.items()
    }


def all_pages() -> set[str]:
    """Return the name of every page of the admin."""

    def names(patterns: Any) -> set[str]:
        found: set[str] = set()
        for each in patterns:
            if isinstance(each, URLPattern):
                found |= {each.name} if each.name else set()
            else:
                found |= names(each.url_patterns)
        return found

    return names(admin.site.get_urls())


def all_actions() -> set[tuple[str, str]]:
    return {(name, action) for name, each in registered().items() for action in each.actions or ()}
