"""Flags of contacts, and opt-outs with their evidence."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class OptOutCase:
    """A contact's message, and the reaction an hour later, if any: action, words and source."""

    reason: str
    words: str
    action: OptOutAction
    state: OptOutState
    reaction: tuple[OptOutAction, str, str] | None = None

    @property
    def review_state(self) -> str:
        return ReviewState.CONFIRMED if self.action == OptOutAction.OPTED_OUT else ReviewState.PENDING


ASKED, MAYBE = "Asked for no more messages.", "May have asked for no more messages."
JUST_CALL = "Can you stop texting and just call me?"
STOPPED = OptOutCase(ASKED, "STOP", OptOutAction.OPTED_OUT, OptOutState.OPTED_OUT)
TO_REVIEW = OptOutCase(MAYBE, "please take me off your list", OptOutAction.SUSPECTED, OptOutState.UNDER_REVIEW)
OPTED_IN_AGAIN = OptOutCase(
    ASKED, "Stop", OptOutAction.OPTED_OUT, OptOutState.CLEAR, (OptOutAction.OPTED_IN, "START", "sms")
)
DISMISSED = OptOutCase(
    MAYBE, JUST_CALL, OptOutAction.SUSPECTED, OptOutState.CLEAR, (OptOutAction.DISMISSED, JUST_CALL, "review")
)
# By position; all other opt-outs are STOPPED.
OPT_OUT_CASES = {2: OPTED_IN_AGAIN, 3: DISMISSED, 16: TO_REVIEW}


def add_flags(writer: ActivityWriter) -> None:
    """Add the flags of the company's contacts, in the evening of each contact's first day."""
    setup = writer.setup
    for position in range(setup.contacts):
        flag = setup.flag_of(position)
        if flag is None and position not in OPT_OUT_CASES:
            continue
        # An opt-out to review is new.
        day = setup.calendar.days - 1 if OPT_OUT_CASES.get(position) == TO_REVIEW else setup.first_day_of(position)
        flagged_at = setup.calendar.midnights[day] + 19 * HOUR
        if flag in FLAG_DETAILS:
            reason, source, evidence = FLAG_DETAILS[flag]
            setup.tables["contact_flags"].add(
                **setup.ids(position),
                flag_type=flag,
                reason=reason,
                source=source,
                evidence=evidence,
                created_by=setup.manager if source == "manual" else None,
                created_at=stamp(flagged_at),
                expires_at=stamp(flagged_at + 365 * DAY) if flag == FlagType.DO_NOT_CONTACT else None,
            )
        else:
            _add_opt_out(writer, position, flagged_at, OPT_OUT_CASES.get(position, STOPPED))
        setup.tables.write_when_full()


def _add_opt_out(writer: ActivityWriter, position: int, at: int, case: OptOutCase) -> None:
    """Add the flag, the opt-out and its entries for one message."""
    setup, tables = writer.setup, writer.tables
    reacted = at + HOUR
    reviewed = case.reaction is not None and case.reaction[2] == "review"
    tables["contact_flags"].add(
        **setup.ids(position),
        flag_type=FlagType.OPTED_OUT,
        review_state=case.review_state,
        reason=case.reason,
        source="sms",
        evidence=case.words,
        created_at=stamp(at),
        expires_at=stamp(reacted) if case.reaction else None,
    )
    number = setup.number(position)
    opt_out = tables["opt_outs"].add(
        company=setup.company,
        number_hash=hash_number(number),
        phone=number,
        state=case.state,
        decided_at=stamp(reacted if case.reaction and not reviewed else at),  # a review decides about old words
        created_at=stamp(at),
    )
    about = {"company": setup.company, "opt_out": opt_out}
    activity = writer.receive(position, at, case.words)
    tables["opt_out_entries"].add(
        **about, action=case.action, words=case.words, source="sms", activity=activity,
        occurred_at=stamp(at), created_at=stamp(at),
    )  # fmt: skip
    if case.action == OptOutAction.OPTED_OUT:
        body = phrases.STOP_CONFIRMED.format(company=setup.demo.name)
        writer.send(position, at + MINUTE, body, by_hand=False, kind=MessageKind.CONFIRMATION)
    if case.reaction:
        action, words, source = case.reaction
        tables["opt_out_entries"].add(
            **about, action=action, words=words, source=source,
            activity=activity if reviewed else writer.receive(position, reacted, words),
            created_by=setup.manager if reviewed else None,
            occurred_at=stamp(at if reviewed else reacted), created_at=stamp(reacted),
        )  # fmt: skip
