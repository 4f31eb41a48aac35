"""What happens in a company day by day: calls, and what follows from them."""

from array import array
from dataclasses import dataclass

from calls.choices import BOOKED, CallStatus, Recovery
from crm.choices import Direction, LeadStatus
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Tables
from ops.demo.calendar import HOUR, MINUTE, stamp
from ops.demo.call_details import add_detail
from ops.demo.call_followups import CallFollowups
from ops.demo.company_setup import CompanySetup
from ops.demo.random_data import calls_by_day, pick_caller, shuffled, times_of_day, weighted_cycle

IN, OUT = Direction.INCOMING, Direction.OUTGOING


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ends. A qualified one has a lead; an anonymous caller is nobody we know."""

    direction: str
    status: str
    qualified: bool = False
    anonymous: bool = False


# In about a hundred calls. They are 101, a prime, so that "each n-th call" meets every kind for any n up to 100.
OUTCOMES = {
    Outcome(IN, CallStatus.MISSED): 16,
    Outcome(IN, CallStatus.MISSED, anonymous=True): 1,
    Outcome(IN, CallStatus.UNBOOKED): 33,
    Outcome(IN, CallStatus.UNBOOKED, anonymous=True): 1,
    Outcome(IN, CallStatus.UNBOOKED, qualified=True): 11,
    Outcome(IN, CallStatus.AWAITING_QUOTE, qualified=True): 4,
    Outcome(IN, CallStatus.STILL_DECIDING, qualified=True): 3,
    Outcome(IN, CallStatus.PURCHASED, qualified=True): 7,
    Outcome(IN, CallStatus.LOST, qualified=True): 4,
    Outcome(IN, CallStatus.CANCELLED, qualified=True): 2,
    Outcome(OUT, CallStatus.UNBOOKED): 12,
    Outcome(OUT, CallStatus.UNBOOKED, qualified=True): 3,
    Outcome(OUT, CallStatus.STILL_DECIDING, qualified=True): 1,
    Outcome(OUT, CallStatus.PURCHASED, qualified=True): 2,
    Outcome(OUT, CallStatus.LOST, qualified=True): 1,
}
LIVE = Outcome(IN, CallStatus.IN_PROGRESS)
LIVE_CALLS = 2  # the last ones of each company
MIN_CALLS = 120  # of a company, so that every outcome and every status of what follows occurs

LEAD_STATUSES = list(LeadStatus)
LEAD_OF_BOOKED = {
    CallStatus.AWAITING_QUOTE: LeadStatus.BOOKED,
    CallStatus.STILL_DECIDING: LeadStatus.BOOKED,
    CallStatus.PURCHASED: LeadStatus.WON,
    CallStatus.LOST: LeadStatus.LOST,
    CallStatus.CANCELLED: LeadStatus.CONTACTED,
}
QUOTED = (CallStatus.STILL_DECIDING, CallStatus.PURCHASED, CallStatus.LOST)


class History:
    """The calls of one company. The whole story (activity, texts, visit, analysis, …) is told of each n-th call."""

    def __init__(
        self, tables: Tables, setup: CompanySetup, writer: ActivityWriter, *, calls: int, tell_each: int
    ) -> None:
        self.tables, self.setup, self.writer = tables, setup, writer
        self.random = random = setup.random
        self.calls, self.tell_each, self.rung = calls, tell_each, 0
        dates = setup.calendar.dates[: setup.calendar.days]
        self.by_day = calls_by_day(random, calls, dates, setup.demo.trade.busy_months)
        # A contact has one lead for each status: ids by position and status. An array, for there may be millions.
        self.leads = array("q", bytes(8 * len(LEAD_STATUSES) * setup.contacts))

        low, high = setup.demo.trade.prices
        self.followups = CallFollowups(tables, setup, writer)
        self.outcomes = weighted_cycle(random, OUTCOMES)
        self.open_leads = weighted_cycle(random, {LeadStatus.NEW: 2, LeadStatus.CONTACTED: 2, LeadStatus.QUALIFIED: 3})
        self.reps = shuffled(random, [*setup.reps, *setup.reps, setup.reps[0]])
        self.prices = shuffled(random, [f"{low + (high - low) * random.random() ** 2:.0f}.00" for _ in range(499)])
        self.durations = shuffled(random, [int(random.lognormvariate(5, 0.8)) + 5 for _ in range(997)])
        self.reasons = shuffled(random, [writer.phrase(phrases.LOST_REASONS) for _ in range(31)])

    def times(self, day: int) -> list[int]:
        """When the calls of that day come."""
        midnight = self.setup.calendar.midnights[day]
        return [midnight + second for second in times_of_day(self.random, self.by_day[day])]

    def ring(self, day: int, instant: int) -> None:
        """One call, and what follows from it."""
        setup, random = self.setup, self.random
        self.rung += 1
        outcome = LIVE if self.rung > self.calls - LIVE_CALLS else next(self.outcomes)
        told = self.rung % self.tell_each == 0 or outcome is LIVE
        direction, status, booked = outcome.direction, outcome.status, outcome.status in BOOKED
        position = None if outcome.anonymous else pick_caller(random, setup.known(day))

        visit = self.followups.plan_visit(day) if told and booked else None
        if visit and visit >= setup.calendar.end and status != CallStatus.CANCELLED:
            status = CallStatus.AWAITING_QUOTE  # there was no visit yet, so nobody could decide

        answered = status != CallStatus.MISSED
        answered_at = instant + 3 + int(random.random() * 20)
        duration = next(self.durations)
        completed_at = answered_at + duration if answered else answered_at + 25
        ended = status != CallStatus.IN_PROGRESS
        line = 0 if position is None else self.writer.line_of(position)
        caller = "Anonymous" if position is None else setup.number(position)
        ours = setup.line_numbers[line]
        voicemail = told and not answered and position is not None and self.rung % 5 < 2
        activity, openphone_id = None, ""
        if told:
            activity, openphone_id = self.writer.call(position, instant, direction, answered=answered)
        lead = self._lead(position, status, instant) if outcome.qualified and position is not None else None
        rep = next(self.reps) if outcome.qualified else None
        price = next(self.prices) if status in QUOTED else None

        call = self.tables.calls.add(
            company=setup.company,
            activity=activity,
            contact=None if position is None else setup.first_contact + position,
            phone_line=setup.lines[line],
            lead=lead,
            assigned_rep=rep,
            direction=direction,
            from_number=caller if direction == IN else ours,
            to_number=ours if direction == IN else caller,
            recording_url=f"https://recordings.example.com/{activity}.mp3" if activity and answered and ended else "",
            voicemail_url=f"https://recordings.example.com/{activity}-voicemail.mp3" if voicemail else "",
            status=status,
            booked=booked,
            reason_for_lost_sale=next(self.reasons) if status == CallStatus.LOST else "",
            quoted_price=price,
            created_at=stamp(instant),
            answered_at=stamp(answered_at) if answered else None,
            completed_at=stamp(completed_at) if ended else None,
            duration_s=duration if answered and ended else None,
        )
        if not told or position is None or not ended:
            return
        add_detail(
            self.tables,
            self.writer,
            call=call,
            openphone_id=openphone_id,
            at=completed_at,
            answered=answered,
            voicemail=voicemail,
            speakers=(ours, caller),
        )
        if not answered:
            self.followups.of_missed(position, completed_at, rung_at=instant, voicemail=voicemail)
            return
        self.followups.missed_callers.reach(position, instant, Recovery.CALL)
        self.followups.of_answered(position, completed_at, call=call, booked=booked)
        if visit:
            self.followups.of_booked(
                position, completed_at, call=call, lead=lead, rep=rep, visit=visit, status=status, price=price
            )

    def close(self) -> None:
        """What is going on at the end of the history: texts on their way, visits agreed without a call, and
        missed callers who still wait."""
        self.followups.last_texts()
        self.followups.upcoming_visits(self.reps)
        self.followups.missed_callers.close()

    def _lead(self, position: int, status: str, instant: int) -> int:
        lead_status = LEAD_OF_BOOKED.get(CallStatus(status)) or next(self.open_leads)
        slot = position * len(LEAD_STATUSES) + LEAD_STATUSES.index(lead_status)
        if not self.leads[slot]:
            created_at = stamp(instant + 5 * MINUTE)
            self.leads[slot] = self.tables.leads.add(
                company=self.setup.company,
                contact=self.setup.first_contact + position,
                status=lead_status,
                source=self.random.choice(phrases.LEAD_SOURCES),
                notes=self.writer.phrase(phrases.LEAD_NOTES),
                created_at=created_at,
                updated_at=stamp(instant + HOUR),
            )
        return self.leads[slot]
