"""Flags of contacts, and opt-outs with their evidence."""

from crm.choices import FlagType, OptOutAction, OptOutState, ReviewState
from crm.models.audit import hash_number
from messaging.choices import MessageKind
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.calendar import DAY, HOUR, MINUTE, stamp

# Reason, source and evidence.
FLAG_DETAILS = {
    FlagType.DO_NOT_CONTACT: ("Asked not to be called for a year.", "manual", "Told the CSR on the phone."),
    FlagType.OFFICE_NUMBER: ("Reception of an office building.", "manual", ""),
    FlagType.INVALID_NUMBER: ("The carrier says that the number is not in service.", "provider", "30005"),
}


JUST_CALL = "Can you stop texting and just call me?"
# State and entries of opt-outs, an hour apart, by the contact's position. A dismissal is a review of the same message.
OPT_OUT_CASES = {
    2: (OptOutState.CLEAR, [(OptOutAction.OPTED_OUT, "Stop"), (OptOutAction.OPTED_IN, "START")]),
    3: (OptOutState.CLEAR, [(OptOutAction.SUSPECTED, JUST_CALL), (OptOutAction.DISMISSED, JUST_CALL)]),
    16: (OptOutState.UNDER_REVIEW, [(OptOutAction.SUSPECTED, "please take me off your list")]),
}
STOPPED = (OptOutState.OPTED_OUT, [(OptOutAction.OPTED_OUT, "STOP")])  # all others


def add_flags(writer: ActivityWriter) -> None:
    """Add the flags of the company's contacts, in the evening of each contact's first day."""
    setup = writer.setup
    for position in range(setup.contacts):
        flag = setup.flag_of(position)
        at = setup.calendar.midnights[setup.first_day_of(position)] + 19 * HOUR
        if flag == FlagType.OPTED_OUT or position in OPT_OUT_CASES:
            _add_opt_out(writer, position, at, *OPT_OUT_CASES.get(position, STOPPED))
        elif flag:
            reason, source, evidence = FLAG_DETAILS[flag]
            setup.tables["contact_flags"].add(
                **setup.about(position, at),
                flag_type=flag,
                reason=reason,
                source=source,
                evidence=evidence,
                created_by=setup.manager if source == "manual" else None,
                expires_at=stamp(at + 365 * DAY) if flag == FlagType.DO_NOT_CONTACT else None,
            )
        setup.tables.write_when_full()


def _add_opt_out(
    writer: ActivityWriter, position: int, at: int, state: OptOutState, entries: list[tuple[OptOutAction, str]]
) -> None:
    """Add the flag, the opt-out and its entries. An opt-out to review is new."""
    setup, tables, number = writer.setup, writer.tables, writer.setup.numbers[position]
    if state == OptOutState.UNDER_REVIEW:
        at = setup.calendar.end - 5 * HOUR
    suspected = entries[0][0] == OptOutAction.SUSPECTED
    tables["contact_flags"].add(
        **setup.about(position, at),
        flag_type=FlagType.OPTED_OUT,
        review_state=ReviewState.PENDING if suspected else ReviewState.CONFIRMED,
        reason="May have asked for no more messages." if suspected else "Asked for no more messages.",
        source="sms",
        evidence=entries[0][1],
        expires_at=stamp(at + HOUR) if state == OptOutState.CLEAR else None,
    )
    opt_out = tables["opt_outs"].add(
        company=setup.company,
        number_hash=hash_number(number),
        phone=number,
        state=state,
        decided_at=stamp(at if suspected else at + HOUR * (len(entries) - 1)),  # a review decides about old words
        created_at=stamp(at),
    )
    activity, occurred_at = None, at
    for n, (action, words) in enumerate(entries):
        reviewed = action == OptOutAction.DISMISSED
        if not reviewed:
            occurred_at = at + n * HOUR
            activity = writer.receive(position, occurred_at, words)
        tables["opt_out_entries"].add(
            company=setup.company,
            opt_out=opt_out,
            action=action,
            words=words,
            source="review" if reviewed else "sms",
            activity=activity,
            created_by=setup.manager if reviewed else None,
            occurred_at=stamp(occurred_at),
            created_at=stamp(at + n * HOUR),
        )
        if action == OptOutAction.OPTED_OUT:
            body = writer.phrase(phrases.STOP_CONFIRMED)
            writer.send(position, occurred_at + MINUTE, body, kind=MessageKind.CONFIRMATION)
