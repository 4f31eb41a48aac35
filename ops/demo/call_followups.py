"""What follows from a call: texts, notes and e-mails, an analysis, a visit and its invoice."""

import json
from collections.abc import Iterator
from itertools import cycle

from analytics.choices import Sentiment
from calls.choices import AppointmentStatus, CallStatus, Recovery
from crm.choices import InvoiceStatus
from messaging.choices import MessageKind, MessageStatus
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Tables
from ops.demo.calendar import DAY, HOUR, MINUTE, stamp
from ops.demo.company_setup import CompanySetup
from ops.demo.missed_callers import MissedCallers
from ops.demo.random_data import shuffled, weighted_cycle

VISIT_STARTS = [8 * HOUR + half * 30 * MINUTE for half in range(17)]  # 8:00 to 16:00
VISIT_LENGTHS = (60 * MINUTE, 90 * MINUTE, 120 * MINUTE)
INVOICE_STATUSES = {
    InvoiceStatus.PAID: 60,
    InvoiceStatus.SENT: 10,
    InvoiceStatus.PARTIAL: 8,
    InvoiceStatus.OVERDUE: 10,
    InvoiceStatus.VOID: 5,
    InvoiceStatus.DRAFT: 7,
}
SENTIMENTS = {Sentiment.POSITIVE: 40, Sentiment.NEUTRAL: 38, Sentiment.NEGATIVE: 15, "": 7}
# Of who rang in vain; the others wait, until a later call is answered.
WAYS_TO_REACH: dict[Recovery | None, int] = {Recovery.REPLY: 40, Recovery.BOOKING: 3, Recovery.MANUAL: 7, None: 50}
OBJECTIONS_IN_A_CALL = (0, 0, 0, 0, 1, 1, 1, 1, 2, 3)


