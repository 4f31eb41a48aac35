"""Contacts that were merged: an old ID leads to the contact that stayed."""

from collections.abc import Iterable
from typing import Any

from crm.error_codes import ErrorCode
from crm.form_fields import is_id
from crm.models import ContactMerge
from crm.refusals import Refusal


class AlreadyMerged(Refusal):
    """One of the contacts was merged into another one."""

    code = ErrorCode.MERGED

    def __init__(self, *, gone_id: int, kept_id: int) -> None:
        self.kept_id = kept_id
        super().__init__(f"Contact {gone_id} was merged into contact {kept_id}.")

    def facts(self) -> dict[str, Any]:
        return {"merged_into": self.kept_id}


def find_kept(ids: Iterable[int]) -> dict[int, int]:
    """Return the contacts that stand for merged ones of the active tenant, by their ids."""
    wanted = [pk for pk in ids if is_id(str(pk))]  # a body may name any number
    if not wanted:
        return {}
    return dict(ContactMerge.objects.in_force().filter(gone_id__in=wanted).values_list("gone_id", "kept"))


def refuse_merged(ids: Iterable[int]) -> None:
    """Raise AlreadyMerged if one of the contacts was merged into another one."""
    for gone, kept in sorted(find_kept(ids).items()):
        raise AlreadyMerged(gone_id=gone, kept_id=kept)


def stand_ins(ids: Iterable[int]) -> list[int]:
    """Return the ids, those of merged contacts replaced by those that stand for them."""
    wanted = list(ids)
    kept = find_kept(wanted)
    return [kept.get(pk, pk) for pk in wanted]
