"""Classification of incoming messages as opt-out, opt-in, help or none of them.

Keywords take effect at once. A sentence that a reasonable person would read as a revocation of consent (47 CFR
64.1200(a)(10)) is reviewed by a person. Meanwhile the number gets no messages: a late message does less harm than an
unwanted one.
"""

import re
from enum import StrEnum

from messaging.opt_out_text.keywords import (
    AMBIGUOUS,
    HELP,
    OPT_IN,
    OPT_OUT,
    OPT_OUT_EMOJI,
    POLITE_WORDS,
    QUOTING_WORDS,
    STOP_SIGNS,
    YES,
)
from messaging.opt_out_text.misspellings import correct_spelling
from messaging.opt_out_text.normalize import split_clauses, split_words
from messaging.opt_out_text.phrases.english_anger import ANGER
from messaging.opt_out_text.phrases.english_clauses import CLAUSES
from messaging.opt_out_text.phrases.english_consent import CONSENT
from messaging.opt_out_text.phrases.english_stop import STOP_MESSAGES
from messaging.opt_out_text.phrases.english_wrong_number import MOVED_OR_DIED, WRONG_NUMBER
from messaging.opt_out_text.phrases.french import FRENCH
from messaging.opt_out_text.phrases.other_languages import OTHER_LANGUAGES
from messaging.opt_out_text.phrases.portuguese import PORTUGUESE
from messaging.opt_out_text.phrases.spanish import SPANISH

MAX_CHARACTERS = 10_000  # a message has at most 1,600
MAX_KEYWORD_CLAUSE, MAX_KEYWORD = 12, 3  # words

SENTENCES = STOP_MESSAGES + CONSENT + ANGER + SPANISH + FRENCH + PORTUGUESE + OTHER_LANGUAGES
# What a customer says who goes on: a word about a move or a death is then no wish to stop.
_BUSINESS = re.compile(
    r"\b(?:quotes?|estimates?|appointments?|schedul\w+|invoices?|bill|inspection|repairs?|i need|we need"
    r"|please (?:send|call|come)"
    r"|i bought|we bought|contractor|call (?:me|him|her) to|new (?:owners?|manager|tenants?)|can you (?:come"
    r"|send|look|fix))\b"
    r"(?<!dont need)(?<!not need)"
)
# A customer's own slip: "ignore my last text, wrong person".
_OWN_SLIP = re.compile(
    r"\b(?:ignore|disregard|forget) (?:my|the|that|this) (?:last )?(?:texts?|messages?|one)\b"
    r"|\bmeant (?:to send|to text|(?:that |this |it )?for (?:my|the|our|him|her))\b"
    r"|\bsent (?:that|this|it) to (?:the|a) wrong\b"
)
EXPLAINED_SENTENCES = ((WRONG_NUMBER, _OWN_SLIP), (MOVED_OR_DIED, _BUSINESS))
_KEYWORDS = OPT_OUT | AMBIGUOUS
_SINGLE_WORDS = {keyword for keyword in OPT_OUT if " " not in keyword}

# Keywords that people quote; `quiero parar` and `I want to cancel` are about something else.
_QUOTED = frozenset({"stop", "stopall", "unsubscribe", "quit", "optout", "revoke", "alto", "arret"})

# STOP in capitals may be an opt-out in the middle of a sentence, too, unless it is a place, a stay or somebody's work.
_CAPITAL_STOP = re.compile(
    r"(?<!\bthe )(?<!\bThe )(?<!\bTHE )(?<!\bbus )(?<!\bBus )(?<!\bnext )(?<!\bfirst )(?<!\blast )(?<!\ba )"
    r"(?<!\bone )(?<!\bNON-)(?<!\bnon-)(?<!\bdon't )(?<!\bdont )(?<!\bDON'T )(?<!\bnot )(?<!\bNOT )(?<!\bwon't )"
    r"(?<!\bto )(?<!\bcan't )(?<!\bfull )(?<!\bfinal )"
    r"\bSTOP\b(?!\W+(?i:by|over|signs?|in|at|off|is|light|work|payment|loss|order|the leak|valve)\b)"
)
_TOLD_TO_STOP = re.compile(
    r"\b(?:text|texted|texting|reply|replied|send|sent|said|say|says|saying|word|type|typed|hit|pressed|clicked|wrote)"
    r"\W+[\"'“‘]?STOP\b"
    r"(?!\W+(?:\w+ing|by|at|is|signs?|in|lights?|work|payment|loss|order)\b)",
    re.IGNORECASE,
)
# Somebody else's number: "I'm not Bob", "the wrong Dave". A name ends the clause or goes on as names do.
_NO_NAME = (
    r"(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Available|Sure|OK|Ok|Home|Happy|Ready|Free|Done|Here|Able"
    r"|Going|Impressed"
    r"|I\b)"
)
_AFTER_NAME = r"(?!['’])(?! (?:with|about|at|to|in|for|yet|going|happy|on|but)\b)"
_NOT_NAMED = re.compile(
    r"\b(?:[Tt]his is not|[Tt]his isn['’]?t|[Tt]his ain['’]?t|[Ii] ?['’]?a?m not|I am not|the wrong) "
    rf"{_NO_NAME}[A-Z][a-z]+\b{_AFTER_NAME}"
    r"|\b(?:not|isn['’]?t) the [A-Z][a-z]+ (?:you|u)\b"
    r"|\b(?!He|She|It|Tech|Someone|Everyone|This|That|There)[A-Z][a-z]+ (?:isn['’]?t|is not|ain['’]?t)"
    r" (?:here|at this)\b(?! (?:yet|today|now|right))|\b[Nn]o [A-Z][a-z]+ (?:here|at this)\b|\b[Nn]o soy [A-Z][a-z]+"
    r"|\b[Jj]e ne suis pas [A-Z][a-z]+|\b[Nn]ão sou (?:[oa] )?[A-Z][a-z]+|\b[Nn]on sono [A-Z][a-z]+"
    r"|\b[Ii]ch bin nicht (?:(?:Herr|Frau|der|die) )?[A-Z][a-z]+\b|\b[Nn]ie jestem [A-Z][a-z]+"
)
_URL = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
# Words beside `stop` that are neither a name nor a number, as in "stop by".
_NOT_NAMES = frozenset((
    "by", "in", "over", "at", "off", "on", "for", "sign", "signs", "light", "lights", "work", "working", "leak",
    "leaks", "leaking", "water", "payment", "tomorrow", "tonight", "monday", "tuesday", "wednesday", "thursday",
    "friday", "saturday", "sunday", "before", "after", "when", "if", "here", "there", "down", "sending", "the", "a",
    "an", "and", "or", "us", "is", "was", "valve", "cock", "gap", "motion", "watch", "bus", "non", "full", "one",
    "pit", "rest", "next", "last", "first", "wont", "cant", "doesnt", "to", "truck", "quick", "train", "my", "your",
    "door", "gutter", "end", "short", "that", "it", "didnt", "not", "dont", "never", "loss", "order", "date",
    "time", "this", "will", "would", "could", "can", "how", "where", "what", "which", "job", "until", "then",
))  # fmt: skip

