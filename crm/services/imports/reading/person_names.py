"""Names of people and companies in lists: split, and written in capital and small letters."""

import re

# Parts of a last name, and those of them that are written small.
PARTICLES = frozenset(
    {"van", "von", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "das", "la", "le", "el", "ter", "ten"}
    | {"zu", "zur", "bin", "ibn", "al", "st", "st.", "san", "santa", "mc", "mac"}
)
SMALL = frozenset(
    {"van", "von", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "das", "ter", "ten", "zu"}
)
SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "esq", "md", "phd"})
CAPITALS = frozenset({"II", "III", "IV", "MD", "DDS", "DVM", "CPA"})
CAPITALS_OF_COMPANIES = CAPITALS | {
    "LLC", "LLP", "LP", "LLLP", "PLLC", "PC", "PA", "NA", "USA", "US", "DBA", "HOA", "FBO", "VI", "VII", "VIII",
}  # fmt: skip
# A name with one of these words belongs to no person; one of the other words must stand in a longer name.
COMPANY_WORDS = frozenset({
    "llc", "inc", "incorporated", "corp", "corporation", "company", "ltd", "limited", "llp", "lllp", "pllc", "lp",
    "trust", "trusts", "trustee", "trustees", "estate", "ministries", "university", "college", "department",
    "authority", "association", "assn", "hoa", "foundation", "holdings", "properties", "property", "investment",
    "investments", "partners", "partnership", "enterprises", "group", "management", "realty", "rentals",
    "construction", "roofing", "solutions", "ventures", "housing", "apartments", "development", "developers", "dba",
})  # fmt: skip
AMBIGUOUS_WORDS = frozenset({
    "bank", "church", "city", "county", "state", "town", "village", "school", "district", "services", "builders",
    "homes", "fund", "capital", "tr", "ttee", "co",
})  # fmt: skip
MACS = frozenset({
    "macdonald", "macarthur", "macgregor", "mackenzie", "macleod", "macpherson", "mackinnon", "macmillan",
    "macdougall", "macintosh", "macintyre", "maclean",
})  # fmt: skip

_WORDS = re.compile(r"[^\W\d_]+")
_PIECE = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def is_company(name: str) -> bool:
    """Return whether a name is a company's, a trust's or an authority's."""
    words = _WORDS.findall(name.casefold().replace(".", ""))
    return not COMPANY_WORDS.isdisjoint(words) or (len(words) > 2 and not AMBIGUOUS_WORDS.isdisjoint(words))


def split_name(name: str) -> tuple[str, str]:
    """Return first and last name of a full name. A company has a last name alone.

    `Smith, John A` is John A Smith. Particles and suffixes stay with the last name: `van der Berg III`.
    """
    if is_company(name):
        return "", name
    before, _, after = (part.strip() for part in name.partition(","))
    if after and not _is_suffix(after):
        return after, before
    words = name.replace(",", " ").split()
    if len(words) < 2:
        return name.strip(), ""
    start = len(words) - 1
    while start > 1 and _is_suffix(words[start]):
        start -= 1
    while start > 1 and words[start - 1].casefold() in PARTICLES:
        start -= 1
    return " ".join(words[:start]), " ".join(words[start:])


def fix_capitals(name: str, *, is_last_name: bool = False) -> str:
    """Return a name in capital and small letters, if all its letters are capital or all are small."""
    if not (name.isupper() or name.islower()):
        return name
    capitals = CAPITALS_OF_COMPANIES if is_company(name) else CAPITALS
    words = name.split(" ")
    fixed: list[str] = []
    for place, word in enumerate(words):
        small = word.casefold()
        if word.strip(".,()").upper() in capitals:
            fixed.append(word.upper())
        elif place < len(words) - 1 and (
            (small in SMALL and (place or is_last_name)) or (small == "la" and fixed[-1:] == ["de"])
        ):
            fixed.append(small)
        else:
            fixed.append(_PIECE.sub(lambda found: _fix_piece(found[0]), word))
    return " ".join(fixed)


def _is_suffix(word: str) -> bool:
    return word.casefold().strip(".") in SUFFIXES


def _fix_piece(piece: str) -> str:
    letters = piece.capitalize()
    if len(letters) > 3 and letters[1] in "'’":  # O'Brien, D'Angelo
        return letters[:2] + letters[2:].capitalize()
    if len(letters) > 3 and letters.startswith("Mc"):
        return "Mc" + letters[2:].capitalize()
    if letters.casefold() in MACS:
        return "Mac" + letters[3:].capitalize()
    return letters
