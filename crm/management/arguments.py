"""Types of command-line arguments."""

from argparse import ArgumentTypeError
from datetime import date

from crm.date_ranges import FIRST_DAY, LAST_DAY, parse_day


def day(text: str) -> date:
    try:
        return parse_day(text)
    except ValueError as error:
        raise ArgumentTypeError(
            f"{text!r} must be a day from {FIRST_DAY} to {LAST_DAY}, such as 2026-03-31."
        ) from error
