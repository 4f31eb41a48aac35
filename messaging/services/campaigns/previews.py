"""Previews of the texts that contacts of a campaign would get."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from crm.models import Campaign, CampaignMembership, Contact
from messaging.services.campaigns.bodies import FIRST_STEP, CampaignBodies, read_bodies
from messaging.services.campaigns.first_contacts import is_first_contact
from messaging.services.campaigns.texts import UnusableText, full_text
from messaging.sms_segments import count_segments, encoding_of, find_ucs_2_characters


@dataclass(frozen=True)
class TextPreview:
    """The text of one step for one contact. `problem` says why there is none."""

    contact: int
    step: int
    variant: str
    is_first_contact: bool
    body: str = ""
    problem: UnusableText | None = None

    @property
    def sms_segments(self) -> int:
        return count_segments(self.body) if self.body else 0

    @property
    def encoding(self) -> str:
        return encoding_of(self.body)

    @property
    def ucs_2_characters(self) -> list[str]:
        return find_ucs_2_characters(self.body)


def preview_texts(*, campaign: Campaign, limit: int) -> list[TextPreview]:
    """Return all texts of the first contacts of the campaign, with two statements."""
    members = (
        CampaignMembership.objects.filter(campaign=campaign, step=FIRST_STEP)
        .annotate(is_first=is_first_contact("contact"))
        .select_related("contact")
        .order_by("contact", "step")  # the order of an index
    )
    bodies = read_bodies(campaign)
    return [
        preview
        for member in members[:limit]
        for preview in _previews(campaign, bodies, member.contact, [member.variant], is_first=member.is_first)
    ]


def preview_texts_of(*, campaign: Campaign, contact: Contact) -> list[TextPreview]:
    """Return the texts of one contact: its variant if it is in the campaign, else every variant."""
    bodies = read_bodies(campaign)
    of_member = CampaignMembership.objects.filter(campaign=campaign, contact=contact, step=FIRST_STEP)
    variants = list(of_member.values_list("variant", flat=True)) or list(bodies.first)
    [is_first] = Contact.objects.filter(pk=contact.pk).values_list(is_first_contact("pk"), flat=True)
    return list(_previews(campaign, bodies, contact, variants, is_first=is_first))


def _previews(
    campaign: Campaign, bodies: CampaignBodies, contact: Contact, variants: Iterable[str], *, is_first: bool
) -> Iterator[TextPreview]:
    for variant in variants:
        for step in (FIRST_STEP, *bodies.further):
            first = is_first and step == FIRST_STEP
            preview = TextPreview(contact.pk, step, variant, is_first_contact=first)
            body = bodies.body_of(step, variant)
            try:
                text = full_text(campaign=campaign, step_body=body, contact=contact, is_first=first)
            except UnusableText as problem:
                yield replace(preview, problem=problem)
            else:
                yield replace(preview, body=text)
