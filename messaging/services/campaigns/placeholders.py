"""Placeholders in the text of a campaign, such as `{first_name|there}`."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from crm.models import Contact

# Each placeholder with the path to its value, from a contact.
PLACEHOLDERS = {
    "first_name": "first_name",
    "last_name": "last_name",
    "address": "address",
    "city": "city",
    "state": "state",
    "company_name": "company__name",
}

_TOKEN = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")
_JOINERS = "\u200c\u200d"  # of Persian words and of emoji; other invisible characters only hide what a text says


@dataclass(frozen=True)
class Placeholder:
    """A placeholder with its default; None without one."""

    name: str
    default: str | None


@dataclass(frozen=True)
class PlaceholderFault:
    """A mistake in a text. `position` counts characters from 1."""

    position: int
    detail: str


@dataclass(frozen=True)
class ParsedBody:
    """A text in its literal parts and placeholders."""

    parts: tuple[str | Placeholder, ...]
    faults: tuple[PlaceholderFault, ...]

    @property
    def names(self) -> set[str]:
        """The known placeholders."""
        return {part.name for part in self.parts if isinstance(part, Placeholder)} & PLACEHOLDERS.keys()

    def missing(self, values: Mapping[str, str]) -> list[str]:
        """Return the placeholders that have neither a value nor a default."""
        wanted = [part.name for part in self.parts if isinstance(part, Placeholder) and part.default is None]
        return [name for name in dict.fromkeys(wanted) if not values[name]]

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with these values. A value is never read as a placeholder."""
        return "".join(
            part if isinstance(part, str) else values[part.name] or part.default or "" for part in self.parts
        ).strip()


def find_placeholder_faults(body: str) -> list[PlaceholderFault]:
    """Return unknown placeholders and stray braces, with what to do about each."""
    return list(parse_body(body).faults)


@lru_cache(maxsize=256)  # a campaign has few texts and many contacts
def parse_body(body: str) -> ParsedBody:
    """Parse a text.

    There is no way to write a brace that is no placeholder: `{{first_name}}`, as other programs write it, would reach
    contacts as `{first_name}`.
    """
    parts: list[str | Placeholder] = []
    faults: list[PlaceholderFault] = []
    end = 0
    for token in [*_TOKEN.finditer(body), None]:
        start = token.start() if token else len(body)
        literal = body[end:start]
        faults += [_stray_brace(body, end + brace.start()) for brace in re.finditer("[{}]", literal)]
        parts.append("\n".join(map(_without_controls, re.split("\r\n|[\r\n\u2028\u2029]", literal))))
        if token:
            name, default = token[1].strip(), token[2]
            if name not in PLACEHOLDERS:
                faults.append(_unknown_placeholder(name, start))
            parts.append(Placeholder(name, None if default is None else clean_value(default)))
            end = token.end()
    return ParsedBody(tuple(part for part in parts if part), tuple(sorted(faults, key=lambda fault: fault.position)))


def clean_value(value: str) -> str:
    """Return a value in one line, without invisible characters."""
    return " ".join(_without_controls(value).split())


def values_of(contact: Contact, names: set[str]) -> dict[str, str]:
    """Return the contact's value of each placeholder, "" without one."""
    values = {}
    for name in names:
        value: object = contact
        for attribute in PLACEHOLDERS[name].split("__"):
            value = getattr(value, attribute)
        values[name] = clean_value(str(value))
    return values


def _without_controls(text: str) -> str:
    """Replace control characters by spaces and drop other invisible ones, such as marks of the writing direction."""
    if text.isprintable():
        return text
    kinds = [(character, unicodedata.category(character)) for character in text]
    return "".join(
        " " if kind in ("Cc", "Zl", "Zp") else character
        for character, kind in kinds
        if kind not in ("Cf", "Cs", "Co", "Cn") or character in _JOINERS
    )


def _stray_brace(body: str, at: int) -> PlaceholderFault:
    detail = (
        f"Character {at + 1}: “{body[at]}” belongs to no placeholder. Write a placeholder with one brace on each side, "
        "such as {first_name|there}, and no other braces."
    )
    return PlaceholderFault(at + 1, detail)


def _unknown_placeholder(name: str, at: int) -> PlaceholderFault:
    close = get_close_matches(name.lower().replace(" ", "_"), PLACEHOLDERS, n=1)
    known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
    advice = f"Did you mean {{{close[0]}}}?" if close else f"Use one of {known}."
    return PlaceholderFault(at + 1, f"Character {at + 1}: {{{name}}} isn't a placeholder. {advice}")
