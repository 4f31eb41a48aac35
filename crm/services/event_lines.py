"""Phone lines that providers' events name by their id, their number, or both."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from crm.db.tenancy import current_company_id
from crm.models import PhoneLine
from crm.refused_writes import is_refused_by
from crm.services.event_fields import fill_blank_fields
from crm.services.known_rows import KnownRows, line_keys

UNIQUE_NUMBER = "phone_lines_number_unique"
UNIQUE_LINES = (UNIQUE_NUMBER, "phone_lines_company_id_provider_id_unique")


class LineTaken(Exception):
    """The number is a phone line elsewhere, so the company can't get events for it."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} can't be a phone line of this company; it is one already. Ask support.")


def complete_phone_line(
    *, known: KnownRows, line: PhoneLine | None, provider: str, provider_id: str, number: str
) -> PhoneLine | None:
    """Return the line that was found for an event, else a new line without a name.

    A missing id or number is filled in. An existing one stays: webhook events arrive in any order, so a later one isn't
    more reliable. Returns None if neither is given.
    """
    if not provider_id and not number:
        return None
    if line is None:
        try:
            with transaction.atomic():
                line = PhoneLine.objects.create(
                    company_id=current_company_id(), provider=provider, provider_id=provider_id, number=number
                )
            known.add_line(line)
            return line
        except IntegrityError as error:
            known.forget()
            lines = known.lines(line_keys(provider, provider_id, {number}))
            line = choose_line(lines, provider, provider_id, number)  # another worker was faster
            if line is None:
                if not is_refused_by(error, UNIQUE_NUMBER):
                    raise
                line = _line_without_number(provider, provider_id, number)
                known.add_line(line)
                return line
    changed = fill_blank_fields(line, number=number, provider_id=provider_id if line.provider == provider else "")
    if changed:
        try:
            with transaction.atomic():
                line.save(update_fields=changed)
            known.add_line(line)
        except IntegrityError as error:
            if not is_refused_by(error, *UNIQUE_LINES):
                raise
            line.refresh_from_db()  # another line has the number or the id; a user must decide which line is right
    return line


def _line_without_number(provider: str, provider_id: str, number: str) -> PhoneLine:
    """Return a new line for a number that another company has: a person must decide whose it is."""
    if not provider_id:
        raise LineTaken(number)
    return PhoneLine.objects.create(company_id=current_company_id(), provider=provider, provider_id=provider_id)


def choose_line(lines: Sequence[PhoneLine], provider: str, provider_id: str, number: str) -> PhoneLine | None:
    """Return the line with the provider's id, else the one with the number."""
    by_id = (line for line in lines if provider_id and (line.provider, line.provider_id) == (provider, provider_id))
    by_number = (line for line in lines if number and line.number == number)
    return next(by_id, None) or next(by_number, None)
