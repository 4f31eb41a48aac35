"""Suggestions for the columns of a file: by a preset, by an earlier import, else by likeness."""

from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from crm.contact_labels import key_from_label
from crm.services.imports.reading.headers import fingerprint_of, key_of
from crm.services.imports.reading.mapping import CustomField, InvalidMapping, Mapping, leave_out_unusable
from crm.services.imports.reading.outcomes import InvalidValue
from crm.services.imports.reading.presets import PRESETS
from crm.services.imports.reading.presets.plain import TARGETS
from crm.services.imports.reading.presets.preset import next_number
from crm.services.imports.reading.targets import FIELD, Target
from crm.services.imports.reading.values import clean, is_nothing, read_date, read_number, read_phone, read_yes_no

LIKELY = 80  # of 100; under this, a column is offered as a custom field
MAX_LABEL = 100


@dataclass(frozen=True)
class Suggestion:
    """A target for a column, with its likeness from 0 to 100. A score of 0 offers a new custom field."""

    column: str
    target: str
    score: int


@dataclass(frozen=True)
class Choice:
    """A mapping for a file, and where it comes from.

    Attributes:
        suggestions: for the columns that the mapping doesn't have. Nothing of them is imported before a person agrees.
        needs_person: the mapping was suggested, so that a person must confirm it before it is used.
    """

    mapping: Mapping
    origin: Literal["remembered", "preset", "suggested"]
    suggestions: list[Suggestion] = field(default_factory=list)
    new_fields: dict[str, CustomField] = field(default_factory=dict)

    @property
    def needs_person(self) -> bool:
        return self.origin == "suggested"


def choose_mapping(
    header: list[str],
    *,
    known_fields: Dict[str, CustomField] | None = None,
    remembered: Callable[[str], Any] | None = None,
    sample: list[list[str]] | None = None,
    preset: str = "",
) -> Choice:
    """Return the likeliest mapping of a header.

    A mapping that a person confirmed for the same set of columns comes first, then a preset, then likeness. Neither the
    order of the columns nor the file's name matters.

    Args:
        known_fields: the company's custom fields by key. Columns with their labels or keys go to them.
        remembered: returns the stored mapping of a fingerprint, or nothing.
        sample: some rows, from which types of new custom fields are guessed.
        preset: the one to use; empty: found by the header.
    """
    known = dict(known_fields or {})
    sample = sample or []
    if not preset and remembered is not None and (stored := remembered(fingerprint_of(header))):
        mapping = Mapping.from_json(stored).for_header(header)
        return _choice(_with_known_fields(mapping, known), "remembered", known, sample)
    keys = frozenset(map(key_of, header))
    if preset and preset not in PRESETS:
        raise InvalidMapping({"": f"There is no preset {preset}. Presets are: {', '.join(PRESETS)}."})
    chosen = PRESETS[preset] if preset else next((each for each in PRESETS.values() if each.knows(keys)), None)
    if chosen is not None:
        return _choice(_with_known_fields(chosen.map(header), known), "preset", known, sample)
    return _choice(_likely_mapping(header, known), "suggested", known, sample)


def _with_known_fields(mapping: Mapping, known: dict[str, CustomField]) -> Mapping:
    """Give columns with the labels or keys of the company's custom fields to these."""
    names = {key_of(name): key for key, spec in known.items() for name in (key, spec.label)}
    taken = {*mapping.columns.values()}
    columns = {
        name: mapping.columns.get(name) or target
        for name in mapping.header
        if name in mapping.columns
        or ((key := names.get(key_of(name))) and (target := str(Target(FIELD, key=key))) not in taken)
    }
    fields = {
        target.key: known.get(target.key) or mapping.fields[target.key]
        for target in map(Target.parse, columns.values())
        if target.name == FIELD and (target.key in known or target.key in mapping.fields)
    }
    return replace(mapping, columns=columns, fields=fields)


def _likely_mapping(header: list[str], known: dict[str, CustomField]) -> Mapping:
    """Give each target the column that is most like its names, the likeliest pairs first."""
    from rapidfuzz import fuzz, process  # few processes need it

    names = dict(TARGETS)
    names |= {key_of(name): str(Target(FIELD, key=key)) for key, spec in known.items() for name in (key, spec.label)}
    pairs: list[tuple[float, str, str]] = []
    for column in header:
        for name, score, _ in process.extract(
            key_of(column), names.keys(), scorer=fuzz.token_sort_ratio, limit=5, score_cutoff=LIKELY
        ):
            pairs.append((score, column, names[name]))
    columns: dict[str, str] = {}
    for _, column, target in sorted(pairs, key=lambda pair: -pair[0]):
        if column not in columns and (
            free := target if target not in columns.values() else next_number(Target.parse(target), columns)
        ):
            columns[column] = free
    columns = leave_out_unusable(columns)
    fields = {target.key: known[target.key] for target in map(Target.parse, columns.values()) if target.name == FIELD}
    return Mapping(tuple(header), {name: columns[name] for name in header if name in columns}, fields)


def _choice(
    mapping: Mapping,
    origin: Literal["remembered", "preset", "suggested"],
    known: dict[str, CustomField],
    sample: list[list[str]],
) -> Choice:
    """Offer the other columns as new custom fields, and add the scores of those that were suggested."""
    suggestions: list[Suggestion] = []
    new_fields: dict[str, CustomField] = {}
    taken = {*known, *mapping.fields}
    ignored = PRESETS[mapping.preset].ignored if mapping.preset in PRESETS else frozenset()
    for place, column in enumerate(mapping.header):
        if (target := mapping.columns.get(column)) is not None:
            if origin == "suggested":
                suggestions.append(Suggestion(column, target, _likeness(column, target, known)))
        elif key_of(column) not in ignored and (key := _free_key(column, taken)):
            taken.add(key)
            new_fields[key] = CustomField(
                column[:MAX_LABEL], guess_type([row[place] for row in sample if place < len(row)])
            )
            suggestions.append(Suggestion(column, str(Target(FIELD, key=key)), 0))
    return Choice(mapping, origin, suggestions, new_fields)


def _likeness(column: str, target: str, known: dict[str, CustomField]) -> int:
    from rapidfuzz import fuzz

    names = [name for name, other in TARGETS.items() if other == target]
    names += [spec.label for key, spec in known.items() if target == f"{FIELD}:{key}"]
    return round(max((fuzz.token_sort_ratio(key_of(column), key_of(name)) for name in names), default=100))


def _free_key(label: str, taken: set[str]) -> str:
    """Return a key for a new custom field; empty if the label has no letters to make one from."""
    key = key_from_label(label)
    return key if key not in taken else ""


def guess_type(cells: list[str]) -> str:
    """Return the type of custom field that each of these cells fits."""
    texts = [text for text in map(clean, cells) if not is_nothing(text)]
    if not texts:
        return "text"
    for field_type, read in (("yes_no", read_yes_no), ("date", read_date), ("number", read_number)):
        if all(_fits(read, text) for text in texts):
            # A column of ZIP codes or phone numbers has no amounts.
            is_code = field_type == "number" and any(
                (text[0] == "0" and text.isdecimal() and len(text) > 1) or _fits(read_phone, text) for text in texts
            )
            return "text" if is_code else field_type
    return "text"


def _fits(read: Callable[[str], Any], text: str) -> bool:
    try:
        read(text)
    except InvalidValue:
        return False
    return True
