"""Follow-ups of calls: messages, notes, emails, analyses, appointments and invoices."""

import json
from collections.abc import Iterator
from itertools import cycle

from analytics.choices import Sentiment
from calls.choices import AppointmentStatus, CallStatus, Recovery
from crm.choices import InvoiceStatus
from messaging.choices import MessageKind, MessageStatus
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.calendar import DAY, HOUR, MINUTE, stamp
from ops.demo.missed_callers import MissedCallers
from ops.demo.random_data import shuffled, weighted_cycle

APPOINTMENT_STARTS = [8 * HOUR + half * 30 * MINUTE for half in range(17)]  # 8:00 to 16:00
APPOINTMENT_LENGTHS = (60 * MINUTE, 90 * MINUTE, 120 * MINUTE)
INVOICE_STATUSES = {
    InvoiceStatus.PAID: 60,
    InvoiceStatus.SENT: 10,
    InvoiceStatus.PARTIAL: 8,
    InvoiceStatus.OVERDUE: 10,
    InvoiceStatus.VOID: 5,
    InvoiceStatus.DRAFT: 7,
}
SENTIMENTS = {Sentiment.POSITIVE: 40, Sentiment.NEUTRAL: 38, Sentiment.NEGATIVE: 15, "": 7}
# Of missed callers; None waits until a later call is answered.
RECOVERIES: dict[Recovery | None, int] = {Recovery.REPLY: 40, Recovery.BOOKING: 3, Recovery.MANUAL: 7, None: 50}
OBJECTIONS_IN_A_CALL = (0, 0, 0, 0, 1, 1, 1, 1, 2, 3)


