"""Follow-ups of calls: details, messages, notes, emails, analyses, appointments and invoices."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle

from calls.choices import AppointmentStatus, CallStatus, ProposalStatus, Recovery
from crm.choices import ActivityType, Direction, InvoiceStatus
from messaging.choices import MessageKind, MessageStatus, ReminderAnswer, ReminderStatus
from messaging.models.messages import OUTBOX_STATUSES
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.attachments import Attachments
from ops.demo.calendar import DAY, HOUR, MINUTE, stamp
from ops.demo.missed_callers import MissedCallers
from ops.demo.random_data import shuffled, weighted_cycle

APPOINTMENT_STARTS = [8 * HOUR + half * 30 * MINUTE for half in range(17)]  # 8:00 to 16:00
APPOINTMENT_LENGTHS = (60 * MINUTE, 90 * MINUTE, 120 * MINUTE)
INVOICE_STATUSES = {"paid": 60, "sent": 10, "partial": 8, "overdue": 10, "void": 5, "draft": 7}
SENTIMENTS = {"positive": 40, "neutral": 38, "negative": 15, "": 7}
# Of missed callers; None waits until a later call is answered.
RECOVERIES: dict[Recovery | None, int] = {Recovery.REPLY: 40, Recovery.BOOKING: 3, Recovery.MANUAL: 7, None: 50}
REMINDERS = 12  # of past appointments with their answers
# Answer and text of the contact. Every sixth reminder is skipped.
ANSWERS = ((ReminderAnswer.CONFIRMED, "C"), ("", ""), (ReminderAnswer.RESCHEDULE, "R"), ("", ""))
SERIES_LENGTH = 4  # weeks
OBJECTIONS_IN_A_CALL = (0, 0, 0, 0, 1, 1, 1, 1, 2, 3)


@dataclass(slots=True)
class EndedCall:
    """An ended call of a contact."""

    id: int
    openphone_id: str
    recording: str
    position: int
    started_at: int
    ended_at: int
    status: str
    lead: int | None
    rep: int | None
    price: str | None
    appointment_at: int | None


class CallFollowups:
    """Writes the follow-ups of one company's calls. Only appointments lie after the end of the history."""

    def __init__(self, writer: ActivityWriter) -> None:
        self.writer, self.setup, self.tables = writer, writer.setup, writer.tables
        self.calendar, self.random = self.setup.calendar, writer.random
        self.missed_callers = MissedCallers(self.setup)
        self.attachments = Attachments(writer)
        self.invoices = self.reminders = 0
        self.answers = cycle(ANSWERS)
        self.invoice_statuses = weighted_cycle(self.random, INVOICE_STATUSES)
        self.coming_statuses = cycle([AppointmentStatus.SCHEDULED, AppointmentStatus.CONFIRMED])
        self.cancelled_statuses = cycle([AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW])
        self.sentiments = weighted_cycle(self.random, SENTIMENTS)
        self.recoveries = weighted_cycle(self.random, RECOVERIES)
        self.objections = shuffled(self.random, [self._some_objections() for _ in range(499)])

    def after_missed(self, call: EndedCall, *, voicemail: bool) -> None:
        """Add a voicemail, the text back, and how the caller was reached."""
        writer, position = self.writer, call.position
        if voicemail:
            body, openphone_id = writer.phrase(*phrases.VOICEMAILS), writer.provider_id()
            kind, incoming = ActivityType.VOICEMAIL, Direction.INCOMING
            writer.add(position, call.ended_at, kind, incoming, body, openphone_id=openphone_id)
            self._add_detail(call, voicemail_transcript=body)
        if self.missed_callers.miss(position, call.started_at):
            body = writer.phrase(phrases.MISSED_CALL_TEXT)
            writer.send(position, call.ended_at + 90, body, kind=MessageKind.MISSED_CALL)
        recovery = next(self.recoveries)
        reached = call.ended_at + 7 * MINUTE
        if recovery == Recovery.REPLY:
            writer.receive(position, reached, writer.phrase(*phrases.REPLIES_TO_TEXT_BACK))
        elif recovery == Recovery.BOOKING and reached < self.calendar.end:  # on the website, for example
            self._book(position, reached, self.plan_appointment(self.calendar.day_of(call.ended_at)))
        if recovery:
            self.missed_callers.reach(position, reached, recovery)

    def after_answered(self, call: EndedCall) -> None:
        """Add a recording, mostly an analysis, now and then a note or a question, and what follows from a booking."""
        writer, position, chance = self.writer, call.position, self.random.random()
        self.missed_callers.reach(position, call.started_at, Recovery.CALL)
        self._add_detail(call, **self._transcribe(call))
        self.attachments.add_to_call(call.id, call.started_at)
        if chance < 0.65:
            self._add_analysis(call, call.ended_at + 10 * MINUTE)
        if chance < 0.05:  # analysed again, weeks later
            self._add_analysis(call, call.ended_at + 20 * DAY)
        if 0.6 < chance < 0.75:
            note = writer.phrase(*phrases.NOTES)
            writer.add(position, call.ended_at + MINUTE, ActivityType.NOTE, "", note, by_hand=True)
        if chance > 0.75:
            asked = call.ended_at + DAY
            writer.receive(position, asked, writer.phrase(*phrases.QUESTIONS))
            writer.send(position, asked + 5 * MINUTE, writer.phrase(*phrases.REPLIES), kind=MessageKind.REPLY)
        if call.appointment_at:
            self._add_booking(call, call.appointment_at)

    def plan_appointment(self, day: int) -> int:
        """Return the start of an appointment booked on that day: soon, on a workday."""
        return self._start_on(day + 1 + int(9 * self.random.random() ** 2))

    def _start_on(self, day: int) -> int:
        """Return a start on that day, or on the Monday after a weekend."""
        day += (0, 0, 0, 0, 0, 2, 1)[self.calendar.dates[day].weekday()]
        return self.calendar.midnights[day] + self.random.choice(APPOINTMENT_STARTS)

    def close(self, reps: Iterator[int]) -> None:
        """Add messages on their way, upcoming appointments without a call, and missed callers who still wait."""
        end, contacts = self.calendar.end, self.setup.contacts
        for n, message_status in enumerate(OUTBOX_STATUSES, 1):  # to the busiest contact, who has no flag
            body = self.writer.phrase(*phrases.UNSENT_MESSAGES)
            self.writer.send(0, end - 3 * n * MINUTE, body, status=message_status, kind=MessageKind.REPLY)
        body = self.writer.phrase(*phrases.REPLIES)
        status, kind = MessageStatus.QUEUED, MessageKind.SCHEDULED
        self.writer.send(0, end - MINUTE, body, status=status, kind=kind, send_at=end + DAY)
        for n in range(max(6, min(40, contacts // 20))):
            position, booked_at = int(contacts * self.random.random()), end - DAY + n * MINUTE
            start = self._start_on(self.calendar.days + n % 14)
            rep = next(reps)
            appointment = self._book(position, booked_at, start, cancelled=n % 6 == 5, assigned_rep=rep)
            if n < len(ProposalStatus):
                self._propose(appointment, rep, list(ProposalStatus)[n], booked_at + HOUR, start + DAY)
            self.missed_callers.reach(position, booked_at, Recovery.BOOKING)
        self._add_series(next(reps))
        self.missed_callers.close()
        self.attachments.add_to_contact(self.setup.first_contact, end - DAY)
        photo = self.writer.receive(0, end - DAY, phrases.PHOTO)
        if photo is not None:
            self.attachments.add_to_message(photo, end - DAY)

    def _transcribe(self, call: EndedCall) -> dict[str, str]:
        """Return the recording, and of every second call a summary and a transcript."""
        detail = {"recordings": json.dumps([{"url": call.recording, "type": "audio/mpeg"}])}
        if call.id % 2 == 0:
            speakers = self.setup.line_of(call.position).number, self.setup.numbers[call.position]
            lines = [
                {"speaker": speakers[n % 2], "start": n * 4.5, "end": n * 4.5 + 4.5, "text": self.writer.phrase(line)}
                for n, line in enumerate(phrases.TRANSCRIPT)
            ]
            detail["summary"] = self.writer.phrase(*phrases.SUMMARIES)
            detail["next_steps"] = json.dumps([self.writer.phrase(*phrases.NEXT_STEPS)])
            detail["transcript"] = json.dumps(lines)
        return detail

    def _add_detail(self, call: EndedCall, **detail: str) -> None:
        self.tables["call_details"].add(
            company=self.setup.company,
            call=call.id,
            openphone_id=call.openphone_id,
            created_at=stamp(call.ended_at),
            **detail,
        )

    def _add_booking(self, call: EndedCall, start: int) -> None:
        """Add the appointment with its confirmation; after it a quote by email and, if accepted, an invoice."""
        writer, position, booked_at = self.writer, call.position, call.ended_at
        cancelled = call.status == CallStatus.CANCELLED
        self._book(position, booked_at, start, cancelled=cancelled, call=call.id, lead=call.lead, assigned_rep=call.rep)
        day = self.calendar.dates[self.calendar.day_of(start)]
        body = writer.phrase(*phrases.CONFIRMATIONS, when=f"{day:%a %b} {day.day}")
        writer.send(position, booked_at + MINUTE, body, kind=MessageKind.REPLY)
        if self.random.random() < 0.5:
            writer.receive(position, booked_at + 15 * MINUTE, writer.phrase(*phrases.THANKS))
        quoted_at, invoiced_at = start + 4 * HOUR, start + DAY
        if call.price and quoted_at < self.calendar.end:
            email = writer.phrase(*phrases.EMAILS)
            writer.add(position, quoted_at, ActivityType.EMAIL, Direction.OUTGOING, email, by_hand=True)
        if call.price and call.status == CallStatus.PURCHASED and invoiced_at < self.calendar.end:
            self._add_invoice(position, invoiced_at, call.price)

    def _book(
        self, position: int, instant: int, start: int, *, cancelled: bool = False, **references: int | str | None
    ) -> int:
        """Add an appointment, and return its id. A coming one can't be a no-show yet."""
        if start >= self.calendar.end:
            status = AppointmentStatus.CANCELLED if cancelled else next(self.coming_statuses)
        else:
            status = next(self.cancelled_statuses) if cancelled else AppointmentStatus.COMPLETED
        reminds = status == AppointmentStatus.COMPLETED and instant <= start - DAY and self.reminders < REMINDERS
        is_told = reminds and not self.setup.flag_of(position)
        appointment = self.tables["appointments"].add(
            **self.setup.about(position, instant),
            scheduled_start=stamp(start),
            scheduled_end=stamp(start + self.random.choice(APPOINTMENT_LENGTHS)),
            timezone=self.setup.demo.region.timezone,
            allow_overlap=True,  # a demo of millions of calls has more appointments than its reps have hours
            status=status,
            notes=self.writer.phrase(*phrases.APPOINTMENT_NOTES),
            on_the_way_at=stamp(start - 20 * MINUTE) if is_told else None,
            **references,
        )
        if reminds:
            self._remind(position, appointment, start)
        if is_told:
            body = phrases.ON_THE_WAY.format(company=self.setup.demo.name)
            at, delivered = start - 20 * MINUTE, MessageStatus.DELIVERED
            self.writer.send(position, at, body, kind=MessageKind.ON_THE_WAY, status=delivered)
        return appointment

    def _add_series(self, rep: int) -> None:
        """Add weekly appointments of one contact that were booked together, at the same local time."""
        position = int(self.setup.contacts * self.random.random())
        series = f"{self.random.getrandbits(128):032x}"  # a UUID, as both databases read it
        monday = next(day for day in count(self.calendar.days + 1) if self.calendar.dates[day].weekday() == 0)
        for day in range(monday, monday + 7 * SERIES_LENGTH, 7):
            start = self.calendar.midnights[day] + 9 * HOUR
            self._book(position, self.calendar.end - DAY, start, assigned_rep=rep, series=series)

    def _propose(self, appointment: int, rep: int, status: ProposalStatus, at: int, start: int) -> None:
        """Add another time that the rep has proposed, with its decision."""
        is_open = status == ProposalStatus.OPEN
        decider = rep if status == ProposalStatus.WITHDRAWN else self.setup.csrs[0]
        self.tables["appointment_proposals"].add(
            company=self.setup.company,
            appointment=appointment,
            scheduled_start=stamp(start),
            scheduled_end=stamp(start + HOUR),
            note=phrases.PROPOSAL_NOTE,
            status=status,
            created_by=rep,
            decided_by=None if is_open else decider,
            decided_at=None if is_open else stamp(at + HOUR),
            created_at=stamp(at),
        )

    def _remind(self, position: int, appointment: int, start: int) -> None:
        """Add the reminder of an appointment, the day before, with its answer."""
        self.reminders += 1
        answer, words = next(self.answers)
        messages, at = self.tables["message_threads"], start - DAY
        message = messages.next_id if self.reminders % 6 and not self.setup.flag_of(position) else None
        if message is not None:
            body = phrases.REMINDER.format(company=self.setup.demo.name)
            self.writer.send(position, at, body, kind=MessageKind.REMINDER, status=MessageStatus.DELIVERED)
            if words:
                self.writer.receive(position, at + HOUR, words)
        is_answered = message is not None and answer != ""
        self.tables["appointment_reminders"].add(
            company=self.setup.company,
            appointment=appointment,
            lead_minutes=24 * 60,
            scheduled_start=stamp(start),
            status=ReminderStatus.SKIPPED if message is None else ReminderStatus.QUEUED,
            reason="No hour is allowed before it is too late." if message is None else "",
            message_id=message,
            answer=answer if is_answered else "",
            answered_at=stamp(at + HOUR) if is_answered else None,
            created_at=stamp(at),
        )

    def _add_invoice(self, position: int, instant: int, amount: str) -> None:
        due, status = instant + 14 * DAY, next(self.invoice_statuses)
        if status == InvoiceStatus.OVERDUE and due >= self.calendar.end:
            status = InvoiceStatus.SENT
        self.invoices += 1
        self.tables["invoices"].add(
            **self.setup.about(position, instant),
            number=f"INV-{self.invoices:05d}",
            amount=amount,
            status=status,
            due_date=stamp(due)[:10],
        )

    def _add_analysis(self, call: EndedCall, instant: int) -> None:
        if instant < self.calendar.end:
            self.tables["call_analysis"].add(
                company=self.setup.company,
                call=call.id,
                objections=next(self.objections),
                sentiment=next(self.sentiments),
                outcome="booked" if call.appointment_at else "not booked",
                summary=self.writer.phrase(*phrases.SUMMARIES),
                analyzed_at=stamp(instant),
            )

    def _some_objections(self) -> str:
        count = self.random.choice(OBJECTIONS_IN_A_CALL)
        labels = self.random.choices(list(phrases.OBJECTIONS), weights=list(phrases.OBJECTIONS.values()), k=count)
        return json.dumps(list(dict.fromkeys(labels)))
