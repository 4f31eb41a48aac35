"""A preview of the contacts that a definition chooses: how many could be in an audience, and why others couldn't."""

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection, transaction

from crm.models import Company, Contact
from messaging.services.campaigns.audience_checks import IN, RANKS, LeftOut, allow_large_hashes, judge
from messaging.services.segments.compile import Definition, contacts_in
from messaging.services.segments.sentence import sentence_of

MAX_SAMPLES = 20
# Each remainder of the ids by this prime gives one sample, so that one pass counts and samples.
BUCKETS = 97


@dataclass(frozen=True)
class Preview:
    """Numbers of contacts, and some of them.

    Attributes:
        included: contacts that could be in an audience.
        left_out: numbers of the others, by the first reason that applies.
        without_consent: those of `included` without a recorded consent to marketing messages.
        samples: up to MAX_SAMPLES contacts by reason, and under `in` of the included ones.
        sentence: the definition in English.
    """

    included: int
    left_out: dict[str, int]
    without_consent: int
    samples: dict[str, list[Contact]]
    sentence: str


def preview_of(definition: Definition, *, company: Company) -> Preview:
    """Preview a valid definition. One statement counts; a second one reads the samples."""
    with transaction.atomic():
        allow_large_hashes()
        judgement = judge(contacts_in(definition, company_id=company.pk), company=company)
        sql = f"""
            SELECT rank, count(*), count(CASE WHEN has_consent THEN 1 END), min(id)
            FROM ({judgement.sql}) AS contact GROUP BY rank, id %% {BUCKETS}
        """  # noqa: S608  # constants, and SQL of the judgement
        with connection.cursor() as cursor:
            cursor.execute(sql, judgement.params)
            rows = cursor.fetchall()
    counts: dict[int, int] = defaultdict(int)
    sampled: dict[int, list[int]] = defaultdict(list)
    with_consent = 0
    for rank, number, consents, contact in rows:
        counts[rank] += number
        sampled[rank].append(contact)
        with_consent += consents if rank == IN else 0
    reasons = [reason for reason in LeftOut if reason != LeftOut.ALREADY_IN_CAMPAIGN]
    ids = {rank: sorted(contacts)[:MAX_SAMPLES] for rank, contacts in sampled.items()}
    contacts = Contact.objects.in_bulk([contact for each in ids.values() for contact in each])
    samples = {
        name: [contacts[contact] for contact in ids.get(rank, ()) if contact in contacts]
        for name, rank in {"in": IN, **{reason.value: RANKS[reason] for reason in reasons}}.items()
    }
    return Preview(
        included=counts[IN],
        left_out={reason.value: counts[RANKS[reason]] for reason in reasons},
        without_consent=counts[IN] - with_consent,
        samples=samples,
        sentence=sentence_of(definition),
    )
