"""A/B tests: which of two texts gets more replies, read at planned looks only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crm.choices import MembershipStatus, Variant
from messaging.services.campaigns.bodies import FIRST_STEP
from messaging.services.campaigns.count_rows import CountRow
from messaging.services.campaigns.statistics import (
    LOOKS,
    Comparison,
    Proportion,
    compare_proportions,
    find_winner,
    look_sizes,
    needed_per_variant,
)
from messaging.services.outbound.campaign_progress import REPLY_WINDOW

# A test is planned to tell apart that one in ten recipients replies, or three in twenty.
EXPECTED_RATES = (0.10, 0.15)
NEEDED_PER_VARIANT = needed_per_variant(*EXPECTED_RATES, looks=LOOKS)
_HOUR = timedelta(hours=1)
_NOT_SENT_YET = (MembershipStatus.PENDING, MembershipStatus.SENDING)


class Verdict(StrEnum):
    """Verdict of an A/B test."""

    TOO_SMALL = "too_small"
    NOT_ENOUGH_YET = "not_enough_yet"
    WINNER = "winner"
    NO_DIFFERENCE = "no_difference"


@dataclass(frozen=True)
class VariantTest:
    """The state of an A/B test.

    Attributes:
        planned: recipients of each variant at the last look, the smaller variant's.
        recipients: recipients of the smaller variant whose time to reply is over.
        look: number of the last look, 0 before the first.
        replies: replies of the recipients of that look, by variant.
        comparison: their difference, B minus A; None before the first look.
    """

    verdict: Verdict
    winner: str
    planned: int
    recipients: int
    look: int
    replies: dict[str, Proportion]
    comparison: Comparison | None

    @property
    def sentence(self) -> str:
        match self.verdict:
            case Verdict.TOO_SMALL:
                return (
                    f"The test is too small for a verdict: {self.planned:,} of the {NEEDED_PER_VARIANT:,} recipients "
                    "that each text needs."
                )
            case Verdict.NOT_ENOUGH_YET:
                looked = f"Look {self.look} of {LOOKS} has shown no difference." if self.look else "There was no look."
                return (
                    f"Not enough yet: {self.recipients:,} of {self.planned:,} recipients of each text have had "
                    f"72 hours to reply. {looked}"
                )
            case Verdict.WINNER:
                return f"Text {self.winner.upper()} gets more replies."
        return "No difference was found: either text will do."


def read_test(rows: Sequence[CountRow], *, at: datetime) -> VariantTest:
    """Read an A/B test.

    A look counts the recipients of its planned number in the order of sending, each with the whole time to reply. So
    it says the same whenever, and however often, somebody looks.
    """
    first = [row for row in rows if row.step == FIRST_STEP]
    planned = min(_sendable(first, variant) for variant in Variant.values)
    is_large = planned >= NEEDED_PER_VARIANT
    cohorts = _cohorts(first, at)
    recipients = _smaller(cohorts[-1]) if cohorts else 0
    sizes = [size for size in look_sizes(planned) if 0 < size <= recipients]
    if not is_large:
        sizes = sizes[LOOKS - 1 :]  # no look before the end
    looks = [next(replies for replies in cohorts if _smaller(replies) >= size) for size in sizes]
    winner, number = find_winner([(replies[Variant.A], replies[Variant.B]) for replies in looks])
    if winner:
        looks = looks[:number]
    if not is_large:
        verdict, winner = Verdict.TOO_SMALL, ""
    elif winner:
        verdict = Verdict.WINNER
    else:
        verdict = Verdict.NO_DIFFERENCE if len(looks) == LOOKS else Verdict.NOT_ENOUGH_YET
    return VariantTest(
        verdict=verdict,
        winner=winner,
        planned=planned,
        recipients=recipients,
        look=len(looks) if is_large else LOOKS * len(looks),
        replies=looks[-1] if looks else {},
        comparison=compare_proportions(looks[-1][Variant.A], looks[-1][Variant.B]) if looks else None,
    )


def _sendable(rows: Sequence[CountRow], variant: str) -> int:
    """Return the members of a variant who have got their text, or still can."""
    return sum(row.members for row in rows if row.variant == variant and (row.hour or row.status in _NOT_SENT_YET))


def _cohorts(rows: Sequence[CountRow], at: datetime) -> list[dict[str, Proportion]]:
    """Return the replies by variant up to each hour of sending whose recipients' time to reply is over."""
    closed = sorted({row.hour for row in rows if row.hour and row.hour + _HOUR + REPLY_WINDOW <= at})
    return [{variant: _replies(rows, variant, until=hour) for variant in Variant.values} for hour in closed]


def _smaller(replies: dict[str, Proportion]) -> int:
    return min(each.of for each in replies.values())


def _replies(rows: Sequence[CountRow], variant: str, *, until: datetime) -> Proportion:
    sent = [row for row in rows if row.variant == variant and row.hour and row.hour <= until]
    return Proportion(
        count=sum(row.members for row in sent if row.status == MembershipStatus.REPLIED),
        of=sum(row.members for row in sent),
    )
