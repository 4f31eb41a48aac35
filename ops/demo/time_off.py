"""Time off of the reps of a company."""

from ops.demo import phrases
from ops.demo.calendar import DAY, stamp
from ops.demo.company_setup import CompanySetup

WEEK = 7


def add_time_off(setup: CompanySetup) -> None:
    """Give each rep a past week off and a day off soon, from midnight to midnight."""
    calendar = setup.calendar
    for rep in setup.reps:
        past = setup.random.randrange(max(1, calendar.days - WEEK))
        soon = calendar.days + setup.random.randrange(2, WEEK)
        for first, after in ((past, past + WEEK), (soon, soon + 1)):
            setup.tables["time_off"].add(
                company=setup.company,
                rep=rep,
                starts_at=stamp(calendar.midnights[first]),
                ends_at=stamp(calendar.midnights[after]),
                reason=setup.random.choice(phrases.TIME_OFF),
                created_at=stamp(min(calendar.midnights[first], calendar.end - DAY)),
            )
