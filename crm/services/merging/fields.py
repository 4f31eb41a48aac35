"""Values of a merged contact: which of the two sides each of its fields takes."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError

from crm.error_codes import ErrorCode
from crm.models import Contact, ContactField
from crm.phones import InvalidPhone, normalize_phone
from crm.refusals import Refusal

KEPT, GONE = "kept", "gone"
# The blank fields of a block are filled from the gone contact, unless the two contradict each other in another field
# of the block: half of one address and half of another is no address.
BLOCKS = (
    ("first_name", "last_name"),
    ("email",),
    ("address", "city", "state", "postal_code"),
    ("timezone",),
)
FIELDS = ("phone", *(name for block in BLOCKS for name in block))
CUSTOM = "field:"  # before the key of a custom field, as in the mapping of an import


class FieldRefused(Refusal):
    """A field can't have the value."""

    code = ErrorCode.INVALID


def choose_custom(chosen: Mapping[str, str], fields: Mapping[str, ContactField]) -> dict[int, str]:
    """Return the side whose value stays, `kept` or `gone`, by the id of the custom field.

    Raises:
        FieldRefused: there is no such custom field, or it is neither of the two words.
    """
    sides = {}
    for name, choice in chosen.items():
        if not name.startswith(CUSTOM):
            continue
        field = fields.get(name.removeprefix(CUSTOM))
        if field is None:
            raise FieldRefused(
                f"fields: there is no custom field {name.removeprefix(CUSTOM)}.",
                code=ErrorCode.UNKNOWN_FIELD,
                attr="fields",
            )
        if choice not in (KEPT, GONE):
            raise FieldRefused(f"fields.{name}: must be {KEPT} or {GONE}.", attr="fields")
        sides[field.pk] = choice
    return sides


def choose_values(kept: Contact, gone: Contact, chosen: Mapping[str, str], *, numbers: set[str]) -> dict[str, str]:
    """Return the kept contact's values that differ from its present ones, by field.

    Args:
        chosen: `kept`, `gone` or another value, by field. For the phone: one of `numbers`, the two contacts'. Custom
            fields are left out: see `choose_custom`.

    Raises:
        FieldRefused: there is no such field, or it can't have the value.
    """
    values = {name: value for block in BLOCKS for name, value in _fill_blanks(kept, gone, block).items()}
    for name, choice in chosen.items():
        if name.startswith(CUSTOM):
            continue
        if name not in FIELDS:
            raise FieldRefused(
                f"fields: a contact has no {name} to choose.", code=ErrorCode.UNKNOWN_FIELD, attr="fields"
            )
        if choice in (KEPT, GONE):
            values[name] = getattr(kept if choice == KEPT else gone, name)
        else:
            values[name] = _clean(name, choice, numbers)
    return {name: value for name, value in values.items() if value != getattr(kept, name)}


def _fill_blanks(kept: Contact, gone: Contact, block: tuple[str, ...]) -> dict[str, str]:
    sides = [(name, getattr(kept, name), getattr(gone, name)) for name in block]
    if any(mine and other and mine.casefold() != other.casefold() for _, mine, other in sides):
        return {}
    return {name: other for name, mine, other in sides if other and not mine}


def _clean(name: str, value: str, numbers: set[str]) -> str:
    if name == "phone":
        try:
            value = normalize_phone(value)
        except InvalidPhone as error:
            raise FieldRefused(f"fields.phone: {error}", code=ErrorCode.INVALID_PHONE, attr="fields") from error
        if value not in numbers:
            raise FieldRefused("fields.phone: must be a number of one of the two contacts.", attr="fields")
        return value
    try:
        cleaned: str = Contact._meta.get_field(name).clean(value, None)  # type: ignore[union-attr]
    except ValidationError as error:
        raise FieldRefused(f"fields.{name}: {' '.join(error.messages)}", attr="fields") from error
    return cleaned
