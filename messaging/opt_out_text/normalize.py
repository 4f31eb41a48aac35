"""Normalization of message texts and keyword tables, so that they can be compared."""

import re
import unicodedata
from functools import lru_cache

from messaging.opt_out_text.lookalikes import LATIN_OF

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile(r"['’‘ʼ`´]")
_NUMBER_SIGN = re.compile(r"#(?!\w)")  # wrong #
_REPEATED_LETTERS = re.compile(r"([^\W\d])\1{2,}")
_SPACED_LETTERS = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_]){3,}(?![^\W_])")  # S T O P, s.t.o.p.
_DIVIDED_STOP = re.compile(r"(?<![^\W_])s[-._*'/]?t[-._*'/]?o[-._*'/]?p(?![^\W_])", re.IGNORECASE)  # st.op
_CLAUSE_END = re.compile(r"[.:,](?!\d)|[!?;…\n|/()\[\]{}\"“”„«»¿¡。！？，、；：]|\s[-–—~]+\s|[–—]|--")

_DIGITS_AND_SIGNS = str.maketrans("013457$@!|+*§†○◯●⭕", "oieastsaiitostoooo")
# Only these words are looked for in digits and signs, and in letters of one other alphabet: `не` is Russian, not "he".
_DISGUISED = frozenset({"stop", "stopall", "quit", "end", "revoke", "cancel", "unsubscribe", "unsub", "optout"})
_TOKEN = re.compile(r"(?<!\S)\S*[013457$@!|+*§†○◯●⭕]\S*")  # without the first part, a long word takes seconds
_EDGES = ".,;:?!\"'()[]{}<>~“”‘’*_-"
_LETTER_NAME = re.compile(
    r"(?:(?:NEGATIVE )?(?:CIRCLED |SQUARED |PARENTHESIZED )?LATIN (?:(?:SMALL|CAPITAL) LETTER|LETTER SMALL CAPITAL)"
    r"|REGIONAL INDICATOR SYMBOL LETTER)"
    r" (?:DOTLESS |TURNED |REVERSED |OPEN |INVERTED )?([A-Z])(?: WITH .*)?"
)
_INVISIBLE_CATEGORIES = frozenset(("Mn", "Me", "Cf"))
_HANGUL_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")


def split_words(text: str) -> list[str]:
    """Return the words without case, accents, punctuation, emoji, invisible characters and look-alike letters.

    `Don't STOOOP!` becomes dont, stop; `S.T.0.P.` becomes stop.
    """
    text = _DIVIDED_STOP.sub("stop", _NUMBER_SIGN.sub(" number ", text))
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    visible = "".join(
        _plain_letter(character)
        for character in text
        if unicodedata.category(character) not in _INVISIBLE_CATEGORIES and character not in _HANGUL_FILLERS
    )
    text = _APOSTROPHES.sub("", unicodedata.normalize("NFC", visible))
    text = _SPACED_LETTERS.sub(lambda match: "".join(_WORD.findall(match[0])), text)
    text = _TOKEN.sub(lambda match: _read_signs(match[0]), text)
    return [_read_alphabet(_REPEATED_LETTERS.sub(r"\1", word)) for word in _WORD.findall(text)]


def normalize(text: str) -> str:
    """Return the words of a text, separated by one space."""
    return " ".join(split_words(text))


def normalized(*texts: str) -> frozenset[str]:
    return frozenset(map(normalize, texts))


def split_clauses(text: str) -> list[list[str]]:
    """Return the words of each clause. Spaced letters are one word, so their dots end no clause."""
    text = _SPACED_LETTERS.sub(lambda match: "".join(_WORD.findall(match[0])), _DIVIDED_STOP.sub("stop", text))
    clauses = [split_words(clause) for clause in _CLAUSE_END.split(text)]
    return [clause for clause in clauses if clause]


@lru_cache(maxsize=4096)
def _plain_letter(character: str) -> str:
    """Return the Latin letter of `ø`, a small capital or a letter in a box, and the digit of another script's digit."""
    if character.isascii():
        return character
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.digit(character))
    found = _LETTER_NAME.fullmatch(unicodedata.name(character, ""))
    return found[1].lower() if found else character


def _read_signs(token: str) -> str:
    core = token.strip(_EDGES)
    plain = core.translate(_DIGITS_AND_SIGNS)
    return plain if plain in _DISGUISED and not core.isdigit() else token


def _read_alphabet(word: str) -> str:
    if word.isascii():
        # Spaced letters may be digits: S T 0 P.
        return _read_signs(word)
    plain = word.translate(LATIN_OF)
    is_mixed = any(character.isascii() and character.isalpha() for character in word)
    return plain if plain.isascii() and (is_mixed or plain in _DISGUISED) else word
