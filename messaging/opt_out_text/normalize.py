"""Normalization of message texts and keyword tables, so that they can be compared."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile(r"['’‘ʼ`´]")
_NUMBER_SIGN = re.compile(r"#(?!\w)")  # wrong #
_REPEATED_LETTERS = re.compile(r"(.)\1{2,}")


def split_words(text: str) -> list[str]:
    """Return the words without case, accents, punctuation, emoji and invisible characters.

    `Don't STOOOP!` becomes dont, stop.
    """
    text = _NUMBER_SIGN.sub(" number ", text)
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    visible = "".join(character for character in text if unicodedata.category(character) not in ("Mn", "Cf"))
    return [_REPEATED_LETTERS.sub(r"\1", word) for word in _WORD.findall(_APOSTROPHES.sub("", visible))]


def normalize(text: str) -> str:
    """Return the words of a text, separated by one space."""
    return " ".join(split_words(text))


def normalized(*texts: str) -> frozenset[str]:
    return frozenset(map(normalize, texts))
