"""Placeholders in texts to contacts, such as `{first_name|there}`."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

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
class ParsedText:
    """A text in its literal parts and placeholders."""

    parts: tuple[str | Placeholder, ...]
    faults: tuple[PlaceholderFault, ...]

    @property
    def names(self) -> set[str]:
        return {part.name for part in self.parts if isinstance(part, Placeholder)}

    @property
    def without_default(self) -> list[str]:
        """The placeholders that need a value."""
        names = (part.name for part in self.parts if isinstance(part, Placeholder) and part.default is None)
        return list(dict.fromkeys(names))

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with these values. A value is never read as a placeholder."""
        return "".join(
            part if isinstance(part, str) else values[part.name] or part.default or "" for part in self.parts
        ).strip()


@lru_cache(maxsize=256)  # few texts go to many contacts
def parse_text(text: str, known: tuple[str, ...]) -> ParsedText:
    """Parse a text that may have these placeholders.

    There is no way to write a brace that is no placeholder: `{{first_name}}`, as other programs write it, would reach
    contacts as `{first_name}`.
    """
    parts: list[str | Placeholder] = []
    faults: list[PlaceholderFault] = []
    end = 0
    for token in [*_TOKEN.finditer(text), None]:
        start = token.start() if token else len(text)
        literal = text[end:start]
        faults += [_stray_brace(text, end + brace.start()) for brace in re.finditer("[{}]", literal)]
        parts.append("\n".join(map(_without_controls, re.split("\r\n|[\r\n\u2028\u2029]", literal))))
        if token:
            name, default = token[1].strip(), token[2]
            if name not in known:
                faults.append(_unknown_placeholder(name, start, known))
            parts.append(Placeholder(name, None if default is None else clean_value(default)))
            end = token.end()
    return ParsedText(tuple(part for part in parts if part), tuple(sorted(faults, key=lambda fault: fault.position)))


def clean_value(value: str) -> str:
    """Return a value in one line, without invisible characters; "" if nothing is to be seen."""
    cleaned = " ".join(_without_controls(value).split())
    return "" if is_blank(cleaned) else cleaned


def is_blank(text: str) -> bool:
    """Return whether nothing of a cleaned text is to be seen."""
    return not text.strip(f"{_JOINERS} \n")


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


def _stray_brace(text: str, at: int) -> PlaceholderFault:
    detail = (
        f"Character {at + 1}: “{text[at]}” belongs to no placeholder. Write a placeholder with one brace on each side, "
        "such as {first_name|there}, and no other braces."
    )
    return PlaceholderFault(at + 1, detail)


def _unknown_placeholder(name: str, at: int, known: Collection[str]) -> PlaceholderFault:
    close = get_close_matches(name.lower().replace(" ", "_"), known, n=1)
    names = ", ".join(f"{{{each}}}" for each in known)
    advice = f"Did you mean {{{close[0]}}}?" if close else f"Use one of {names}."
    return PlaceholderFault(at + 1, f"Character {at + 1}: {{{name}}} isn't a placeholder. {advice}")
