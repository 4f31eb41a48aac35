"""What must be remembered about some contacts, and the ledger of who said stop."""

from dataclasses import dataclass

from crm.choices import FlagType, OptOutAction, OptOutState, ReviewState
from crm.models.audit import hash_number
from messaging.choices import MessageKind
from ops.demo import phrases
from ops.demo.activity_writer import Chronicle
from ops.demo.bulk_writer import Tables
from ops.demo.calendar import DAY, HOUR, MINUTE, stamp
from ops.demo.company_setup import Cast

# Reason, source and evidence.
STORIES = {
    FlagType.DO_NOT_CONTACT: ("Asked not to be called for a year.", "manual", "Told the CSR on the phone."),
    FlagType.OFFICE_NUMBER: ("Reception of an office building.", "manual", ""),
    FlagType.INVALID_NUMBER: ("The carrier says that the number is not in service.", "provider", "30005"),
}


@dataclass(frozen=True)
class OptOutStory:
    """What a contact said, and what came of it an hour later, if anything."""

    reason: str
    words: str
    action: OptOutAction
    state: OptOutState
    answer: tuple[OptOutAction, str, str] | None = None  # what it was, its words and its source

    @property
    def review_state(self) -> str:
        return ReviewState.CONFIRMED if self.action == OptOutAction.OPTED_OUT else ReviewState.PENDING


STOPPED = OptOutStory("Asked for no more phrases.", "STOP", OptOutAction.OPTED_OUT, OptOutState.OPTED_OUT)
TO_REVIEW = OptOutStory(
    "Sounds like a wish to get no more phrases.",
    "please take me off your list",
    OptOutAction.SUSPECTED,
    OptOutState.UNDER_REVIEW,
)
IN_AGAIN = OptOutStory(
    STOPPED.reason, "Stop", OptOutAction.OPTED_OUT, OptOutState.CLEAR, (OptOutAction.OPTED_IN, "START", "sms")
)
DISMISSED = OptOutStory(
    TO_REVIEW.reason,
    "Can you stop texting and just call me?",
    OptOutAction.SUSPECTED,
    OptOutState.CLEAR,
    (OptOutAction.DISMISSED, "Can you stop texting and just call me?", "review"),
)
# Contacts by position who said something else than a plain stop, or took it back.
TALES = {2: IN_AGAIN, 3: DISMISSED, 16: TO_REVIEW}


def add_flags(tables: Tables, cast: Cast, chronicle: Chronicle) -> None:
    """The flags of the company's contacts, from the evening of the day on which each was met."""
    for position in range(cast.contacts):
        flag = cast.flag_of(position)
        if flag is None and position not in TALES:
            continue
        # Who waits for a review has not waited long.
        day = cast.calendar.days - 1 if TALES.get(position) == TO_REVIEW else cast.met_on(position)
        flagged = cast.calendar.midnights[day] + 19 * HOUR
        if flag in STORIES:
            reason, source, evidence = STORIES[FlagType(flag)]
            tables.contact_flags.add(
                company=cast.company,
                contact=cast.first_contact + position,
                flag_type=flag,
                reason=reason,
                source=source,
                evidence=evidence,
                created_by=cast.manager if source == "manual" else None,
                created_at=stamp(flagged),
                expires_at=stamp(flagged + 365 * DAY) if flag == FlagType.DO_NOT_CONTACT else None,
            )
        else:
            _add_opt_out(tables, cast, chronicle, position, flagged, TALES.get(position, STOPPED))
        tables.write_when_full()


def _add_opt_out(
    tables: Tables, cast: Cast, chronicle: Chronicle, position: int, said: int, story: OptOutStory
) -> None:
    """What a contact said by text at that instant: in the ledger, and as a flag."""
    answered = said + HOUR
    reviewed = story.answer is not None and story.answer[2] == "review"
    tables.contact_flags.add(
        company=cast.company,
        contact=cast.first_contact + position,
        flag_type=FlagType.OPTED_OUT,
        review_state=story.review_state,
        reason=story.reason,
        source="sms",
        evidence=story.words,
        created_at=stamp(said),
        expires_at=stamp(answered) if story.answer else None,
    )
    number = cast.number(position)
    opt_out = tables.opt_outs.add(
        company=cast.company,
        number_hash=hash_number(number),
        phone=number,
        state=story.state,
        decided_at=stamp(answered if story.answer and not reviewed else said),  # an answer to a review is of its words
        created_at=stamp(said),
    )
    about = {"company": cast.company, "opt_out": opt_out}
    activity = chronicle.receive(position, said, story.words)
    tables.opt_out_entries.add(
        **about, action=story.action, words=story.words, source="sms", activity=activity,
        occurred_at=stamp(said), created_at=stamp(said),
    )  # fmt: skip
    if story.action == OptOutAction.OPTED_OUT:
        body = phrases.STOP_CONFIRMED.format(company=cast.demo.name)
        chronicle.send(position, said + MINUTE, body, by_hand=False, kind=MessageKind.CONFIRMATION)
    if story.answer:
        action, words, source = story.answer
        tables.opt_out_entries.add(
            **about, action=action, words=words, source=source,
            activity=activity if reviewed else chronicle.receive(position, answered, words),
            created_by=cast.manager if reviewed else None,
            occurred_at=stamp(said if reviewed else answered), created_at=stamp(answered),
        )  # fmt: skip
