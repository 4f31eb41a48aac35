"""The questions before a tag, a custom field or a list is deleted."""

from collections.abc import Iterator
from typing import Any

from crm.error_codes import ErrorCode
from crm.models import ContactField, ContactList, Segment, Tag
from crm.refusals import Refusal

Label = Tag | ContactField | ContactList
MAX_NAMED = 5


class ConfirmNeeded(Refusal):
    """Contacts have the label, and the person who deletes it wasn't asked."""

    code = ErrorCode.CONFIRM_NEEDED

    def __init__(self, label: Label, contacts: int) -> None:
        self.contacts = contacts
        who = "One contact has" if contacts == 1 else f"{contacts:,} contacts have"
        super().__init__(f"{who} the {label._meta.verbose_name} {label}. Send confirm=1 to delete it.")

    def facts(self) -> dict[str, Any]:
        return {"contacts": self.contacts}


class NamedBySegment(Refusal):
    """A segment chooses contacts by the label: without it, it would choose others."""

    code = ErrorCode.IN_USE

    def __init__(self, label: Label, names: list[str]) -> None:
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        super().__init__(
            f"Can't be deleted: segments use the {label._meta.verbose_name}: {', '.join(names[:MAX_NAMED])}{more}."
        )


def check_confirmed(label: Label, *, contacts: int, confirmed: bool) -> None:
    """Raise ConfirmNeeded if contacts have the label and the deletion isn't confirmed."""
    if contacts and not confirmed:
        raise ConfirmNeeded(label, contacts)


def check_no_segment_names(label: Label, *, node: str, part: str, value: int | str) -> None:
    """Raise NamedBySegment if a definition has a condition of this kind with the label's value in this part."""
    segments = Segment.objects.filter(company=label.company_id).order_by("name").values_list("name", "definition")
    names = [
        name
        for name, definition in segments
        if any(value == each or value in each for each in _values(definition, node, part))
    ]
    if names:
        raise NamedBySegment(label, names)


def _values(definition: Any, node: str, part: str) -> Iterator[Any]:
    """Yield the values of a part of all conditions of a kind: lists, or texts and ids as a list of one."""
    [(name, value)] = definition.items()
    if name in ("all", "any"):
        for each in value:
            yield from _values(each, node, part)
    elif name == "not":
        yield from _values(value, node, part)
    elif name == node:
        yield value[part] if isinstance(value[part], list) else [value[part]]
