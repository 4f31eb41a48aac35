"""The text that a contact gets: placeholders filled in, and on a first contact who writes and how to opt out."""

import re
from collections.abc import Mapping
from functools import lru_cache

from crm.error_codes import ErrorCode
from crm.models import Campaign, Contact
from crm.placeholders import clean_value, is_blank
from crm.refusals import Refusal
from messaging.services.campaigns.placeholders import find_placeholder_faults, names_in, parse_body, values_of
from messaging.services.outbound.send_policy import MAX_BODY

__all__ = [
    "UnresolvedPlaceholder",
    "UnusableText",
    "compose_text",
    "find_placeholder_faults",
    "full_text",
    "introduce",
    "render_body",
]

OPT_OUT_WORDING = "Reply STOP to opt out."

_KEYWORD = r"(?:stop|stopall|unsubscribe|cancel|end|quit|opt-?out|alto)"
_SAYS_HOW_TO_OPT_OUT = re.compile(
    rf"\b(?:reply|text|txt|send|respond|answer|responda|responde|env[ií]e)\s+(?:back\s+)?(?:with\s+)?(?:the\s+word\s+)?"
    rf"[\"'“‘*]?{_KEYWORD}\b(?!\s+(?:by|in)\b)"
    rf"|\b{_KEYWORD}\b\W{{0,3}}(?:to|2|=|:|para)\W{{0,3}}(?:opt[ -]?out|unsubscribe|end|quit|cancel|stop)"
    rf"|\bopt[ -]?out\s*:\s*{_KEYWORD}\b",
    re.IGNORECASE,
)
_LEGAL_FORM = re.compile(r"[\s,]+(?:llc|l\.l\.c\.|inc|ltd|corp|co|company|incorporated)\.?$", re.IGNORECASE)


class UnusableText(Refusal):
    """A text that can't be sent to this contact."""

    attr = "body"


class UnresolvedPlaceholder(UnusableText):
    """A placeholder that is unknown, or has neither a value nor a default."""

    code = ErrorCode.UNRESOLVED_PLACEHOLDER


def render_body(*, body: str, contact: Contact) -> str:
    """Return the text with the contact's values. Raises UnresolvedPlaceholder."""
    return _fill(body, values_of(contact, names_in(body)))


def full_text(*, campaign: Campaign, step_body: str, contact: Contact, is_first: bool) -> str:
    """Return the text that the contact gets.

    Args:
        is_first: whether the company has never texted the contact before.

    Raises:
        UnusableText: a placeholder can't be resolved, or the text is empty or too long.
    """
    contact.company = campaign.company  # the same; a contact's own would be a query for each
    values = values_of(contact, names_in(step_body))
    return compose_text(body=step_body, values=values, company_name=campaign.company.name, is_first=is_first)


def compose_text(*, body: str, values: Mapping[str, str], company_name: str, is_first: bool) -> str:
    """Return the whole text for these values of the placeholders. Raises UnusableText."""
    text = _fill(body, values)
    if is_blank(text):
        raise UnusableText(code=ErrorCode.MESSAGE_EMPTY)
    if is_first:
        text = introduce(text, clean_value(company_name))
    if len(text) > MAX_BODY:
        detail = f"The text has {len(text)} characters; shorten it to {MAX_BODY}."
        raise UnusableText(detail, code=ErrorCode.MESSAGE_TOO_LONG)
    return text


def _fill(body: str, values: Mapping[str, str]) -> str:
    parsed = parse_body(body)
    if parsed.faults:
        raise UnresolvedPlaceholder(parsed.faults[0].detail)
    if missing := [name for name in parsed.without_default if not values[name]]:
        name = missing[0]
        words = name.replace("_", " ")
        raise UnresolvedPlaceholder(
            f"The contact has no {words}. Write what to say instead: {{{name}|…}}, or add the {words}."
        )
    return parsed.fill(values)


def introduce(text: str, company_name: str) -> str:
    """Add the company's name and how to opt out, unless the text has them already."""
    name = _name_as_said(company_name)
    if not name or f" {name} " not in f" {_words_of(text)} ":
        text = f"{company_name}: {text}"
    if not _SAYS_HOW_TO_OPT_OUT.search(text):
        text = f"{text}\n{OPT_OUT_WORDING}"
    return text


@lru_cache(maxsize=256)
def _name_as_said(company_name: str) -> str:
    """Return the words of the company's name without its legal form."""
    return _words_of(_LEGAL_FORM.sub("", company_name))


def _words_of(text: str) -> str:
    """Return the words of a text in lower case, without punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))
