"""Consents to marketing messages, with the evidence of each source."""

from crm.choices import ConsentSource, FlagType, OptOutAction
from crm.models.audit import hash_number
from ops.demo.activity_writer import ActivityWriter
from ops.demo.calendar import HOUR, stamp
from ops.demo.contact_flags import OPT_OUT_CASES

# Wording and proof, by the contact's position. Every fifth contact has given none.
EVIDENCE = (
    (
        ConsentSource.FORM,
        "I agree to receive marketing texts from {company} at this number. Consent is not a condition of purchase.",
        "https://{slug}.example/quote",
    ),
    (ConsentSource.PERSON, "Wants our seasonal offers by text, she said on the phone.", ""),
    (ConsentSource.IMPORT, "Column “Marketing texts”: yes", "customers-2024.csv"),
    (ConsentSource.MESSAGE, "Yes, send me marketing texts from {company}.", "Text message of the contact"),
)


def add_consents(writer: ActivityWriter) -> None:
    """Add the consents of the company's contacts, given before their flags and withdrawn by their opt-outs."""
    setup = writer.setup
    for position in range(setup.contacts):
        kind = position % (len(EVIDENCE) + 1)
        if kind == len(EVIDENCE):
            continue
        source, wording, proof = EVIDENCE[kind]
        names = {"company": setup.demo.name, "slug": setup.demo.slug}
        given_at = setup.calendar.midnights[setup.first_day_of(position)] + 18 * HOUR
        setup.tables["marketing_consents"].add(
            company=setup.company,
            number_hash=hash_number(setup.numbers[position]),
            phone=setup.numbers[position],
            source=source,
            wording=wording.format(**names),
            proof=proof.format(**names),
            given_at=stamp(given_at),
            withdrawn_at=stamp(given_at + HOUR) if _has_opted_out(setup.flag_of(position), position) else None,
            recorded_by=setup.manager if source == ConsentSource.PERSON else None,
            created_at=stamp(given_at),
        )
        setup.tables.write_when_full()


def _has_opted_out(flag: FlagType | None, position: int) -> bool:
    if position in OPT_OUT_CASES:
        return any(action == OptOutAction.OPTED_OUT for action, _ in OPT_OUT_CASES[position][1])
    return flag == FlagType.OPTED_OUT