class CallFollowups:
    """Writes what follows from the calls of one company. Nothing but visits lies after the end of the history."""

    def __init__(self, tables: Tables, setup: CompanySetup, writer: ActivityWriter) -> None:
        self.tables, self.setup, self.writer = tables, setup, writer
        self.calendar, self.random = setup.calendar, setup.random
        self.missed_callers = MissedCallers(tables, setup, writer)
        self.invoices = 0
        random = self.random
        self.invoice_statuses = weighted_cycle(random, INVOICE_STATUSES)
        self.coming_statuses = cycle([AppointmentStatus.SCHEDULED, AppointmentStatus.CONFIRMED])
        self.cancelled_statuses = cycle(
            [AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW, AppointmentStatus.CANCELLED]
        )
        self.sentiments = weighted_cycle(random, SENTIMENTS)
        self.ways_to_reach = weighted_cycle(random, WAYS_TO_REACH)
        self.objections = shuffled(random, [self._some_objections() for _ in range(499)])

    def of_missed(self, position: int, instant: int, *, rung_at: int, voicemail: bool) -> None:
        """A voicemail, the text that says sorry, and an answer."""
        writer = self.writer
        if voicemail:
            writer.voicemail(position, instant)
        if self.missed_callers.ring(position, rung_at):
            body = phrases.MISSED_CALL_TEXT.format(company=self.setup.demo.name)
            writer.send(position, instant + 90, body, by_hand=False, kind=MessageKind.MISSED_CALL)
        way = next(self.ways_to_reach)
        reached = instant + 7 * MINUTE
        if way == Recovery.REPLY:
            writer.receive(position, reached, writer.phrase(phrases.ANSWERS_TO_MISSED))
        elif way == Recovery.BOOKING and reached < self.calendar.end:  # on the web site, say
            visit = self.plan_visit(self.calendar.day_of(instant))
            status = next(self.coming_statuses) if visit >= self.calendar.end else AppointmentStatus.COMPLETED
            self._visit(position, reached, call=None, lead=None, rep=None, visit=visit, status=status)
        if way:
            self.missed_callers.reach(position, reached, way)

    def of_answered(self, position: int, instant: int, *, call: int, booked: bool) -> None:
        """An analysis, mostly; now and then a note, or a question the day after."""
        writer, luck = self.writer, self.random.random()
        if luck < 0.65:
            self._analyse(call, instant + 10 * MINUTE, booked=booked)
        if luck < 0.05:  # analysed again, weeks later
            self._analyse(call, instant + 20 * DAY, booked=booked)
        if 0.6 < luck < 0.75:
            writer.note(position, instant + MINUTE)
        if luck > 0.75:
            writer.receive(position, instant + DAY, writer.phrase(phrases.QUESTIONS))
            writer.send(position, instant + DAY + 5 * MINUTE, writer.phrase(phrases.REPLIES), kind=MessageKind.REPLY)

    def plan_visit(self, day: int) -> int:
        """When a visit starts that is booked on that day: a workday soon."""
        visit_day = self.calendar.next_workday(day + 1 + int(9 * self.random.random() ** 2))
        return self.calendar.midnights[visit_day] + self.random.choice(VISIT_STARTS)

    def of_booked(
        self,
        position: int,
        instant: int,
        *,
        call: int,
        lead: int | None,
        rep: int | None,
        visit: int,
        status: str,
        price: str | None,
    ) -> None:
        """The visit with its confirmation; after it a quote by e-mail and, where it was taken, an invoice."""
        writer = self.writer
        if visit >= self.calendar.end and status != CallStatus.CANCELLED:
            visit_status = next(self.coming_statuses)
        elif status == CallStatus.CANCELLED:
            # Nobody can fail to show up for a visit still to come.
            visit_status = next(self.cancelled_statuses) if visit < self.calendar.end else AppointmentStatus.CANCELLED
        else:
            visit_status = AppointmentStatus.COMPLETED
        self._visit(position, instant, call=call, lead=lead, rep=rep, visit=visit, status=visit_status)
        day = self.calendar.dates[self.calendar.day_of(visit)]
        body = writer.phrase(phrases.CONFIRMATIONS, when=f"{day:%a %b} {day.day}")
        writer.send(position, instant + MINUTE, body, kind=MessageKind.REMINDER)
        if self.random.random() < 0.5:
            writer.receive(position, instant + 15 * MINUTE, writer.phrase(phrases.THANKS))
        if price:
            writer.email(position, visit + 4 * HOUR)
        if status == CallStatus.PURCHASED and price:
            self._bill(position, visit + DAY, price)

    def last_texts(self) -> None:
        """Texts that are on their way at the end of the history: to somebody who may be texted."""
        position = next(position for position in range(20) if not self.setup.flag_of(position))
        on_their_way = (MessageStatus.UNKNOWN, MessageStatus.SENDING, MessageStatus.QUEUED)
        for minutes, status in zip((9, 6, 3), on_their_way, strict=True):
            body = self.writer.phrase(phrases.STANDING_TEXTS)
            self.writer.send(
                position, self.calendar.end - minutes * MINUTE, body, status=status, kind=MessageKind.REPLY
            )

    def upcoming_visits(self, reps: Iterator[int]) -> None:
        """Visits agreed without a call, in the two weeks to come."""
        for n in range(max(6, min(40, self.setup.contacts // 20))):
            day = self.calendar.next_workday(self.calendar.days + n % 14)
            position = int(self.setup.contacts * self.random.random())
            visit = self.calendar.midnights[day] + self.random.choice(VISIT_STARTS)
            status = AppointmentStatus.CANCELLED if n % 6 == 5 else next(self.coming_statuses)
            agreed = self.calendar.end - DAY + n * MINUTE
            self._visit(position, agreed, call=None, lead=None, rep=next(reps), visit=visit, status=status)
            self.missed_callers.reach(position, agreed, Recovery.BOOKING)

    def _visit(
        self,
        position: int,
        instant: int,
        *,
        call: int | None,
        lead: int | None,
        rep: int | None,
        visit: int,
        status: str,
    ) -> None:
        created_at = stamp(instant)
        self.tables.appointments.add(
            company=self.setup.company,
            contact=self.setup.first_contact + position,
            call=call,
            lead=lead,
            assigned_rep=rep,
            scheduled_start=stamp(visit),
            scheduled_end=stamp(visit + self.random.choice(VISIT_LENGTHS)),
            timezone=self.setup.demo.region.timezone,
            status=status,
            notes=self.writer.phrase(phrases.VISIT_NOTES),
            created_at=created_at,
            updated_at=created_at,
        )

    def _bill(self, position: int, instant: int, amount: str) -> None:
        if instant >= self.calendar.end:
            return
        due = instant + 14 * DAY
        status = next(self.invoice_statuses)
        if status == InvoiceStatus.OVERDUE and due >= self.calendar.end:
            status = InvoiceStatus.SENT
        self.invoices += 1
        created_at = stamp(instant)
        self.tables.invoices.add(
            company=self.setup.company,
            contact=self.setup.first_contact + position,
            number=f"INV-{self.invoices:05d}",
            amount=amount,
            status=status,
            due_date=stamp(due)[:10],
            created_at=created_at,
            updated_at=created_at,
        )

    def _analyse(self, call: int, instant: int, *, booked: bool) -> None:
        if instant >= self.calendar.end:
            return
        self.tables.analyses.add(
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
