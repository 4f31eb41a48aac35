"""Whose calls were missed, and how they were reached."""

from calls.choices import Recovery, TextBack
from crm.choices import FlagType
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Tables
from ops.demo.calendar import stamp
from ops.demo.company_setup import CompanySetup
from ops.demo.random_data import weighted_cycle

TEXTS_BACK = {TextBack.QUEUED: 16, TextBack.OFF: 3, TextBack.REFUSED: 1}
REASONS = {TextBack.QUEUED: "", TextBack.OFF: "", TextBack.REFUSED: "It is too early or too late where they live."}


class MissedCallers:
    """The queue of one company. A row is written when its caller has been reached, or at the end of the history."""

    def __init__(self, tables: Tables, setup: CompanySetup, writer: ActivityWriter) -> None:
        self.tables, self.setup, self.writer = tables, setup, writer
        self.texts_back = weighted_cycle(setup.random, TEXTS_BACK)
        self.calls: dict[int, list[int]] = {}  # when those rang who wait, by their position
        self.texts: dict[int, tuple[str, str]] = {}  # what became of the text to them, and why

    def ring(self, position: int, instant: int) -> bool:
        """A call is missed. Returns whether the caller is texted: once for all that they ring."""
        if position in self.calls:
            self.calls[position].append(instant)
            return False
        text_back = next(self.texts_back)
        reason = REASONS[text_back]
        if flag := self.setup.flag_of(position):
            text_back, reason = TextBack.REFUSED, f"The contact is flagged {FlagType(flag).label.lower()}."
        self.calls[position], self.texts[position] = [instant], (text_back, reason)
        return text_back == TextBack.QUEUED

    def reach(self, position: int, instant: int, by: Recovery) -> None:
        """The contact is reached; whoever waits is out of the queue."""
        if instant < self.setup.calendar.end and instant > self.calls.get(position, [instant])[-1]:
            self._write(position, recovered_at=stamp(instant), recovered_by=by)

    def close(self) -> None:
        """The others still wait at the end of the history."""
        for position in list(self.calls):
            self._write(position)

    def _write(self, position: int, **reached: str) -> None:
        calls, (text_back, reason) = self.calls.pop(position), self.texts.pop(position)
        self.tables.missed_callers.add(
            company=self.setup.company,
            contact=self.setup.first_contact + position,
            phone_line=self.setup.lines[self.writer.line_of(position)],
            missed_calls=len(calls),
            first_missed_at=stamp(calls[0]),
            last_missed_at=stamp(calls[-1]),
            text_back=text_back,
            text_back_reason=reason,
            created_at=stamp(calls[0]),
            **reached,
        )
