"""Search keys: the one spelling to which names and search terms are brought."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

MAX_LENGTH = 100
SHORTEST = 2  # letters; one Chinese, Japanese or Korean character is a name

APOSTROPHES = dict.fromkeys(map(ord, "’‘‛`´ʹʻʼʽˈ′＇"), "'")
# Letters that Unicode doesn't split into a letter and a mark, such as those with a stroke.
LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)
# Written without spaces, so that each character may begin a name.
CJK = "[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]"
PIECES = re.compile(rf"{CJK}|(?:(?!{CJK})[^\W_])+")
SEPARATORS = re.compile(r"[\s,;]+")


def simplify(text: str) -> str:
    """Return the text without case, accents and other marks: `Straße` is `strasse`, and `Åsa` is `asa`."""
    if text.isascii():
        return text.replace("`", "'").lower()
    text = unicodedata.normalize("NFKD", text.translate(APOSTROPHES)).casefold().translate(LETTERS)
    letters = (character for character in unicodedata.normalize("NFKD", text) if not unicodedata.combining(character))
    return unicodedata.normalize("NFC", "".join(letters))


def keys_of(*, first_name: str, last_name: str, email: str) -> set[str]:
    """Return the keys of a contact, one for each place where a search may begin.

    A key is the rest of a name from the beginning of one of its words, without spaces and punctuation. So `De la Cruz`
    has `delacruz`, `lacruz` and `cruz`, and `O'Brien` has `obrien` and `brien`.
    """
    keys = {simplify(email)[:MAX_LENGTH], *_keys_of_name(first_name), *_keys_of_name(last_name)}
    keys.discard("")
    return keys


@lru_cache(maxsize=8192)  # names of a list repeat
def _keys_of_name(name: str) -> tuple[str, ...]:
    pieces = PIECES.findall(simplify(name))
    return tuple("".join(pieces[start:])[:MAX_LENGTH] for start in range(len(pieces)))


def prefixes_of(term: str) -> list[set[str]]:
    """Return what a contact must have for each word of a search term: a key that begins with one of these.

    The words may be in any order and in any of the names.
    """
    return [prefixes for word in SEPARATORS.split(simplify(term)) for prefixes in _prefixes_of_word(word)]


def is_long_enough(term: str) -> bool:
    """Return whether the term has a word that few enough names begin with."""
    pieces = PIECES.findall(simplify(term))
    return any(re.match(CJK, piece) for piece in pieces) or any(
        len(prefix) >= SHORTEST for prefixes in prefixes_of(term) for prefix in prefixes
    )


def _prefixes_of_word(word: str) -> Iterator[set[str]]:
    pieces, address = PIECES.findall(word), word.strip("<>()\"'")
    if "@" in word:
        yield {address[:MAX_LENGTH]}
    elif any(re.match(CJK, piece) for piece in pieces):
        yield from ({piece[:MAX_LENGTH]} for piece in pieces)
    elif pieces:
        yield {"".join(pieces)[:MAX_LENGTH], address[:MAX_LENGTH]}
