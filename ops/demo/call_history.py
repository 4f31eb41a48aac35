"""Calls of a company day by day, with their follow-ups."""

from array import array
from itertools import cycle

from calls.choices import BOOKED, CallStatus
from crm.choices import ActivityType, Direction, LeadStatus
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.calendar import HOUR, stamp
from ops.demo.call_followups import CallFollowups, EndedCall
from ops.demo.random_data import CALL_HOURS, calls_by_day, pick_caller, shuffled, weighted_cycle
from ops.demo.tasks import Tasks
from ops.demo.time_off import add_time_off

IN, OUT = Direction.INCOMING, Direction.OUTGOING
BOOKED_IN = {"awaiting_quote": 4, "still_deciding": 3, "purchased": 7, "lost": 4, "cancelled": 2}
BOOKED_OUT = {"still_deciding": 1, "purchased": 2, "lost": 1}
# There are 101, a prime number, so that every n-th call meets every kind for any n up to 100.
OUTCOMES = {(IN, "missed"): 17, (IN, "unbooked"): 45, (OUT, "unbooked"): 15} | {
    (direction, status): share
    for direction, shares in ((IN, BOOKED_IN), (OUT, BOOKED_OUT))
    for status, share in shares.items()
}
LIVE = (IN, "in_progress")
LIVE_CALLS = 2  # the last ones of each company
MIN_CALLS = 120  # of a company, so that every outcome and every status of the follow-ups occurs
QUALIFIED = 0.23  # of the unbooked calls; booked ones are all qualified
ANONYMOUS = 0.03  # of the incoming calls that aren't qualified

LEAD_STATUSES = list(LeadStatus)
OPEN_LEADS = {LeadStatus.NEW: 2, LeadStatus.CONTACTED: 2, LeadStatus.QUALIFIED: 3}
LEAD_OF_CALL = {
    "awaiting_quote": LeadStatus.BOOKED,
    "still_deciding": LeadStatus.BOOKED,
    "purchased": LeadStatus.WON,
    "lost": LeadStatus.LOST,
    "cancelled": LeadStatus.CONTACTED,
}
QUOTED = (CallStatus.STILL_DECIDING, CallStatus.PURCHASED, CallStatus.LOST)
RECORDINGS = "https://recordings.example.com"


