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
from messaging.models import ProviderAccount, WebhookEvent, WebhookSecret
from messaging.services.webhook_secrets import webhook_url

MAX_ROWS = 50


@dataclass(frozen=True)
class Step:
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
    steps: Sequence[Step]
    lines: Iterable[tuple[PhoneLine, str]]
    """Each with the time until which it is paused."""
    people: Iterable[User]
    addresses: Sequence[WebhookAddress]

    @property
    def missing(self) -> int:
        return sum(not step.is_done for step in self.steps)


def state_of(company: Company, staff: Any) -> CompanyState:
    lines = list(PhoneLine.objects.filter(company=company).order_by("name", "number", "pk")[:MAX_ROWS])
    people = list(User.accounts.filter(company=company, is_active=True).order_by("role", "first_name", "pk")[:MAX_ROWS])
    secrets = set(WebhookSecret.objects.filter(company=company).values_list("provider", flat=True))
    accounts = set(ProviderAccount.objects.filter(company=company).values_list("provider", flat=True))
    event = WebhookEvent.objects.filter(company=company).order_by("-created_at").values_list("created_at", flat=True)
    used = {line.provider for line in lines}
    at = now()
    return CompanyState(
        steps=_steps(company, staff, lines, used, secrets, accounts, event.first(), people),
        lines=[
            (line, say_time(line.paused_until, company.zone) if line.paused_until and line.paused_until > at else "")
            for line in lines
        ],
        people=people,
        addresses=sorted(
            (WebhookAddress(each.label, webhook_url(company, each), each in used) for each in Provider),
            key=lambda address: not address.is_used,
        ),
    )


def _steps(
    company: Company,
    staff: Any,
    lines: Sequence[PhoneLine],
    used: set[str],
    secrets: set[str],
    accounts: set[str],
    last_event: Any,
    people: Sequence[User],
) -> list[Step]:
    def add(page: str) -> str:
        """Return the page that adds a row to this company, for those who may."""
        app, model = page.split("_")
        allowed = staff.has_perm(f"{app}.add_{model}")
        return f"{reverse(f'admin:{page}_add')}?{urlencode({'company': company.pk})}" if allowed else ""

    def names(providers: set[str]) -> str:
        return ", ".join(Provider(each).label for each in sorted(providers))

    without_secret, without_account = used - secrets, used - accounts
    steps = [
        Step(
            "A phone line",
            bool(lines),
            f"{len(lines)} of {names(used)}" if lines else "Its number, and the ID that the provider has for it.",
            "Add a phone line",
            add("crm_phoneline"),
        ),
        Step(
            "A signing secret",
            bool(used) and not without_secret,
            f"Missing: {names(without_secret)}. All its webhook events are refused."
            if without_secret
            else "Webhook events are checked against it.",
            "Add a secret",
            add("messaging_webhooksecret"),
        ),
        Step(
            "A provider account",
            bool(used) and not without_account,
            f"Missing: {names(without_account)}. No text can leave." if without_account else "Texts leave through it.",
            "Add an account",
            add("messaging_provideraccount"),
        ),
        Step(
            "The first webhook event",
            last_event is not None,
            f"The last one came at {say_time(last_event, company.zone)}."
            if last_event
            else "Give the provider the URL below, then call or text the line.",
            "",
            "",
        ),
        Step(
            "People",
            bool(people),
            f"{len(people)} can sign in" if people else "A manager, who can add colleagues.",
            "Add a user",
            add("crm_user"),
        ),
    ]
    hidden = {
        title
        for title, model in (("A signing secret", "webhooksecret"), ("A provider account", "provideraccount"))
        if not staff.has_perm(f"messaging.view_{model}")
    }
    return [step for step in steps if step.title not in hidden]


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
