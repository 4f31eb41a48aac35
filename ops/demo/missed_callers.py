"""The missed queue: missed callers, and how they were reached."""

from calls.choices import Recovery, TextBack
from ops.demo.calendar import stamp
from ops.demo.company_setup import CompanySetup
from ops.demo.random_data import weighted_cycle

# States with their reasons.
TEXTS_BACK = {
    (TextBack.QUEUED, ""): 15,
    (TextBack.OFF, ""): 3,
    (TextBack.REFUSED, "It is too early or too late in the contact's time zone."): 1,
    (TextBack.FAILED, "It failed (OperationalError)."): 1,
}


class MissedCallers:
    """The queue of one company. A row is written when its caller is reached, or at the end of the history."""

    def __init__(self, setup: CompanySetup) -> None:
        self.setup = setup
        self.texts_back = weighted_cycle(setup.random, TEXTS_BACK)
        self.waiting: dict[int, tuple[list[int], str, str]] = {}  # calls, text back and its reason, by position

    def miss(self, position: int, instant: int) -> bool:
        """Add a missed call. Returns whether the caller gets a text back: one for all calls while they wait."""
        if position in self.waiting:
            self.waiting[position][0].append(instant)
            return False
        text_back, reason = next(self.texts_back)
        if flag := self.setup.flag_of(position):
            text_back, reason = TextBack.REFUSED, f"The contact is flagged {flag.label.lower()}."
        self.waiting[position] = [instant], text_back, reason
        return text_back == TextBack.QUEUED

    def reach(self, position: int, instant: int, by: Recovery) -> None:
        """Take the contact out of the queue, if it waits there."""
        if position in self.waiting and self.waiting[position][0][-1] < instant < self.setup.calendar.end:
            self._write(position, recovered_at=stamp(instant), recovered_by=by)

    def close(self) -> None:
        """Write the callers who still wait at the end of the history."""
        for position in list(self.waiting):
            self._write(position)

    def _write(self, position: int, **recovered: str) -> None:
        calls, text_back, reason = self.waiting.pop(position)
        self.setup.tables["missed_callers"].add(
            **self.setup.about(position, calls[0]),
            phone_line=self.setup.line_of(position).id,
            missed_calls=len(calls),
            first_missed_at=stamp(calls[0]),
            last_missed_at=stamp(calls[-1]),
            text_back=text_back,
            text_back_reason=reason,
            **recovered,
        )
