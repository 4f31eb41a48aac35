"""Definitions in English: `Contacts in Denver who had no call in the last 90 days`."""

from collections.abc import Iterator, Sequence
from typing import Any

from crm.models import Campaign
from messaging.services.segments.compile import Definition
from messaging.services.segments.nodes import NODES, Names

PLACE = "are in "


def sentence_of(definition: Definition) -> str:
    """Return the sentence of a valid definition, with the names of its campaigns."""
    [sentence] = sentences_of([definition])
    return sentence


def sentences_of(definitions: Sequence[Definition]) -> list[str]:
    """Return the sentences of valid definitions: one statement, if they name any campaign."""
    ids = {row for definition in definitions for _, row in references(definition, "campaign_ids")}
    found = Campaign.objects.filter(pk__in=ids).values_list("pk", "name") if ids else ()
    names = Names(campaigns=dict(found))
    return [_sentence(definition, names) for definition in definitions]


def _sentence(definition: Definition, names: Names) -> str:
    clauses = _clauses_of_all(definition, names)
    where = [clause.removeprefix("are ") for clause in clauses if clause.startswith(PLACE)]
    rest = [clause for clause in clauses if not clause.startswith(PLACE)]
    subject = " ".join(["Contacts" if clauses else "All contacts", " and ".join(where)]).rstrip()
    return f"{subject} who {' and '.join(rest)}." if rest else f"{subject}."


def references(definition: Definition, kind: str) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Yield the place and the id of each row that a definition refers to.

    Args:
        kind: `campaign_ids` or `contact_ids`, the attribute of the nodes that names such parts.
    """
    [(name, value)] = definition.items()
    if name in ("all", "any"):
        for number, part in enumerate(value):
            yield from (((name, number, *place), row) for place, row in references(part, kind))
    elif name == "not":
        yield from (((name, *place), row) for place, row in references(value, kind))
    else:
        for part in getattr(NODES[name], kind):
            if isinstance(value[part], list):
                yield from (((name, part, number), row) for number, row in enumerate(value[part]))
            else:
                yield (name, part), value[part]


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