class CallFollowups:
    """Writes the follow-ups of one company's calls. Only appointments lie after the end of the history."""

    def __init__(self, writer: ActivityWriter) -> None:
        self.writer, self.setup, self.tables = writer, writer.setup, writer.tables
        self.calendar, self.random = self.setup.calendar, writer.random
        self.missed_callers = MissedCallers(self.setup)
        self.invoices = 0
        self.invoice_statuses = weighted_cycle(self.random, INVOICE_STATUSES)
        self.coming_statuses = cycle([AppointmentStatus.SCHEDULED, AppointmentStatus.CONFIRMED])
        self.cancelled_statuses = cycle(
            [AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW, AppointmentStatus.CANCELLED]
        )
        self.sentiments = weighted_cycle(self.random, SENTIMENTS)
        self.recoveries = weighted_cycle(self.random, RECOVERIES)
        self.objections = shuffled(self.random, [self._some_objections() for _ in range(499)])

    def after_missed(self, position: int, instant: int, *, called_at: int, voicemail: bool) -> None:
        """Add a voicemail, the text back, and how the caller was reached."""
        writer = self.writer
        if voicemail:
            writer.voicemail(position, instant)
        if self.missed_callers.miss(position, called_at):
            body = phrases.MISSED_CALL_TEXT.format(company=self.setup.demo.name)
            writer.send(position, instant + 90, body, by_hand=False, kind=MessageKind.MISSED_CALL)
        recovery = next(self.recoveries)
        reached = instant + 7 * MINUTE
        if recovery == Recovery.REPLY:
            writer.receive(position, reached, writer.phrase(phrases.REPLIES_TO_TEXT_BACK))
        elif recovery == Recovery.BOOKING and reached < self.calendar.end:  # on the website, for example
            start = self.plan_appointment(self.calendar.day_of(instant))
            status = next(self.coming_statuses) if start >= self.calendar.end else AppointmentStatus.COMPLETED
            self._add_appointment(position, reached, start, status)
        if recovery:
            self.missed_callers.reach(position, reached, recovery)

    def after_answered(self, position: int, instant: int, *, call: int, booked: bool) -> None:
        """Add an analysis, mostly; now and then a note, or a question the day after."""
        writer, chance = self.writer, self.random.random()
        if chance < 0.65:
            self._add_analysis(call, instant + 10 * MINUTE, booked=booked)
        if chance < 0.05:  # analysed again, weeks later
            self._add_analysis(call, instant + 20 * DAY, booked=booked)
        if 0.6 < chance < 0.75:
            writer.note(position, instant + MINUTE)
        if chance > 0.75:
            writer.receive(position, instant + DAY, writer.phrase(phrases.QUESTIONS))
            writer.send(position, instant + DAY + 5 * MINUTE, writer.phrase(phrases.REPLIES), kind=MessageKind.REPLY)

    def plan_appointment(self, day: int) -> int:
        """Return the start of an appointment booked on that day: soon, on a workday."""
        booked_day = self.calendar.next_workday(day + 1 + int(9 * self.random.random() ** 2))
        return self.calendar.midnights[booked_day] + self.random.choice(APPOINTMENT_STARTS)

    def after_booked(
        self,
        position: int,
        instant: int,
        *,
        call: int,
        lead: int | None,
        rep: int | None,
        start: int,
        status: str,
        price: str | None,
    ) -> None:
        """Add the appointment with its confirmation; after it a quote by email and, if accepted, an invoice."""
        writer, coming = self.writer, start >= self.calendar.end
        if status == CallStatus.CANCELLED:
            # A coming appointment can't be a no-show yet.
            appointment_status = AppointmentStatus.CANCELLED if coming else next(self.cancelled_statuses)
        else:
            appointment_status = next(self.coming_statuses) if coming else AppointmentStatus.COMPLETED
        self._add_appointment(position, instant, start, appointment_status, call=call, lead=lead, rep=rep)
        day = self.calendar.dates[self.calendar.day_of(start)]
        body = writer.phrase(phrases.CONFIRMATIONS, when=f"{day:%a %b} {day.day}")
        writer.send(position, instant + MINUTE, body, kind=MessageKind.REMINDER)
        if self.random.random() < 0.5:
            writer.receive(position, instant + 15 * MINUTE, writer.phrase(phrases.THANKS))
        if price:
            writer.email(position, start + 4 * HOUR)
            if status == CallStatus.PURCHASED:
                self._add_invoice(position, start + DAY, price)

    def close(self, reps: Iterator[int]) -> None:
        """Add messages on their way, upcoming appointments without a call, and missed callers who still wait."""
        position = next(position for position in range(20) if not self.setup.flag_of(position))
        on_their_way = (MessageStatus.UNKNOWN, MessageStatus.SENDING, MessageStatus.QUEUED)
        for minutes, message_status in zip((9, 6, 3), on_their_way, strict=True):
            sent = self.calendar.end - minutes * MINUTE
            body = self.writer.phrase(phrases.UNSENT_MESSAGES)
            self.writer.send(position, sent, body, status=message_status, kind=MessageKind.REPLY)
        for n in range(max(6, min(40, self.setup.contacts // 20))):
            day = self.calendar.next_workday(self.calendar.days + n % 14)
            position = int(self.setup.contacts * self.random.random())
            start = self.calendar.midnights[day] + self.random.choice(APPOINTMENT_STARTS)
            status = AppointmentStatus.CANCELLED if n % 6 == 5 else next(self.coming_statuses)
            booked_at = self.calendar.end - DAY + n * MINUTE
            self._add_appointment(position, booked_at, start, status, rep=next(reps))
            self.missed_callers.reach(position, booked_at, Recovery.BOOKING)
        self.missed_callers.close()

    def _add_appointment(
        self,
        position: int,
        instant: int,
        start: int,
        status: str,
        *,
        call: int | None = None,
        lead: int | None = None,
        rep: int | None = None,
    ) -> None:
        created_at = stamp(instant)
        self.tables["appointments"].add(
            **self.setup.ids(position),
            call=call,
            lead=lead,
            assigned_rep=rep,
            scheduled_start=stamp(start),
            scheduled_end=stamp(start + self.random.choice(APPOINTMENT_LENGTHS)),
            timezone=self.setup.demo.region.timezone,
            status=status,
            notes=self.writer.phrase(phrases.APPOINTMENT_NOTES),
            created_at=created_at,
            updated_at=created_at,
        )

    def _add_invoice(self, position: int, instant: int, amount: str) -> None:
        if instant >= self.calendar.end:
            return
        due = instant + 14 * DAY
        status = next(self.invoice_statuses)
        if status == InvoiceStatus.OVERDUE and due >= self.calendar.end:
            status = InvoiceStatus.SENT
        self.invoices += 1
        created_at = stamp(instant)
        self.tables["invoices"].add(
            **self.setup.ids(position),
            number=f"INV-{self.invoices:05d}",
            amount=amount,
            status=status,
            due_date=stamp(due)[:10],
            created_at=created_at,
            updated_at=created_at,
        )

    def _add_analysis(self, call: int, instant: int, *, booked: bool) -> None:
        if instant >= self.calendar.end:
            return
        self.tables["call_analysis"].add(
            company=self.setup.company,
            call=call,
            objections=next(self.objections),
            sentiment=next(self.sentiments),
            outcome="booked" if booked else "not booked",
            summary=self.writer.phrase(phrases.SUMMARIES),
            analyzed_at=stamp(instant),
        )

    def _some_objections(self) -> str:
        count = self.random.choice(OBJECTIONS_IN_A_CALL)
        labels = self.random.choices(list(phrases.OBJECTIONS), weights=list(phrases.OBJECTIONS.values()), k=count)
        return json.dumps(list(dict.fromkeys(labels)))
