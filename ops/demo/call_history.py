"""Calls of a company day by day, with their follow-ups."""

from array import array
from dataclasses import dataclass

from calls.choices import BOOKED, CallStatus, Recovery
from crm.choices import Direction, LeadStatus
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.calendar import HOUR, MINUTE, stamp
from ops.demo.call_details import add_detail
from ops.demo.call_followups import CallFollowups
from ops.demo.random_data import calls_by_day, pick_caller, shuffled, times_of_day, weighted_cycle

IN, OUT = Direction.INCOMING, Direction.OUTGOING


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a call. A qualified call has a lead; an anonymous caller isn't a contact."""

    direction: str
    status: str
    qualified: bool = False
    anonymous: bool = False


# There are 101, a prime number, so that every n-th call meets every kind for any n up to 100.
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
MIN_CALLS = 120  # of a company, so that every outcome and every status of the follow-ups occurs

LEAD_STATUSES = list(LeadStatus)
LEAD_OF_BOOKED = {
    CallStatus.AWAITING_QUOTE: LeadStatus.BOOKED,
    CallStatus.STILL_DECIDING: LeadStatus.BOOKED,
    CallStatus.PURCHASED: LeadStatus.WON,
    CallStatus.LOST: LeadStatus.LOST,
    CallStatus.CANCELLED: LeadStatus.CONTACTED,
}
QUOTED = (CallStatus.STILL_DECIDING, CallStatus.PURCHASED, CallStatus.LOST)


class CallHistory:
    """The calls of one company. Each `detail_every`-th has an activity and follow-ups; the others are bare rows."""

    def __init__(self, writer: ActivityWriter, *, calls: int, detail_every: int) -> None:
        self.writer, self.setup, self.tables = writer, writer.setup, writer.tables
        self.random = random = writer.random
        self.calls, self.detail_every, self.added = calls, detail_every, 0
        calendar, trade = self.setup.calendar, self.setup.demo.trade
        self.by_day = calls_by_day(random, calls, calendar.dates[: calendar.days], trade.busy_months)
        # One lead of each status per contact: ids by position and status. An array, because there may be millions.
        self.leads = array("q", bytes(8 * len(LEAD_STATUSES) * self.setup.contacts))

        low, high = trade.prices
        reps = self.setup.reps
        self.followups = CallFollowups(writer)
        self.outcomes = weighted_cycle(random, OUTCOMES)
        self.open_leads = weighted_cycle(random, {LeadStatus.NEW: 2, LeadStatus.CONTACTED: 2, LeadStatus.QUALIFIED: 3})
        self.reps = shuffled(random, [*reps, *reps, reps[0]])
        self.prices = shuffled(random, [f"{low + (high - low) * random.random() ** 2:.0f}.00" for _ in range(499)])
        self.durations = shuffled(random, [int(random.lognormvariate(5, 0.8)) + 5 for _ in range(997)])
        self.reasons = shuffled(random, [writer.phrase(phrases.LOST_REASONS) for _ in range(31)])

    def times(self, day: int) -> list[int]:
        """Return the instants of that day's calls."""
        midnight = self.setup.calendar.midnights[day]
        return [midnight + second for second in times_of_day(self.random, self.by_day[day])]

    def add_call(self, day: int, instant: int) -> None:
        setup, random = self.setup, self.random
        self.added += 1
        outcome = LIVE if self.added > self.calls - LIVE_CALLS else next(self.outcomes)
        detailed = self.added % self.detail_every == 0 or outcome is LIVE
        direction, status, booked = outcome.direction, outcome.status, outcome.status in BOOKED
        position = None if outcome.anonymous else pick_caller(random, setup.contacts_on(day))

        appointment = self.followups.plan_appointment(day) if detailed and booked else None
        if appointment and appointment >= setup.calendar.end and status != CallStatus.CANCELLED:
            status = CallStatus.AWAITING_QUOTE  # no decision before the appointment

        answered, ended = status != CallStatus.MISSED, status != CallStatus.IN_PROGRESS
        answered_at = instant + 3 + int(random.random() * 20)
        duration = next(self.durations)
        completed_at = answered_at + duration if answered else answered_at + 25
        line = 0 if position is None else setup.line_of(position)
        contact_number = "Anonymous" if position is None else setup.number(position)
        company_number = setup.line_numbers[line]
        voicemail = detailed and not answered and position is not None and self.added % 5 < 2
        activity, openphone_id = None, ""
        if detailed:
            activity, openphone_id = self.writer.call(position, instant, direction, answered=answered)
        lead = self._lead(position, status, instant) if outcome.qualified and position is not None else None
        rep = next(self.reps) if outcome.qualified else None
        price = next(self.prices) if status in QUOTED else None

        call = self.tables["calls"].add(
            company=setup.company,
            activity=activity,
            contact=None if position is None else setup.first_contact + position,
            phone_line=setup.lines[line],
            lead=lead,
            assigned_rep=rep,
            direction=direction,
            from_number=contact_number if direction == IN else company_number,
            to_number=company_number if direction == IN else contact_number,
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
        if not detailed or position is None or not ended:
            return
        add_detail(
            self.writer,
            call=call,
            openphone_id=openphone_id,
            at=completed_at,
            answered=answered,
            voicemail=voicemail,
            speakers=(company_number, contact_number),
        )
        if not answered:
            self.followups.after_missed(position, completed_at, called_at=instant, voicemail=voicemail)
            return
        self.followups.missed_callers.reach(position, instant, Recovery.CALL)
        self.followups.after_answered(position, completed_at, call=call, booked=booked)
        if appointment:
            self.followups.after_booked(
                position, completed_at, call=call, lead=lead, rep=rep, start=appointment, status=status, price=price
            )

    def close(self) -> None:
        """Add the rows of the end of the history."""
        self.followups.close(self.reps)

    def _lead(self, position: int, status: str, instant: int) -> int:
        lead_status = LEAD_OF_BOOKED.get(CallStatus(status)) or next(self.open_leads)
        index = position * len(LEAD_STATUSES) + LEAD_STATUSES.index(lead_status)
        if not self.leads[index]:
            self.leads[index] = self.tables["leads"].add(
                **self.setup.ids(position),
                status=lead_status,
                source=self.random.choice(phrases.LEAD_SOURCES),
                notes=self.writer.phrase(phrases.LEAD_NOTES),
                created_at=stamp(instant + 5 * MINUTE),
                updated_at=stamp(instant + HOUR),
            )
        return self.leads[index]
