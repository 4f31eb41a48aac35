"""Merging of the values of custom fields."""

from dataclasses import dataclass

from django.db.models import Model

from crm.services.merging.fields import GONE, KEPT
from crm.services.merging.journal import Journal
from crm.services.merging.rules import MoveOthers


@dataclass(frozen=True)
class JoinFieldValues(MoveOthers):
    """Values move; of two of one field that of the chosen side stays, else the kept contact's."""

    def merge(self, model: type[Model], journal: Journal) -> None:
        of_side = {side: [field for field, chosen in journal.sides.items() if chosen == side] for side in (KEPT, GONE)}
        came = journal.moved.get(model._meta.db_table, [])  # when rules are applied again, the chosen ones are there
        journal.delete(journal.of(journal.kept, model).filter(field__in=of_side[GONE]).exclude(pk__in=came))
        journal.delete(journal.of(journal.gone, model).filter(field__in=of_side[KEPT]))
        super().merge(model, journal)
