"""A preview of the contacts that a definition chooses: how many could be in an audience, and why others couldn't."""

from dataclasses import dataclass

from django.db import transaction

from crm.models import Company
from messaging.services.campaigns.audience_checks import LeftOut, allow_large_hashes, judge
from messaging.services.campaigns.audience_counts import AudienceCounts, count_audience
from messaging.services.segments.compile import Definition, contacts_in, exclusions_in
from messaging.services.segments.sentence import sentence_of


@dataclass(frozen=True)
class Preview(AudienceCounts):
    """The counts of an audience, and its definition in English."""

    sentence: str


def preview_of(definition: Definition, *, company: Company) -> Preview:
    """Preview a valid definition, with one statement."""
    with transaction.atomic():
        allow_large_hashes()
        judgement = judge(
            contacts_in(definition, company_id=company.pk),
            company=company,
            all_but=exclusions_in(definition, company_id=company.pk),
        )
        counts = count_audience(judgement)
    reasons = [reason for reason in LeftOut if reason != LeftOut.ALREADY_IN_CAMPAIGN]
    return Preview(
        included=counts.included,
        left_out={reason: counts.left_out[reason] for reason in reasons},
        without_consent=counts.without_consent,
        samples={name: counts.samples[name] for name in ("in", *reasons)},
        sentence=sentence_of(definition),
    )
