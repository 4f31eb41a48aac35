"""Tasks: what is still to be done after calls, and what was done."""

from itertools import cycle

from ops.demo import phrases
from ops.demo.calendar import DAY, HOUR, stamp
from ops.demo.call_followups import EndedCall
from ops.demo.company_setup import CompanySetup

EVERY = 12  # th answered call makes a task
DUE_IN = (4 * HOUR, DAY, 2 * DAY, 7 * DAY)
OPEN_FOR = 3 * DAY  # older ones are done
# Due times of tasks without a call at the end of the history: overdue, soon, and later.
COMING = (-6 * HOUR, -HOUR, 5 * HOUR, 9 * HOUR, DAY, 3 * DAY, 8 * DAY)


class Tasks:
    """The tasks of one company."""

    def __init__(self, setup: CompanySetup) -> None:
        self.setup, self.calls = setup, 0
        self.titles, self.due_in = cycle(phrases.TASKS), cycle(DUE_IN)
        self.people = cycle([*setup.csrs, None])

    def after_call(self, call: EndedCall) -> None:
        """Add the task of every so many answered calls."""
        self.calls += 1
        if self.calls % EVERY:
            return
        due, end = call.ended_at + next(self.due_in), self.setup.calendar.end
        is_done = due < end - OPEN_FOR
        self.setup.tables["tasks"].add(
            **self.setup.about(call.position, call.ended_at),
            title=next(self.titles),
            call=call.id,
            lead=call.lead,
            assignee=call.rep or next(self.people),
            due_at=stamp(due),
            done_at=stamp(due - HOUR) if is_done else None,
            created_by=self.setup.csrs[0],
        )

    def close(self) -> None:
        """Add tasks that are due around the end of the history, to the first contacts."""
        end = self.setup.calendar.end
        for position, due_in in enumerate(COMING):
            self.setup.tables["tasks"].add(
                **self.setup.about(position, end - DAY),
                title=next(self.titles),
                assignee=next(self.people),
                due_at=stamp(end + due_in),
                created_by=self.setup.csrs[0],
            )
