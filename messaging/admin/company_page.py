"""Admin for companies, whose page begins with a checklist of what is set up, its lines, people and webhook URLs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now

from crm.admin.companies import CompanyAdmin
from crm.choices import Provider
from crm.models import Company, PhoneLine, User
from messaging.admin.message_words import say_time
from messaging.services.setup import Setup, SetupStep, StepName, read_setup
from messaging.services.webhook_secrets import webhook_url

MAX_ROWS = 50
# What adds a step's row, and the page for it.
ADDED_BY = {
    StepName.PHONE_LINE: ("Add a phone line", "crm_phoneline"),
    StepName.SIGNATURE: ("Add a secret", "messaging_webhooksecret"),
    StepName.PROVIDER_ACCOUNT: ("Add an account", "messaging_provideraccount"),
    StepName.PEOPLE: ("Add a user", "crm_user"),
}
CREDENTIALS = {
    StepName.SIGNATURE: "messaging.view_webhooksecret",
    StepName.PROVIDER_ACCOUNT: "messaging.view_provideraccount",
}


@dataclass(frozen=True)
class StepOnPage:
    """One step of the set-up."""

    title: str
    is_done: bool
    note: str
    label: str
    url: str
    """URL of the page for it. Empty for users without the permission."""


@dataclass(frozen=True)
class WebhookAddress:
    provider: str
    url: str
    is_used: bool
    """True if the company has a line of this provider."""


@dataclass(frozen=True)
class CompanyState:
    steps: Sequence[StepOnPage]
    hides_steps: bool
    """True if there are steps that this member of staff may not see."""
    lines: Iterable[tuple[PhoneLine, str]]
    """Each with the time until which it is paused."""
    people: Iterable[User]
    addresses: Sequence[WebhookAddress]

    @property
    def missing(self) -> int:
        return sum(not step.is_done for step in self.steps)


def state_of(company: Company, staff: Any) -> CompanyState:
    setup, at = read_setup(company), now()
    lines = list(PhoneLine.objects.filter(company=company).order_by("name", "number", "pk")[:MAX_ROWS])
    people = list(User.accounts.filter(company=company, is_active=True).order_by("role", "first_name", "pk")[:MAX_ROWS])
    seen = [step for step in setup.steps if step.name not in CREDENTIALS or staff.has_perm(CREDENTIALS[step.name])]
    return CompanyState(
        steps=[_on_page(step, setup, company, staff) for step in seen],
        hides_steps=len(seen) < len(setup.steps),
        lines=[
            (line, say_time(line.paused_until, company.zone) if line.paused_until and line.paused_until > at else "")
            for line in lines
        ],
        people=people,
        addresses=sorted(
            (WebhookAddress(each.label, webhook_url(company, each), each in setup.used) for each in Provider),
            key=lambda address: not address.is_used,
        ),
    )


def _on_page(step: SetupStep, setup: Setup, company: Company, staff: Any) -> StepOnPage:
    note, label, url = step.note, "", ""
    if step.name == StepName.WEBHOOK_EVENT and setup.last_event_at:
        note = f"The last one came at {say_time(setup.last_event_at, company.zone)}."
    if step.name in ADDED_BY:
        label, page = ADDED_BY[step.name]
        app, model = page.split("_")
        if staff.has_perm(f"{app}.add_{model}"):
            url = f"{reverse(f'admin:{page}_add')}?{urlencode({'company': company.pk})}"
    return StepOnPage(step.title, step.is_done, note, label, url)


@admin.register(Company)
class CompanyPageAdmin(CompanyAdmin):
    """The table of companies, and the page of one with its set-up above the settings."""

    change_form_template = "admin/crm/company/change_form.html"

    class Media:
        css = {"all": ("messaging/companies.css",)}
        js = ("messaging/copy.js",)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        company = options.get("obj")
        if company is not None:
            context["setup"] = state_of(company, request.user)
        return super().render_change_form(request, context, *args, **options)
