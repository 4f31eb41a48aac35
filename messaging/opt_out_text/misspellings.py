"""Misspellings of the keywords that people type most."""

from difflib import get_close_matches

_SIMILARITY = 0.8
# Words that resemble `unsubscribe` and mean something else.
_OTHER_WORDS = frozenset({"unsubscribe", "unsubscribed", "unsubscribing", "unsubscribes"})
# Neighbours on the keyboard.
_NEIGHBOURS = {"s": "adwxzeq", "t": "rygf56", "o": "iplk09", "p": "ol0"}
_REAL_WORDS = frozenset({"atop", "sop", "top", "step", "stops", "stow", "slop", "shop"})


def _misspellings_of(word: str) -> frozenset[str]:
    """Return the word with two letters swapped, or one letter left out, doubled or replaced by its neighbour."""
    found = set()
    for at, letter in enumerate(word):
        before, after = word[:at], word[at + 1 :]
        found |= {before + after, before + letter * 2 + after}
        found |= {before + other + after for other in _NEIGHBOURS[letter]}
        found.add(before + after[:1] + letter + after[1:])
    return frozenset(found) - _REAL_WORDS - {word}


def _with_swapped_letters(word: str) -> list[str]:
    return [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)]


_OFTEN_TYPED = (
    "quit", "cancel", "revoke", "remove", "delete", "text", "texts", "texting", "message", "messages", "messaging",
    "contact", "number", "wrong", "please", "dont", "unsub", "calling",
)  # fmt: skip

# One letter of these is left out or replaced, and the result is no other word.
_LONG = ("number", "wrong", "remove", "message", "messages", "texting", "messaging", "contact")
_OTHER_REAL_WORDS = frozenset(_LONG) | {
    "lumber", "numbed", "nummer", "umber", "prong", "wring", "wrung", "remote", "tenting", "tasting", "passage",
    "massage", "messing",
}  # fmt: skip


def _with_another_letter(word: str) -> set[str]:
    return {
        word[:at] + letter + word[at + 1 :] for at in range(len(word)) for letter in ("", *"abcdefghijklmnopqrstuvwxyz")
    } - _OTHER_REAL_WORDS


_SWAPPED = {swapped: word for word in _OFTEN_TYPED for swapped in _with_swapped_letters(word) if swapped != word}
_REPLACED = {replaced: word for word in _LONG for replaced in _with_another_letter(word)}
_MEANT = _REPLACED | _SWAPPED | dict.fromkeys(_misspellings_of("stop"), "stop") | {
    "stob": "stop", "stopo": "stop", "stahp": "stop", "stawp": "stop", "staph": "stop", "stap": "stop",
    "styop": "stop", "stoping": "stopping", "cancell": "cancel", "cansel": "cancel", "cancil": "cancel",
    "canel": "cancel", "cacel": "cancel", "textting": "texting", "contatcing": "contacting",
    "recieve": "receive", "recieving": "receiving", "subscribtion": "subscription",
    "permision": "permission", "persmission": "permission", "harrassing": "harassing",
    "harrasing": "harassing", "harassin": "harassing", "harrassment": "harassment", "bothring": "bothering",
    "txtng": "texting", "sendin": "sending", "callin": "calling", "mssgs": "messages", "plese": "please",
    "plase": "please", "dnt": "dont", "dint": "dont", "nomore": "no more", "intrested": "interested",
    "interrested": "interested", "concent": "consent", "opout": "optout", "stop2end": "stop",
    "stop2stop": "stop", "txtstop": "stop", "optuot": "optout", "donot": "dont", "txtn": "texting",
    "rmv": "remove", "dlt": "delete", "outt": "out", "nt": "not", "taxing": "texting", "txing": "texting",
    "texti": "texting",
}  # fmt: skip


def correct_spelling(words: list[str]) -> list[str]:
    """Return the words with known misspellings replaced by the words that were meant."""
    return [_MEANT.get(word) or _correct_unsubscribe(word) for word in _join_halves(words)]


def _join_halves(words: list[str]) -> list[str]:
    """Return the words with keywords in two halves joined: st op, un subscribe."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] + word in ("stop", "cancel", "unsub", "unsubscribe", "unsubscribed"):
            joined[-1] += word
        elif joined and joined[-1] == "un" and _correct_unsubscribe("un" + word) == "unsubscribe":
            joined[-1] = "unsubscribe"
        else:
            joined.append(word)
    return joined


def _correct_unsubscribe(word: str) -> str:
    if word in _OTHER_WORDS or len(word) < 7 or word[0] not in "un":
        return word
    return "unsubscribe" if get_close_matches(word, ["unsubscribe"], cutoff=_SIMILARITY) else word
