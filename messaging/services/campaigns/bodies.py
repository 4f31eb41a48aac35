"""The texts of a campaign before they are filled in, by step and variant."""

from dataclasses import dataclass

from crm.choices import Variant
from crm.models import Campaign

FIRST_STEP = 1


@dataclass(frozen=True)
class CampaignBodies:
    """The texts of a campaign: one or two for the first step, one for each further step."""

    first: dict[str, str]
    further: dict[int, str]

    def body_of(self, step: int, variant: str) -> str:
        """Return the text of a step, "" for a step that the campaign doesn't have."""
        if step == FIRST_STEP:
            return self.first.get(variant) or self.first[Variant.A]
        return self.further.get(step, "")

    @property
    def is_test(self) -> bool:
        return len(self.first) > 1

    def name_of(self, step: int, variant: str) -> str:
        """Return the name of a text in the API."""
        if step > FIRST_STEP:
            return f"steps.{step}"
        return "body_b" if variant in self.first and variant == Variant.B else "body"

    @property
    def named(self) -> dict[str, str]:
        """The texts by their names."""
        first = {self.name_of(FIRST_STEP, variant): body for variant, body in self.first.items()}
        return first | {self.name_of(step, Variant.A): body for step, body in self.further.items()}


def read_bodies(campaign: Campaign) -> CampaignBodies:
    """Return the texts of a campaign, with one statement."""
    first = {Variant.A.value: campaign.body}
    if campaign.body_b:
        first[Variant.B.value] = campaign.body_b
    return CampaignBodies(first, dict(campaign.steps.order_by("step").values_list("step", "body")))
