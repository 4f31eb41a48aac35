"""Rules of merging: what happens to the rows of each model that refers to a contact.

Each app registers the rules of its models in `AppConfig.ready`. A system check finds a model without one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.checks import CheckMessage, Error
from django.db.models import Model, Q
from django.utils import timezone

from crm.models import Contact
from crm.services.merging.journal import Journal, attname_of, references_to

Undoing = Any  # crm.services.merging.undo.Undoing, which imports this module


class MergeRule(Protocol):
    def merge(self, model: type[Model], journal: Journal) -> None:
        """Let no row of the model refer to the gone contact any more."""


@dataclass(frozen=True)
class Move:
    """All rows move to the kept contact."""

    field: str = "contact"

    def merge(self, model: type[Model], journal: Journal) -> None:
        journal.move(model, self.field)


@dataclass(frozen=True)
class MoveOthers:
    """Rows move, but of two that are equal in these columns the kept contact's stays, and the other is deleted."""

    by: tuple[str, ...]

    def merge(self, model: type[Model], journal: Journal) -> None:
        journal.replace(model, {gone[0]: kept[0] for kept, gone in pairs_of(model, journal, self.by)})
        journal.move(model)


@dataclass(frozen=True)
class EndSecond:
    """Rows move; of two that are in force for ever and equal in these columns, the one that moves ends."""

    by: tuple[str, ...]
    ends: str
    """The column with the end. Empty: never."""

    def merge(self, model: type[Model], journal: Journal) -> None:
        for_ever = Q(**{f"{self.ends}__isnull": True})
        if second := [gone[0] for _, gone in pairs_of(model, journal, self.by, for_ever)]:
            journal.change(journal.of(journal.gone, model).filter(pk__in=second), **{self.ends: timezone.now()})
        journal.move(model)


class DeleteDerived:
    """Rows are deleted: they are made from the contact's own columns."""

    def merge(self, model: type[Model], journal: Journal) -> None:
        rows = journal.of(journal.gone, model)
        rows._raw_delete(rows.db)


def pairs_of(
    model: type[Model], journal: Journal, by: Sequence[str], condition: Q | None = None, more: Sequence[str] = ()
) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Return the rows of the kept and of the gone contact that are equal in the columns `by`, as pairs.

    Each row is its id, these columns, and `more` columns.
    """
    columns = ["pk", *(attname_of(model, name) for name in by), *more]
    end = 1 + len(by)
    condition = condition or Q()
    gone = {
        row[1:end]: row
        for row in journal.of(journal.gone, model).filter(condition).order_by("pk").values_list(*columns)
    }
    if not gone:
        return []
    kept = journal.of(journal.kept, model).filter(condition).order_by("pk").values_list(*columns)
    return [(row, gone[row[1:end]]) for row in kept if row[1:end] in gone]


_rules: dict[type[Model], MergeRule] = {}
_late_rules: dict[type[Model], MergeRule] = {}
# Called with the company's id before a merge, or its undoing, locks anything.
before_locking: list[Callable[[int], None]] = []
# Called with the ids of the contacts before a merge, or its undoing, moves any row: locks that others take first.
before_moving: list[Callable[[Sequence[int]], None]] = []
# Called at the end of a merge, and of its undoing.
at_end_of_merge: list[Callable[[Journal], None]] = []
at_end_of_undoing: list[Callable[[Undoing], None]] = []


def register(model: type[Model], rule: MergeRule, *, late: bool = False) -> None:
    """Add the rule of a model.

    Args:
        late: its rows are moved last, because workers lock them last.
    """
    (_late_rules if late else _rules)[model] = rule


def rules() -> dict[type[Model], MergeRule]:
    """Return all rules, in the order in which they are applied."""
    return _rules | _late_rules


def referring_models() -> set[type[Any]]:
    """Return the models with a foreign key to a contact."""
    return {relation.related_model for relation in references_to(Contact)}


def every_model_has_a_rule(**_options: Any) -> list[CheckMessage]:
    """Refuse a foreign key to a contact without a rule: its rows would keep a merge from deleting the gone contact."""
    return [
        Error(
            f"{model._meta.label} refers to a contact, and no rule says what a merge of contacts does with its rows.",
            hint="Call crm.services.merging.rules.register in AppConfig.ready: Move() if a contact may have any number"
            ' of rows, MoveOthers(by=("tag",)) if they are unique for a contact and these columns.',
            obj=model,
            id="crm.E004",
        )
        for model in sorted(referring_models() - rules().keys(), key=lambda model: model._meta.label)
    ]
