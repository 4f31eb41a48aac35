"""What must be remembered about some contacts, and the ledger of who said stop."""

from dataclasses import dataclass

from crm.choices import FlagType, OptOutAction, OptOutState, ReviewState
from crm.models.audit import hash_number
from messaging.choices import MessageKind
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Tables
from ops.demo.calendar import DAY, HOUR, MINUTE, stamp
from ops.demo.company_setup import CompanySetup

# Reason, source and evidence.
STORIES = {
    FlagType.DO_NOT_CONTACT: ("Asked not to be called for a year.", "manual", "Told the CSR on the phone."),
    FlagType.OFFICE_NUMBER: ("Reception of an office building.", "manual", ""),
    FlagType.INVALID_NUMBER: ("The carrier says that the number is not in service.", "provider", "30005"),
}


@dataclass(frozen=True)
class OptOutCase:
    """What a contact said, and what came of it an hour later, if anything."""

    reason: str
    words: str
    action: OptOutAction
    state: OptOutState
    answer: tuple[OptOutAction, str, str] | None = None  # what it was, its words and its source

    @property
    def review_state(self) -> str:
        return ReviewState.CONFIRMED if self.action == OptOutAction.OPTED_OUT else ReviewState.PENDING


STOPPED = OptOutCase("Asked for no more phrases.", "STOP", OptOutAction.OPTED_OUT, OptOutState.OPTED_OUT)
TO_REVIEW = OptOutCase(
    "Sounds like a wish to get no more phrases.",
    "please take me off your list",
    OptOutAction.SUSPECTED,
    OptOutState.UNDER_REVIEW,
)
IN_AGAIN = OptOutCase(
    STOPPED.reason, "Stop", OptOutAction.OPTED_OUT, OptOutState.CLEAR, (OptOutAction.OPTED_IN, "START", "sms")
)
DISMISSED = OptOutCase(
    TO_REVIEW.reason,
    "Can you stop texting and just call me?",
    OptOutAction.SUSPECTED,
    OptOutState.CLEAR,
    (OptOutAction.DISMISSED, "Can you stop texting and just call me?", "review"),
)
# Contacts by position who said something else than a plain stop, or took it back.
OPT_OUT_CASES = {2: IN_AGAIN, 3: DISMISSED, 16: TO_REVIEW}


def add_flags(tables: Tables, setup: CompanySetup, writer: ActivityWriter) -> None:
    """The flags of the company's contacts, from the evening of the day on which each was met."""
    for position in range(setup.contacts):
        flag = setup.flag_of(position)
        if flag is None and position not in OPT_OUT_CASES:
            continue
        # Who waits for a review has not waited long.
        day = setup.calendar.days - 1 if OPT_OUT_CASES.get(position) == TO_REVIEW else setup.met_on(position)
        flagged = setup.calendar.midnights[day] + 19 * HOUR
        if flag in STORIES:
            reason, source, evidence = STORIES[FlagType(flag)]
            tables.contact_flags.add(
                company=setup.company,
                contact=setup.first_contact + position,
                flag_type=flag,
                reason=reason,
                source=source,
                evidence=evidence,
                created_by=setup.manager if source == "manual" else None,
                created_at=stamp(flagged),
                expires_at=stamp(flagged + 365 * DAY) if flag == FlagType.DO_NOT_CONTACT else None,
            )
        else:
            _add_opt_out(tables, setup, writer, position, flagged, OPT_OUT_CASES.get(position, STOPPED))
        tables.write_when_full()


def _add_opt_out(
    tables: Tables, setup: CompanySetup, writer: ActivityWriter, position: int, said: int, story: OptOutCase
) -> None:
    """What a contact said by text at that instant: in the ledger, and as a flag."""
    answered = said + HOUR
    reviewed = story.answer is not None and story.answer[2] == "review"
    tables.contact_flags.add(
        company=setup.company,
        contact=setup.first_contact + position,
        flag_type=FlagType.OPTED_OUT,
        review_state=story.review_state,
        reason=story.reason,
        source="sms",
        evidence=story.words,
        created_at=stamp(said),
        expires_at=stamp(answered) if story.answer else None,
    )
    number = setup.number(position)
    opt_out = tables.opt_outs.add(
        company=setup.company,
        number_hash=hash_number(number),
        phone=number,
        state=story.state,
        decided_at=stamp(answered if story.answer and not reviewed else said),  # an answer to a review is of its words
        created_at=stamp(said),
    )
    about = {"company": setup.company, "opt_out": opt_out}
    activity = writer.receive(position, said, story.words)
    tables.opt_out_entries.add(
        **about, action=story.action, words=story.words, source="sms", activity=activity,
        occurred_at=stamp(said), created_at=stamp(said),
    )  # fmt: skip
    if story.action == OptOutAction.OPTED_OUT:
        body = phrases.STOP_CONFIRMED.format(company=setup.demo.name)
        writer.send(position, said + MINUTE, body, by_hand=False, kind=MessageKind.CONFIRMATION)
    if story.answer:
        action, words, source = story.answer
        tables.opt_out_entries.add(
            **about, action=action, words=words, source=source,
            activity=activity if reviewed else writer.receive(position, answered, words),
            created_by=setup.manager if reviewed else None,
            occurred_at=stamp(said if reviewed else answered), created_at=stamp(answered),
        )  # fmt: skip
