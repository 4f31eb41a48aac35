"""What a text says about getting texts. The words are data, and one pure function reads a text by them.

Exact words are taken at their word. A sentence that a reasonable person would read as a wish to get no more texts
(47 CFR 64.1200(a)(10)) is left to a person, and the number is not texted meanwhile: a text that goes out a day late
does less harm than one that was not wanted.
"""

import re
from enum import StrEnum

from messaging.opt_out_text.keywords import (
    DOUBTFUL,
    HELP,
    OPT_IN,
    OPT_OUT,
    OPT_OUT_SIGNS,
    POLITE,
    PROVIDER_ANSWERS,
    YES,
)
from messaging.opt_out_text.normalize import fold, words_of
from messaging.opt_out_text.phrases import HARMLESS_AFTER_STOP, OUR_OWN_WORDS, SENTENCES, WHOLE_CLAUSES

MAX_READ = 10_000  # characters; a text has 1,600 at most

_CLAUSES = re.compile(r"[.!?;,:\n]+")
_LOUD_STOP = re.compile(rf"\bSTOP\b(?!\W+(?:{'|'.join(HARMLESS_AFTER_STOP)})\b)")
_SINGLE_WORDS = {words for words in OPT_OUT if " " not in words}


class Verdict(StrEnum):
    OPT_OUT = "opt_out"
    SUSPECTED = "suspected"
    OPT_IN = "opt_in"
    YES = "yes"
    HELP = "help"
    NOTHING = "nothing"


def classify_text(body: str) -> Verdict:
    """What a text of theirs says about getting ours, whatever its case, punctuation, spaces and emoji."""
    body = body[:MAX_READ]
    if OUR_OWN_WORDS.match(body.strip()):
        return Verdict.NOTHING
    words = words_of(body)
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
    return Verdict.SUSPECTED if _sounds_like_an_opt_out(body, text) else Verdict.NOTHING


def provider_answers(provider: str, body: str) -> bool:
    """Whether the provider itself sends a confirmation to who writes this, so that we must not send a second one."""
    return fold(body) in PROVIDER_ANSWERS[provider]


def _sounds_like_an_opt_out(body: str, text: str) -> bool:
    if any(sentence.search(text) for sentence in SENTENCES):
        return True
    if body != body.upper() and _LOUD_STOP.search(body):  # in a text that is not loud all over
        return True
    if not text:
        return any(sign in body for sign in OPT_OUT_SIGNS)
    return any(_is_a_stop(fold(clause)) for clause in _CLAUSES.split(body))


def _is_a_stop(clause: str) -> bool:
    """Nothing but a stop, and politeness: `please stop`, `no thanks, stop`."""
    core = " ".join(word for word in clause.split() if word not in POLITE)
    return core in OPT_OUT or bool({clause, core} & DOUBTFUL) or any(one.fullmatch(clause) for one in WHOLE_CLAUSES)
