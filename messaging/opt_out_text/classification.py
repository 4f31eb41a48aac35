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
    YES,
)
from messaging.opt_out_text.normalize import normalize, split_words
from messaging.opt_out_text.phrases import HARMLESS_AFTER_STOP, REACTION, SENTENCES, WHOLE_CLAUSES

MAX_CHARACTERS = 10_000  # a message has at most 1,600

_CLAUSES = re.compile(r"[.!?;,:\n]+")
_CAPITAL_STOP = re.compile(rf"\bSTOP\b(?!\W+(?:{'|'.join(HARMLESS_AFTER_STOP)})\b)")
_SINGLE_WORDS = {keyword for keyword in OPT_OUT if " " not in keyword}


class Verdict(StrEnum):
    OPT_OUT = "opt_out"
    SUSPECTED = "suspected"
    OPT_IN = "opt_in"
    YES = "yes"
    HELP = "help"
    NOTHING = "nothing"


def classify_text(body: str) -> Verdict:
    """Return the verdict on an incoming message. Case, punctuation, spaces and emoji make no difference."""
    body = body[:MAX_CHARACTERS]
    if REACTION.match(body.strip()):
        return Verdict.NOTHING
    words = split_words(body)
    if all(len(word) == 1 for word in words):  # S T O P
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
    return Verdict.SUSPECTED if _is_possible_opt_out(body, text) else Verdict.NOTHING


def _is_possible_opt_out(body: str, text: str) -> bool:
    if any(sentence.search(text) for sentence in SENTENCES):
        return True
    if body != body.upper() and _CAPITAL_STOP.search(body):  # the message isn't all capitals
        return True
    if not text:
        return any(emoji in body for emoji in OPT_OUT_EMOJI)
    return any(_is_opt_out_clause(normalize(clause)) for clause in _CLAUSES.split(body))


def _is_opt_out_clause(clause: str) -> bool:
    """Return whether a clause is a keyword with polite words only: `please stop`, `no thanks, stop`."""
    core = " ".join(word for word in clause.split() if word not in POLITE_WORDS)
    return (
        core in OPT_OUT
        or bool({clause, core} & AMBIGUOUS)
        or any(pattern.fullmatch(clause) for pattern in WHOLE_CLAUSES)
    )
