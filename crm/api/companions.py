"""Companions of rows that refer to a contact, a user, a phone line or a campaign."""

from typing import Any, ClassVar

from django.db.models import FilteredRelation, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.base.companions import Companion
from crm.api.base.roles import visible
from crm.choices import FlagType
from crm.db.bulk import among
from crm.db.prepared import IDS, NOW, prepared
from crm.models import Campaign, Contact, ContactFlag, ContactPhone, PhoneLine, User
from crm.names import name_of_contact, name_of_line, name_of_user
from crm.querysets import flag_in_force


@prepared
def _contacts_and_flags(user: Any) -> QuerySet:
    """Return a row for each flag in force, at least one for each contact."""
    contacts = visible(Contact.objects.filter(among("pk", IDS)), user, "contacts")
    flagged = contacts.annotate(flag=FilteredRelation("flags", condition=flag_in_force("flags__", at=NOW)))
    return flagged.values_list("pk", "first_name", "last_name", "phone", "flag__flag_type")


@prepared
def _flags(user: Any) -> QuerySet:
    flags = ContactFlag.objects.filter(flag_in_force(at=NOW), among("contact", IDS))
    return visible(flags, user, "contact-flags").values_list("contact", "flag_type")


@prepared
def _addresses(user: Any) -> QuerySet:
    contacts = visible(Contact.objects.filter(among("pk", IDS)), user, "contacts")
    return contacts.values_list("pk", "address", "city", "state", "postal_code")


@prepared
def _phones() -> QuerySet:
    return ContactPhone.objects.filter(among("contact", IDS)).order_by("id").values_list("contact", "phone")


@prepared
def _users() -> QuerySet:
    return User.objects.filter(among("pk", IDS)).values_list("pk", "first_name", "last_name", "username")


@prepared
def _phone_lines() -> QuerySet:
    return PhoneLine.objects.filter(among("pk", IDS)).values_list("pk", "name", "number", "provider_id")


@prepared
def _campaigns(user: Any) -> QuerySet:
    return visible(Campaign.objects.filter(among("pk", IDS)), user, "campaigns").values_list("pk", "name")


class ContactSummarySerializer(serializers.Serializer):
    """A contact in short, as a screen shows it in any row."""

    id = serializers.IntegerField()
    name = serializers.CharField(help_text="First and last name. Empty if only the number is known.")
    phone = serializers.CharField(help_text="Main number, E.164.")
    flags = serializers.ListField(
        child=serializers.ChoiceField(choices=FlagType.choices), help_text="Types of the flags in force, sorted."
    )
    opted_out = serializers.BooleanField(help_text="Whether an opt-out, even one under review, blocks messages.")


@extend_schema_field(ContactSummarySerializer)
class ContactSummaryField(Companion):
    """The contact of a row. Null for a row without one. Who may see a row may see its contact."""

    follows_key = True

    def __init__(self, key: str = "contact") -> None:
        super().__init__(key, help_text="The row's contact in short.")

    def bind(self, field_name: str, parent: Any) -> None:
        super().bind(field_name, parent)
        if self.allow_null:
            self.help_text = "The row's contact in short. Null: the row has no contact."

    def value_without(self, key: Any) -> Any:
        return None if self.allow_null else {"id": key, "name": "", "phone": "", "flags": [], "opted_out": False}

    def load(self, keys: set[int], user: User) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for pk, first, last, phone, flag in _contacts_and_flags(user, ids=keys):
            contact = found.setdefault(
                pk, {"id": pk, "name": name_of_contact(first, last), "phone": phone, "flags": []}
            )
            if flag and flag not in contact["flags"]:
                contact["flags"].append(flag)
        for contact in found.values():
            contact["flags"].sort()
            contact["opted_out"] = FlagType.OPTED_OUT in contact["flags"]
        return found


@extend_schema_field(ContactSummarySerializer().fields["flags"])
class FlagsField(Companion):
    """The types of a contact's flags in force."""

    missing: ClassVar[Any] = []

    def __init__(self, key: str = "id") -> None:
        super().__init__(key, help_text="Types of the flags in force, sorted.")

    def load(self, keys: set[int], user: User) -> dict[int, list[str]]:
        found: dict[int, set[str]] = {}
        for contact, flag_type in _flags(user, ids=keys):
            found.setdefault(contact, set()).add(flag_type)
        return {contact: sorted(types) for contact, types in found.items()}


@extend_schema_field(ContactSummarySerializer().fields["opted_out"])
class OptedOutField(FlagsField):
    """Presence of an opt-out of a contact."""

    missing: ClassVar[Any] = False

    def __init__(self, key: str = "id") -> None:
        Companion.__init__(self, key, help_text="Whether an opt-out, even one under review, blocks messages.")

    def value_of(self, loaded: list[str]) -> bool:
        return FlagType.OPTED_OUT in loaded


@extend_schema_field(str)
class AddressField(Companion):
    """The address of a contact in one line."""

    missing = ""

    def __init__(self, key: str = "contact") -> None:
        super().__init__(key, help_text="The contact's address in one line. Empty if it is unknown.")

    def load(self, keys: set[int], user: User) -> dict[int, str]:
        return {
            pk: ", ".join(filter(None, [address, city, f"{state} {postal_code}".strip()]))
            for pk, address, city, state, postal_code in _addresses(user, ids=keys)
        }


@extend_schema_field(serializers.ListField(child=serializers.CharField()))
class PhonesField(Companion):
    """The numbers of a contact, in the order in which they were added."""

    missing: ClassVar[list[str]] = []

    def load(self, keys: set[int], user: User) -> dict[int, list[str]]:
        phones: dict[int, list[str]] = {}
        for contact, phone in _phones(ids=keys):
            phones.setdefault(contact, []).append(phone)
        return phones


@extend_schema_field(str)
class UserNameField(Companion):
    """The name of a user of the company, who may have left it."""

    follows_key = True

    def __init__(self, key: str, *, help_text: str = "Name of the user. Users who have left keep it.") -> None:
        super().__init__(key, help_text=help_text)

    def value_without(self, key: Any) -> str | None:
        return None if self.allow_null else ""

    def load(self, keys: set[int], user: User) -> dict[int, str]:
        return {pk: name_of_user(*names) for pk, *names in _users(ids=keys)}


@extend_schema_field(str)
class PhoneLineNameField(Companion):
    """The name of a phone line."""

    follows_key = True

    def __init__(self, key: str = "phone_line") -> None:
        super().__init__(key, help_text="Name of the phone line; without one its number, else the provider's ID.")

    def value_without(self, key: Any) -> str | None:
        return None if self.allow_null else ""

    def load(self, keys: set[int], user: User) -> dict[int, str]:
        return {pk: name_of_line(*names) for pk, *names in _phone_lines(ids=keys)}


@extend_schema_field(str)
class CampaignNameField(Companion):
    """The name of a campaign."""

    follows_key = True

    def __init__(self, key: str = "campaign") -> None:
        super().__init__(key, help_text="Name of the campaign.")

    def value_without(self, key: Any) -> str | None:
        return None if self.allow_null else ""

    def load(self, keys: set[int], user: User) -> dict[int, str]:
        return dict(_campaigns(user, ids=keys))
