"""Set-up of a company: what it needs before its phones ring here and its texts leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crm.choices import Provider
from crm.models import Company, PhoneLine, User
from messaging.models import ProviderAccount, WebhookEvent, WebhookSecret


class StepName(StrEnum):
    PHONE_LINE = "phone_line"
    SIGNATURE = "webhook_secret"
    PROVIDER_ACCOUNT = "provider_account"
    WEBHOOK_EVENT = "webhook_event"
    PEOPLE = "people"


@dataclass(frozen=True)
class SetupStep:
    """One step of the set-up."""

    name: StepName
    title: str
    is_done: bool
    note: str
    """The state of the step, or the next thing to do."""
    missing_for: Sequence[str] = ()
    """The providers of the company's lines that still lack it."""


@dataclass(frozen=True)
class Setup:
    steps: Sequence[SetupStep]
    used: frozenset[str]
    """The providers of the company's lines."""
    last_event_at: datetime | None

    @property
    def missing(self) -> int:
        return sum(not step.is_done for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return not self.missing


def read_setup(company: Company) -> Setup:
    """Return the steps of the company's set-up, in the order in which they are done."""
    providers = list(PhoneLine.objects.filter(company=company).order_by().values_list("provider", flat=True))
    secrets = set(WebhookSecret.objects.filter(company=company).values_list("provider", flat=True))
    accounts = set(ProviderAccount.objects.filter(company=company).values_list("provider", flat=True))
    events = WebhookEvent.objects.filter(company=company).order_by("-created_at").values_list("created_at", flat=True)
    people = User.accounts.filter(company=company, is_active=True).count()
    used, last_event_at = frozenset(providers), events.first()
    without_secret, without_account = sorted(used - secrets), sorted(used - accounts)
    steps = [
        SetupStep(
            StepName.PHONE_LINE,
            "A phone line",
            bool(used),
            f"{len(providers)} of {_names(used)}" if used else "Its number, and the ID that the provider has for it.",
        ),
        SetupStep(
            StepName.SIGNATURE,
            "A signing secret",
            bool(used) and not without_secret,
            f"Missing: {_names(without_secret)}. All its webhook events are refused."
            if without_secret
            else "Webhook events are checked against it.",
            without_secret,
        ),
        SetupStep(
            StepName.PROVIDER_ACCOUNT,
            "A provider account",
            bool(used) and not without_account,
            f"Missing: {_names(without_account)}. No text can leave." if without_account else "Texts leave through it.",
            without_account,
        ),
        SetupStep(
            StepName.WEBHOOK_EVENT,
            "The first webhook event",
            last_event_at is not None,
            "Webhook events arrive."
            if last_event_at
            else "Give the provider the webhook URL, then call or text the line.",
        ),
        SetupStep(
            StepName.PEOPLE,
            "People",
            people > 0,
            f"{people} can sign in" if people else "A manager, who can add colleagues.",
        ),
    ]
    return Setup(steps, used, last_event_at)


def _names(providers: frozenset[str] | Sequence[str]) -> str:
    return ", ".join(Provider(each).label for each in sorted(providers))
