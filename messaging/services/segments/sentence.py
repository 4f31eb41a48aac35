"""Definitions in English: `Contacts in Denver who had no call in the last 90 days`."""

from collections.abc import Iterator, Sequence
from typing import Any

from crm.models import Campaign, ContactField, ContactList, Tag
from messaging.services.segments.compile import Definition
from messaging.services.segments.nodes import NODES, Names

PLACE = "are in "


def sentence_of(definition: Definition) -> str:
    """Return the sentence of a valid definition, with the names of what it refers to."""
    [sentence] = sentences_of([definition])
    return sentence


def sentences_of(definitions: Sequence[Definition]) -> list[str]:
    """Return the sentences of valid definitions: a statement for each kind of row that they name."""
    names = Names(
        campaigns=_names_of(Campaign, "campaign_ids", definitions),
        tags=_names_of(Tag, "tag_ids", definitions),
        lists=_names_of(ContactList, "list_ids", definitions),
        custom_fields=_labels_of_fields(definitions),
    )
    return [_sentence(definition, names) for definition in definitions]


def _names_of(model: Any, kind: str, definitions: Sequence[Definition]) -> dict[int, str]:
    ids = {row for definition in definitions for _, row in references(definition, kind)}
    return dict(model.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def _labels_of_fields(definitions: Sequence[Definition]) -> dict[str, str]:
    keys = {value["key"] for definition in definitions for _, value in values_of_kind(definition, "custom_field")}
    return dict(ContactField.objects.live().filter(key__in=keys).values_list("key", "label")) if keys else {}


def _sentence(definition: Definition, names: Names) -> str:
    clauses = _clauses_of_all(definition, names)
    where = [clause.removeprefix("are ") for clause in clauses if clause.startswith(PLACE)]
    rest = [clause for clause in clauses if not clause.startswith(PLACE)]
    subject = " ".join(["Contacts" if clauses else "All contacts", " and ".join(where)]).rstrip()
    return f"{subject} who {' and '.join(rest)}." if rest else f"{subject}."


def references(definition: Definition, kind: str) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Yield the place and the id of each row that a definition refers to.

    Args:
        kind: such as `campaign_ids`, the attribute of the nodes that names such parts.
    """
    for place, name, value in conditions_of(definition):
        for part in getattr(NODES[name], kind):
            if isinstance(value[part], list):
                yield from (((*place, part, number), row) for number, row in enumerate(value[part]))
            else:
                yield (*place, part), value[part]


def values_of_kind(definition: Definition, kind: str) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the place and the value of each condition of one kind."""
    yield from ((place, value) for place, name, value in conditions_of(definition) if name == kind)


def conditions_of(definition: Definition) -> Iterator[tuple[tuple[Any, ...], str, Any]]:
    """Yield the place, the kind and the value of each condition."""
    [(name, value)] = definition.items()
    if name == "not":
        yield from (((name, *place), kind, its_value) for place, kind, its_value in conditions_of(value))
    elif name not in ("all", "any"):
        yield (name,), name, value
    else:
        for number, part in enumerate(value):
            yield from (((name, number, *place), kind, its_value) for place, kind, its_value in conditions_of(part))


def _clauses_of_all(definition: Definition, names: Names) -> list[str]:
    """Return the clauses that a definition joins by `and`: one, if it isn't a group."""
    [(name, value)] = definition.items()
    if name == "all":
        return [_clause(part, False, names) for part in value]
    return [_clause(definition, False, names)]


def _clause(definition: Definition, negated: bool, names: Names) -> str:
    """Return the clause of a part. A negated group is said with negated parts: not (a or b) is not a and not b."""
    [(name, value)] = definition.items()
    if name == "not":
        return _clause(value, not negated, names)
    if name not in ("all", "any"):
        return NODES[name].clause(value, negated, names)
    if not value:
        return "are nobody" if negated else "are anybody"
    word = "and" if (name == "all") is not negated else "or"
    clauses = [_clause(part, negated, names) for part in value]
    return clauses[0] if len(clauses) == 1 else f"({f' {word} '.join(clauses)})"
