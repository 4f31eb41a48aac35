"""How texts and tables are made comparable."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile(r"['’‘ʼ`´]")
_NUMBER_SIGN = re.compile(r"#(?!\w)")  # wrong #
_DRAWN_OUT = re.compile(r"(.)\1{2,}")


def words_of(text: str) -> list[str]:
    """The words, without case, accents, punctuation, emoji, invisible characters: `Don't STOOOP!` → dont, stop."""
    text = _NUMBER_SIGN.sub(" number ", text)
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(character for character in text if unicodedata.category(character) not in ("Mn", "Cf"))
    return [_DRAWN_OUT.sub(r"\1", word) for word in _WORD.findall(_APOSTROPHES.sub("", kept))]


def fold(text: str) -> str:
    """The words, with a space between them."""
    return " ".join(words_of(text))
