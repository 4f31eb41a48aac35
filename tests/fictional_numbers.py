"""Phone numbers from the range reserved for fiction: +1 212 555 01xx."""

import factory
from phonenumbers import is_valid_number, parse

# Area codes in use, since messages are only sent to valid numbers.
AREA_CODES = [code for code in range(201, 1000) if is_valid_number(parse(f"+1{code}5550100"))]


def fictional_number(n: int) -> str:
    """Return the n-th of about 45,000 numbers, with a different area code for each hundred."""
    return f"+1{AREA_CODES[n // 100]}55501{n % 100:02d}"


def numbers_between(start: int, end: int) -> factory.Sequence:
    """Give a factory its own numbers. Tests choose theirs below 3,000 (+1 201 to +1 236) or from 36,000 (+1 831)."""
    return factory.Sequence(lambda n: fictional_number(start + n % (end - start)))