# A reaction quotes the message, and with it the company's own "Reply STOP to opt out".
_REACTION = re.compile(
    r"(liked|loved|disliked|laughed at|emphasized|questioned|reacted \S+ to|removed an? [^“\"]{1,40} from"
    r"|le gustó|le encantó|a aimé|\S{1,8} to)\s*[“\"„«].*",
    re.IGNORECASE | re.DOTALL,
)


class Verdict(StrEnum):
    OPT_OUT = "opt_out"
    SUSPECTED = "suspected"
    OPT_IN = "opt_in"
    YES = "yes"
    HELP = "help"
    NOTHING = "nothing"


def classify_text(body: str) -> Verdict:
    """Return the verdict on an incoming message. Case, punctuation, spaces and emoji make no difference."""
    body = _URL.sub(" ", body[:MAX_CHARACTERS])
    if _REACTION.match(body.strip()):
        return Verdict.NOTHING
    words = split_words(body)
    if all(len(word) == 1 for word in words):  # E N D
        words = ["".join(words)] if len(words) > 1 else words
    text = " ".join(words)
    for verdict, table in (
        (Verdict.OPT_OUT, OPT_OUT),
        (Verdict.OPT_IN, OPT_IN),
        (Verdict.YES, YES),
        (Verdict.HELP, HELP),
    ):
        if text in table:
            return verdict
    if words and _SINGLE_WORDS.issuperset(words):  # STOP STOP, STOP END
        return Verdict.OPT_OUT
    return Verdict.SUSPECTED if _is_possible_opt_out(body) else Verdict.NOTHING


def _is_possible_opt_out(body: str) -> bool:
    clauses = [" ".join(correct_spelling(words)).split() for words in split_clauses(body)]
    if not clauses:
        return any(emoji in body for emoji in OPT_OUT_EMOJI)
    if any(sign in body for sign in STOP_SIGNS):
        return _is_possible_opt_out("".join(" stop " if character in STOP_SIGNS else character for character in body))
    text = " . ".join(" ".join(words) for words in clauses)
    if any(sentence.search(text) for sentence in SENTENCES):
        return True
    if any(
        any(sentence.search(text) for sentence in sentences) and not explanation.search(text)
        for sentences, explanation in EXPLAINED_SENTENCES
    ):
        return True
    if body != body.upper() and any(
        pattern.search(body) for pattern in (_CAPITAL_STOP, _TOLD_TO_STOP, _NOT_NAMED)
    ):  # not all in capitals
        return True
    return any(_is_opt_out_clause(words) for words in clauses)


def _is_opt_out_clause(words: list[str]) -> bool:
    """Return whether a clause is little more than a keyword: `please stop`, `txt stop`, `stop 12345`, `stop ann`."""
    if any(pattern.fullmatch(" ".join(words)) for pattern in CLAUSES):
        return True
    if len(words) > MAX_KEYWORD_CLAUSE:
        return False
    for start in range(len(words)):
        for end in range(start + 1, min(start + MAX_KEYWORD, len(words)) + 1):
            keyword, rest = " ".join(words[start:end]), words[:start] + words[end:]
            if keyword in _KEYWORDS and all(
                word in POLITE_WORDS or word in _SINGLE_WORDS or word.isdigit() for word in rest
            ):
                return True
            if keyword in _SINGLE_WORDS and rest and QUOTING_WORDS.issuperset(set(rest) - POLITE_WORDS - _SINGLE_WORDS):
                return keyword in _QUOTED
    return len(words) == 2 and _is_stop_with_name(*words)


def _is_stop_with_name(first: str, second: str) -> bool:
    return (
        first in ("stop", "unsubscribe", "stopall") and second not in _NOT_NAMES and not second.endswith("ing")
    ) or (second in ("stop", "unsubscribe", "stopall") and first not in _NOT_NAMES)
