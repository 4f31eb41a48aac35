"""Chapter 10: previews and audiences of a company with many contacts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Any

from benchmarks.audience_data import CITY, TABLES, company_with_contacts
from benchmarks.database import execute
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.timing import time_in_turns, wall_ms
from crm.db.tenancy import tenant
from crm.models import Campaign, CampaignMembership, Contact
from messaging.services.campaigns.audience import Audience, add_audience
from messaging.services.campaigns.due_times import set_due_times
from messaging.services.segments.preview import preview_of

MOST = 1_000_000
GOAL_PREVIEW_MS, GOAL_AUDIENCE_S, GOAL_DUE_S = 300, 5, 5
EVERYBODY, A_TENTH, NEARLY = "everybody", "a city, a tenth", "without a call in a year, all of them"
SEGMENTS: dict[str, Mapping[str, Any]] = {
    EVERYBODY: {"all": []},
    A_TENTH: {"field": {"name": "city", "is": [CITY]}},
    NEARLY: {"not": {"call": {"within_days": 365}}},
}
ON_A_LIST = "20 contacts on a list"
NIGHT = datetime(2026, 3, 3, 8, tzinfo=UTC)  # when the members' due times differ

ABOUT = f"""One company has {{contacts:,}} contacts; the goals are for {MOST:,}. Each twentieth has a flag that leaves
it out, each tenth had a campaign's message lately, each fiftieth waits for one, and half have consented to marketing
messages. A *preview* counts and samples. The *audience* is the city's, added to a draft in one transaction, which is
committed; then the *due times* of its members are set, as at the campaign's start. Times of both are for 100,000
members."""


def measure_audiences(*, contacts: int, rounds: int) -> Chapter:
    """Measure a company with so many contacts. Deletes the company that it makes."""
    contacts = min(contacts, MOST)
    chapter = Chapter("10. Audiences", [ABOUT.format(contacts=contacts)])
    show_step("audience: contacts")
    with company_with_contacts(contacts=contacts) as draft:
        with tenant(draft.company_id):
            ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True)[:20])
            show_step("audience: previews")
            previews = time_in_turns(
                {
                    name: partial(preview_of, definition, company=draft.company)
                    for name, definition in {**SEGMENTS, ON_A_LIST: {"contacts": {"ids": ids}}}.items()
                },
                rounds=rounds,
            )
        show_step("audience: members")
        times = [_time_members(draft) for _ in range(min(rounds, 3))]
    chapter.add_table(["preview", "ms"], [[name, number(each.median)] for name, each in previews.items()])
    audience_s, due_s = (median(each) for each in zip(*times, strict=True))
    chapter.add_table(["of 100,000 members", "s"], [["audience", number(audience_s)], ["due times", number(due_s)]])
    fewer = max(previews[name].median for name in (A_TENTH, ON_A_LIST))
    most = max(previews[name].median for name in (EVERYBODY, NEARLY))
    chapter.goals += [
        Goal("preview of everybody, and of those without a call", GOAL_PREVIEW_MS, most, "ms"),
        Goal("preview of a tenth of the contacts, and of a list", GOAL_PREVIEW_MS, fewer, "ms"),
        Goal("an audience of 100,000 members", GOAL_AUDIENCE_S, audience_s, "s"),
        Goal("due times of 100,000 members", GOAL_DUE_S, due_s, "s"),
    ]
    return chapter


def _time_members(draft: Campaign) -> tuple[float, float]:
    """Return the seconds that the audience and the due times of 100,000 members take."""
    with tenant(draft.company_id):
        CampaignMembership.objects.filter(campaign=draft).delete()
    execute(f"VACUUM ANALYZE {TABLES}")
    added: list[Audience] = []

    def add() -> None:
        with tenant(draft.company_id):  # it commits, which checks the foreign keys
            added.append(add_audience(campaign=draft, definition=SEGMENTS[A_TENTH]))

    def set_times() -> None:
        with tenant(draft.company_id):
            set_due_times(campaign=draft, now=NIGHT)

    audience_ms, due_ms = wall_ms(add), wall_ms(set_times)
    share = 100_000 / added[0].added
    return audience_ms / 1000 * share, due_ms / 1000 * share
