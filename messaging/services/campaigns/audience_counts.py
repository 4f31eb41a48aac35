"""Counts of a judged audience, with some of its contacts."""

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection

from crm.models import Contact
from messaging.services.campaigns.audience_checks import NOT_CHOSEN, RANKS, REASONS, Judgement, LeftOut

MAX_SAMPLES = 20
# Each remainder of the ids by this prime gives one sample, so that one pass counts and samples.
BUCKETS = 97
# Beside the ranks of reasons: contacts that are chosen, and samples of those included.
CHOSEN, INCLUDED = -1, -2


@dataclass(frozen=True)
class AudienceCounts:
    """Numbers of contacts, and some of them.

    Attributes:
        included: contacts that are in the audience.
        left_out: numbers of the others, by the first reason that applies.
        without_consent: those of `included` without a recorded consent to marketing messages.
        samples: up to MAX_SAMPLES contacts by reason, and under `in` of the included ones.
    """

    included: int
    left_out: dict[str, int]
    without_consent: int
    samples: dict[str, list[Contact]]


def count_audience(judgement: Judgement) -> AudienceCounts:
    """Count and sample with one statement."""
    tables, params = judgement.tables(with_consents=True)
    with connection.cursor() as cursor:
        cursor.execute(f"{tables} {_counts_of(judgement)}", params)
        rows = cursor.fetchall()
    counts: dict[int, int] = defaultdict(int)
    consents: dict[int, int] = defaultdict(int)
    sampled: dict[int, list[Contact]] = defaultdict(list)
    for rank, number, with_consent, contact_id, first_name, last_name, phone in rows:
        counts[rank] += number
        consents[rank] += with_consent
        if contact_id is not None:
            sampled[rank].append(Contact(pk=contact_id, first_name=first_name, last_name=last_name, phone=phone))
    others = counts[CHOSEN] - sum(counts[rank] for rank in (NOT_CHOSEN, *REASONS))
    with_consent = consents[CHOSEN] - sum(consents[rank] for rank in REASONS)
    included = with_consent if judgement.requires_consent else others
    left_out = {reason.value: counts[rank] for reason, rank in RANKS.items()}
    return AudienceCounts(
        included=included,
        left_out=left_out | {LeftOut.NO_CONSENT.value: others - included},
        without_consent=included - with_consent,
        samples={"in": _first(sampled[INCLUDED])}
        | {reason.value: _first(sampled[rank]) for reason, rank in RANKS.items()},
    )


def _first(contacts: list[Contact]) -> list[Contact]:
    return sorted(contacts, key=lambda contact: contact.pk)[:MAX_SAMPLES]


def _counts_of(judgement: Judgement) -> str:
    # Not by a join: the planner expects many samples, and would read all contacts.
    columns = ", ".join(
        f"(SELECT {name} FROM contacts WHERE contacts.id = found.contact_id)"  # noqa: S608  # constants
        for name in ("first_name", "last_name", "phone")
    )
    return f"SELECT found.*, {columns} FROM ({' UNION ALL '.join(_parts(judgement))}) AS found"  # noqa: S608


def _parts(judgement: Judgement) -> list[str]:
    consents = "0" if judgement.are_most else "count(CASE WHEN has_consent THEN 1 END)"
    parts = [
        f"""
        SELECT {CHOSEN} AS rank, count(*) AS number, {consents} AS consents, CAST(NULL AS bigint) AS contact_id
        FROM chosen
        """,  # noqa: S608  # constants
        f"""
        SELECT rank, count(*), sum(has_consent), min(contact_id)
        FROM left_out GROUP BY rank, contact_id %% {BUCKETS}
        """,  # noqa: S608
        f"SELECT * FROM (SELECT {INCLUDED}, 0, 0, id FROM included LIMIT {MAX_SAMPLES}) AS sample",  # noqa: S608
    ]
    if judgement.are_most:  # one pass over the consents in the order of their index, beside the sorted `left_out`
        parts += [
            f"""
            SELECT {CHOSEN}, 0, count(*) - count(left_out.contact_id), NULL
            FROM {consents} LEFT JOIN left_out ON left_out.contact_id = {consents}.contact_id
            """  # noqa: S608
            for consents in ("linked", "by_number")
        ]
    if judgement.requires_consent:
        parts.append(f"""
            SELECT * FROM (
                SELECT {RANKS[LeftOut.NO_CONSENT]}, 0, 0, id FROM chosen
                WHERE NOT has_consent
                    AND NOT EXISTS (SELECT 1 FROM left_out WHERE left_out.contact_id = chosen.id)
                LIMIT {MAX_SAMPLES}
            ) AS sample
        """)  # noqa: S608
    return parts