class CallHistory:
    """The calls of one company. Each `detail_every`-th has an activity and follow-ups; the others are bare rows."""

    def __init__(self, writer: ActivityWriter, *, calls: int, detail_every: int) -> None:
        self.writer, self.setup, self.random = writer, writer.setup, writer.random
        self.calls, self.detail_every, self.added = calls, detail_every, 0
        random, calendar, (low, high) = writer.random, self.setup.calendar, self.setup.demo.trade.prices
        self.by_day = calls_by_day(random, calls, calendar.dates[: calendar.days], self.setup.demo.trade.busy_months)
        # One lead of each status per contact: ids by position and status. An array, because there may be millions.
        self.leads = array("q", bytes(8 * len(LEAD_STATUSES) * self.setup.contacts))
        self.followups, self.tasks = CallFollowups(writer), Tasks(self.setup)
        self.outcomes = weighted_cycle(random, OUTCOMES)
        self.open_leads = weighted_cycle(random, OPEN_LEADS)
        self.worth = cycle([f"{low + (high - low) * n / 30:.0f}.00" for n in range(1, 30)])
        self.csrs = cycle(self.setup.csrs)
        self.people = cycle([*self.setup.csrs, None])  # nobody: in the pool
        self.reps = shuffled(random, [*self.setup.reps, *self.setup.reps, self.setup.reps[0]])
        self.prices = shuffled(random, [f"{low + (high - low) * random.random() ** 2:.0f}.00" for _ in range(499)])
        self.durations = shuffled(random, [int(random.lognormvariate(5, 0.8)) + 5 for _ in range(997)])
        self.reasons = shuffled(random, phrases.LOST_REASONS)

    def times(self, day: int) -> list[int]:
        """Return the instants of that day's calls."""
        midnight, random = self.setup.calendar.midnights[day], self.random
        return [
            midnight + hour + int(random.random() * HOUR) for hour in random.choices(CALL_HOURS, k=self.by_day[day])
        ]

    def add_call(self, day: int, instant: int) -> None:
        setup, random = self.setup, self.random
        self.added += 1
        live = self.added > self.calls - LIVE_CALLS
        direction, status = LIVE if live else next(self.outcomes)
        detailed = live or self.added % self.detail_every == 0
        incoming, answered, booked = direction is IN, status != CallStatus.MISSED, status in BOOKED
        qualified = booked or (status == CallStatus.UNBOOKED and random.random() < QUALIFIED)
        anonymous = incoming and not live and not qualified and random.random() < ANONYMOUS
        position = None if anonymous else pick_caller(random, setup.contacts_on(day))

        appointment_at = self.followups.plan_appointment(day) if detailed and booked else None
        if appointment_at and appointment_at >= setup.calendar.end and status != CallStatus.CANCELLED:
            status = CallStatus.AWAITING_QUOTE  # no decision before the appointment
        price = next(self.prices) if status in QUOTED else None
        lead = self._lead(position, status, instant) if qualified and position is not None else None
        rep = next(self.reps) if qualified else None

        answered_at, duration = instant + 3 + int(random.random() * 20), next(self.durations)
        ended_at = answered_at + duration if answered else answered_at + 25
        line = setup.lines[0] if position is None else setup.line_of(position)
        number = "Anonymous" if position is None else setup.numbers[position]
        activity, openphone_id, recording, voicemail = None, "", "", False
        if detailed:
            openphone_id = self.writer.provider_id()
            activity = self.writer.add(
                position, instant, ActivityType.CALL, direction, openphone_id=openphone_id, by_hand=answered
            )
            recording = f"{RECORDINGS}/{openphone_id}.mp3" if answered and not live else ""
            voicemail = not answered and position is not None and self.added % 5 < 2

        call = setup.tables["calls"].add(
            **setup.about(position, instant),
            activity=activity,
            phone_line=line.id,
            lead=lead,
            assigned_rep=rep,
            direction=direction,
            from_number=number if incoming else line.number,
            to_number=line.number if incoming else number,
            recording_url=recording,
            voicemail_url=f"{RECORDINGS}/{openphone_id}-voicemail.mp3" if voicemail else "",
            status=status,
            booked=booked,
            reason_for_lost_sale=next(self.reasons) if status == CallStatus.LOST else "",
            quoted_price=price,
            answered_at=stamp(answered_at) if answered else None,
            completed_at=None if live else stamp(ended_at),
            duration_s=duration if answered and not live else None,
        )
        if detailed and not live and position is not None:
            ended = EndedCall(
                id=call,
                openphone_id=openphone_id,
                recording=recording,
                position=position,
                started_at=instant,
                ended_at=ended_at,
                status=status,
                lead=lead,
                rep=rep,
                price=price,
                appointment_at=appointment_at,
            )
            if answered:
                self.followups.after_answered(ended)
                self.tasks.after_call(ended)
            else:
                self.followups.after_missed(ended, voicemail=voicemail)

    def close(self) -> None:
        """Add the rows of the end of the history."""
        self.followups.close(self.reps)
        self.tasks.close()
        add_time_off(self.setup)

    def _lead(self, position: int, status: str, instant: int) -> int:
        lead_status = LEAD_OF_CALL.get(status) or next(self.open_leads)
        index = position * len(LEAD_STATUSES) + LEAD_STATUSES.index(lead_status)
        if not self.leads[index]:
            self.leads[index] = self.setup.tables["leads"].add(
                **self.setup.about(position, instant),
                status=lead_status,
                value=None if lead_status == LeadStatus.NEW else next(self.worth),
                assignee=next(self.people) if lead_status in OPEN_LEADS else next(self.csrs),
                source=self.random.choice(phrases.LEAD_SOURCES),
                notes=self.writer.phrase(*phrases.LEAD_NOTES),
            )
        return self.leads[index]
