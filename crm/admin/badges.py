"""Badges of contacts: what staff must know before they write or call, and the contacts' tags."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Value
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from crm.choices import FlagType, ReviewState
from crm.models import ContactFlag, ContactTag

# In the order in which they are shown.
WORDS: dict[str, tuple[str, str, str]] = {
    FlagType.OPTED_OUT: ("STOP", "bad", "Opted out: gets no messages"),
    FlagType.DO_NOT_CONTACT: ("Do not contact", "bad", "Neither messages nor calls"),
    FlagType.INVALID_NUMBER: ("Invalid number", "bad", "Messages can't reach the main number"),
    FlagType.OFFICE_NUMBER: ("Office number", "plain", "The number of a company, such as a supplier"),
}
TAG = "tag"
UNDER_REVIEW = ("May have opted out", "waiting", "Gets no messages until somebody decides")


@dataclass(frozen=True)
class Badge:
    """A word in a colour of crm/admin.css, and the sentence that explains it."""

    word: str
    color: str
    title: str


def badges_of(contacts: Collection[int]) -> dict[int, list[Badge]]:
    """Return the badges of these contacts: their flags in force, then their tags. One statement."""
    flags = ContactFlag.objects.in_force().filter(contact__in=contacts)
    tags = ContactTag.objects.filter(contact__in=contacts)
    rows = flags.values_list("contact", "flag_type", "review_state").union(
        tags.values_list("contact", "tag__name", Value(TAG))
    )
    found: dict[int, list[Badge]] = defaultdict(list)
    for contact, word, kind in sorted(rows, key=_place):
        found[contact].append(_badge_of(word, kind))
    return {contact: list(dict.fromkeys(badges)) for contact, badges in found.items()}


def _place(row: tuple[int, str, str]) -> tuple[int, str]:
    _, word, kind = row
    return (len(WORDS), word.casefold()) if kind == TAG else ([*WORDS].index(word), kind)


def _badge_of(word: str, kind: str) -> Badge:
    if kind == TAG:
        return Badge(word, "tag", "Tag")
    return Badge(*(UNDER_REVIEW if (word, kind) == (FlagType.OPTED_OUT, ReviewState.PENDING) else WORDS[word]))


def show_badges(badges: Collection[Badge]) -> SafeString:
    rows = ((badge.color, badge.title, badge.word) for badge in badges)
    return format_html_join(" ", '<span class="badge badge-{}" title="{}">{}</span>', rows)
