"""The confirmation of an opt-out, which a company may write in its own words."""

import re

from django.core.exceptions import ValidationError

from crm.placeholders import parse_text

MAX_OPT_OUT_TEXT = 320  # characters: two SMS segments
OPT_OUT_PLACEHOLDERS = ("company_name",)
OPT_OUT_TEXT = (
    "You have been unsubscribed from {company_name} and will get no more texts. Reply START or YES to get them again."
)

# 47 CFR 64.1200(a)(12): the one text after an opt-out only confirms it, and has no marketing.
_LINK = re.compile(r"https?:|www\.|\b[\w-]+\.(com|net|org|io|co|us|biz|info|ly)\b", re.IGNORECASE)
_OFFER = re.compile(
    r"[$€£%]|\b(discounts?|offers?|coupons?|promos?|promotions?|deals?|sales?|specials?)\b", re.IGNORECASE
)


def validate_opt_out_text(text: str) -> None:
    """Raise ValidationError unless the text says who confirms, says how to get texts again, and is no marketing."""
    parsed = parse_text(text, OPT_OUT_PLACEHOLDERS)
    problems = [fault.detail for fault in parsed.faults]
    if "company_name" not in parsed.names:
        problems.append("It must say who confirms the opt-out: {company_name}.")
    if not re.search(r"\bSTART\b", text):
        problems.append("It must say how to get texts again: reply START.")
    if _LINK.search(text) or _OFFER.search(text):
        problems.append("It may only confirm the opt-out (47 CFR 64.1200(a)(12)): no links, prices or offers.")
    if problems:
        raise ValidationError(" ".join(problems))


def asks_for_yes(text: str) -> bool:
    """Return whether a YES answers this text: only then is it an opt-in."""
    return re.search(r"\bYES\b", text) is not None
