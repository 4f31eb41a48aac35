"""Estimates of the messages and the cost of a campaign before it starts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Value, When
from django.db.models.functions import Length, Repeat

from crm.choices import MembershipStatus
from crm.error_codes import ErrorCode
from crm.models import Campaign, CampaignMembership
from crm.placeholders import clean_value
from messaging.services.campaigns.audience import OPEN, contacts_to_join
from messaging.services.campaigns.bodies import FIRST_STEP, CampaignBodies, read_bodies
from messaging.services.campaigns.first_contacts import is_first_contact
from messaging.services.campaigns.placeholders import PLACEHOLDERS, names_in
from messaging.services.campaigns.texts import (
    UnresolvedPlaceholder,
    UnusableText,
    compose_text,
    find_placeholder_faults,
)
from messaging.services.campaigns.variant_tests import NEEDED_PER_VARIANT
from messaging.sms_segments import count_segments

MICROS = 1_000_000
CENT = Decimal("0.01")
OF_COMPANY = {"company_name"}  # placeholders with the same value for every contact
# Characters that are as long in every encoding, and words that stay as they are when they are filled in.
_PLAIN = r"^[A-Za-z0-9.,'&/#-]+( [A-Za-z0-9.,'&/#-]+)*$"


@dataclass
class EstimatedPart:
    """The messages of one step and variant. Of a further step, at most: some contacts will have ended before."""

    step: int
    variant: str
    members: int = 0
    sms_segments: int = 0


@dataclass
class TextProblem:
    """Contacts who can't get their text. `attr` is the text's name."""

    attr: str
    code: ErrorCode
    detail: str
    members: int = 0


@dataclass(frozen=True)
class VariantSize:
    """The contacts in the smaller variant of an A/B test, and how many a verdict needs."""

    members_per_variant: int
    needed_per_variant: int

    @property
    def is_enough(self) -> bool:
        return self.members_per_variant >= self.needed_per_variant


@dataclass
class Estimate:
    """The estimate of a campaign's pending members, and of those whom its segment would add now."""

    members: int = 0
    first_contacts: int = 0
    parts: dict[tuple[int, str], EstimatedPart] = field(default_factory=dict)
    problems: dict[tuple[str, ErrorCode], TextProblem] = field(default_factory=dict)
    test: VariantSize | None = None
    price_micros: int = 0

    @property
    def sms_segments(self) -> int:
        return sum(part.sms_segments for part in self.parts.values())

    @property
    def cost(self) -> Decimal:
        return cost_of(self.sms_segments, self.price_micros)


def cost_of(sms_segments: int, price_micros: int) -> Decimal:
    """Return the cost of so many SMS segments in the company's currency, with two decimals."""
    return (Decimal(sms_segments * price_micros) / MICROS).quantize(CENT)


def estimate_campaign(*, campaign: Campaign) -> Estimate:
    """Return the estimate, with two statements whatever the number of members, and a few more if there is a segment.

    The SMS segments of the next messages are exact for the contacts as they are now. The database groups the members
    by all that decides about their number of segments: variant, first contact, and the value of each placeholder, of
    which plain ones are told apart by their length alone. One text is composed for each group.
    """
    bodies = read_bodies(campaign)
    estimate = Estimate(price_micros=campaign.company.segment_price_micros)
    for attr, body in bodies.named.items():
        for fault in find_placeholder_faults(body)[:1]:
            problem = TextProblem(attr, UnresolvedPlaceholder.code, fault.detail)
            estimate.problems[attr, problem.code] = problem
    for group in _groups(campaign, bodies):
        _add_group(estimate, campaign, bodies, group)
    if bodies.is_test:
        parts = [estimate.parts.get((FIRST_STEP, variant)) for variant in bodies.first]
        smallest = min(part.members if part else 0 for part in parts)
        estimate.test = VariantSize(smallest, NEEDED_PER_VARIANT)
    return estimate


def check_texts(*, campaign: Campaign) -> None:
    """Check that every pending member, and everybody who would join, can get every text.

    Raises:
        UnusableText: for the first problem.
    """
    check_estimate(estimate_campaign(campaign=campaign))


def check_estimate(estimate: Estimate) -> None:
    """Raise UnusableText for the first problem of an estimate."""
    for problem in estimate.problems.values():
        number = f" ({problem.members:,} contacts of this campaign.)" if problem.members else ""
        refusal = UnresolvedPlaceholder if problem.code == UnresolvedPlaceholder.code else UnusableText
        raise refusal(problem.detail + number, code=problem.code, attr=problem.attr)


def _groups(campaign: Campaign, bodies: CampaignBodies) -> Iterator[dict[str, Any]]:
    names = set().union(*(names_in(body) for body in bodies.named.values())) - OF_COMPANY
    members = CampaignMembership.objects.filter(campaign=campaign, status=MembershipStatus.PENDING)
    yield from _group(members, "contact", names, "step")
    if campaign.segment is not None and campaign.status in OPEN:
        for group in _group(contacts_to_join(campaign=campaign, segment=campaign.segment), "", names):
            yield group | {"step": FIRST_STEP}


def _group(rows: Any, contact: str, names: set[str], *keys: str) -> Iterable[dict[str, Any]]:
    """Count rows by all that decides about their texts. `contact` is their path to the contact."""
    path = f"{contact}__" if contact else ""
    columns = {f"value_{name}": _shape(f"{path}{PLACEHOLDERS[name]}") for name in names}
    groups = rows.order_by().annotate(is_first=is_first_contact(contact or "pk"), **columns)
    found: Iterable[dict[str, Any]] = groups.values("variant", "is_first", *keys, *columns).annotate(number=Count("*"))
    return found


def _shape(path: str) -> Any:
    """Return a plain value as x's of its length, any other as it is."""
    plain = When(**{f"{path}__regex": _PLAIN}, then=Repeat(Value("x"), Length(path)))
    return Case(plain, default=F(path))


def _add_group(estimate: Estimate, campaign: Campaign, bodies: CampaignBodies, group: dict[str, Any]) -> None:
    """Add the members of a group with their next step and all further ones."""
    values = {name.removeprefix("value_"): clean_value(group[name]) for name in group if name.startswith("value_")}
    values |= {name: clean_value(campaign.company.name) for name in OF_COMPANY}
    estimate.members += group["number"]
    for step in (group["step"], *(step for step in bodies.further if step > group["step"])):
        is_first = group["is_first"] and step == FIRST_STEP
        estimate.first_contacts += group["number"] * is_first
        body = bodies.body_of(step, group["variant"])
        try:
            text = compose_text(body=body, values=values, company_name=campaign.company.name, is_first=is_first)
        except UnusableText as unusable:
            attr = bodies.name_of(step, group["variant"])
            problem = TextProblem(attr, unusable.code, str(unusable))
            estimate.problems.setdefault((attr, unusable.code), problem).members += group["number"]
            continue
        part = estimate.parts.setdefault((step, group["variant"]), EstimatedPart(step, group["variant"]))
        part.members += group["number"]
        part.sms_segments += group["number"] * count_segments(text)
