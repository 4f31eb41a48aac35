"""Badges of contacts: what staff must know before they write or call, and the contacts' tags."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

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
UNDER_REVIEW = ("May have opted out", "waiting", "Gets no messages until somebody decides")


@dataclass(frozen=True)
class Badge:
    """A word in a colour of crm/admin.css, and the sentence that explains it."""

    word: str
    color: str
    title: str


def badges_of(contacts: Collection[int]) -> dict[int, list[Badge]]:
    """Return the badges of these contacts: their flags in force, then their tags. Two statements."""
    found: dict[int, list[Badge]] = defaultdict(list)
    order = list(WORDS)
    flags = ContactFlag.objects.in_force().filter(contact__in=contacts)
    shown = {
        (contact, flag_type, flag_type == FlagType.OPTED_OUT and state == ReviewState.PENDING)
        for contact, flag_type, state in flags.values_list("contact", "flag_type", "review_state")
    }
    for contact, flag_type, is_pending in sorted(shown, key=lambda each: (order.index(each[1]), each[2])):
        found[contact].append(Badge(*(UNDER_REVIEW if is_pending else WORDS[flag_type])))
    tags = ContactTag.objects.filter(contact__in=contacts).values_list("contact", "tag__name")
    for contact, name in tags.order_by("tag__name"):
        found[contact].append(Badge(name, "tag", "Tag"))
    return found


def show_badges(badges: Collection[Badge]) -> SafeString:
    rows = ((badge.color, badge.title, badge.word) for badge in badges)
    return format_html_join(" ", '<span class="badge badge-{}" title="{}">{}</span>', rows)
