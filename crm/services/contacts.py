"""Contacts and their numbers, written together because `contacts.phone` repeats a row of `contact_phones`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.choices import FlagType, MembershipStatus, OptOutState
from crm.contact_querysets import AddedNumber
from crm.db.bulk import among
from crm.db.tenancy import tenant
from crm.error_codes import ErrorCode
from crm.models import Contact, ContactFlag, ContactPhone, OptOut, PhoneLine, SuppressedNumber
from crm.models.audit import hash_number
from crm.querysets import ContactFlagQuerySet
from crm.refusals import Refusal
from crm.refused_writes import is_refused_by
from crm.services.opt_outs import sync_opt_out_flags

PROVIDER_SOURCE = "provider"  # of flags that follow from a provider's errors
UNIQUE_NUMBERS = ("contacts_company_id_phone_unique", "contact_phones_company_id_phone_unique")


class NumberRefused(Refusal):
    """The contact can't have this number."""

    attr = "phone"


class PhoneTaken(NumberRefused):
    """The number belongs to another contact of the company."""

    code = ErrorCode.UNIQUE

    def __init__(self, phone: str, owner: Contact | None = None) -> None:
        super().__init__("Another contact has this number.")
        self.existing = ("contacts", owner) if owner else None


class OwnNumber(NumberRefused):
    """The number is one of the company's phone lines."""

    code = ErrorCode.OWN_NUMBER

    def __init__(self, phone: str) -> None:
        super().__init__(f"{phone} is one of your own phone lines; enter the contact's own number.")


def check_number_is_outside(*, company_id: int, phone: str) -> None:
    """Raise OwnNumber for the number of a phone line of the company."""
    if PhoneLine.objects.filter(company=company_id, number=phone).exists():
        raise OwnNumber(phone)


def create_contact(*, company_id: int, phone: str, **fields: Any) -> Contact:
    """Create a contact with its main number, E.164. Raises NumberRefused."""
    return save_contact(contact=Contact(company_id=company_id, phone=phone, **fields))


def save_contact(*, contact: Contact, update_fields: Iterable[str] | None = None) -> Contact:
    """Save a new or changed contact, or only some of its fields, and add its main number to its numbers.

    A contact keeps a number that became a phone line later.

    Raises:
        NumberRefused: the number belongs to another contact, or is a phone line of the company. Nothing is changed.
    """
    try:
        with transaction.atomic():
            is_new = contact.pk is None
            has_other_number = not is_new and _has_other_number(contact)
            if is_new or has_other_number:
                check_number_is_outside(company_id=contact.company_id, phone=contact.phone)
            if has_other_number:
                end_invalid_number(contact=contact, before=timezone.now())  # the flag was about the former number
            contact.save(update_fields=update_fields)
            number: dict[str, Any] = {"company_id": contact.company_id, "contact": contact, "phone": contact.phone}
            if is_new:
                ContactPhone.objects.create(**number)
            else:
                ContactPhone.objects.get_or_create(**number)
    except IntegrityError as error:
        if is_refused_by(error, *UNIQUE_NUMBERS):
            raise PhoneTaken(contact.phone, owner_of(company_id=contact.company_id, phone=contact.phone)) from error
        raise
    return contact


def _has_other_number(contact: Contact) -> bool:
    return Contact.objects.filter(pk=contact.pk).exclude(phone=contact.phone).exists()


def find_contact(*, phone: str) -> Contact | None:
    """Return the contact that owns this number, E.164."""
    number = ContactPhone.objects.filter(phone=phone).select_related("contact").first()
    return number.contact if number else None


def owner_of(*, company_id: int, phone: str) -> Contact | None:
    """Return the contact with this number, E.164, even if a program wrote it without a row of contact_phones."""
    number = ContactPhone.objects.filter(company=company_id, phone=phone).select_related("contact").first()
    return number.contact if number else Contact.objects.filter(company=company_id, phone=phone).first()


def get_or_create_contact(*, company_id: int, phone: str) -> Contact:
    """Return the contact that owns this number, E.164. Create one without a name if there is none.

    Several workers may process a new caller at the same instant. The unique number lets one of them create the contact,
    and the others find it.
    """
    owner = find_contact(phone=phone)
    if owner is None:
        try:
            return create_contact(company_id=company_id, phone=phone)
        except PhoneTaken:
            # Another worker was faster, or a program that doesn't know contact_phones wrote the contact alone.
            owner = find_contact(phone=phone) or save_contact(contact=Contact.objects.get(phone=phone))
    return owner


def name_contact(*, contact: Contact, name: str) -> None:
    """Set the name of a contact that has none; the first word is the first name."""
    first, _, last = " ".join(name.split()).partition(" ")
    nameless = Contact.objects.filter(pk=contact.pk, first_name="", last_name="")
    nameless.update(first_name=first[:100], last_name=last[:100])


def end_invalid_number(*, contact: Contact, before: datetime) -> None:
    """End flags of an invalid number that a provider's errors have set, and whose message isn't newer than `before`."""
    contact.flags.in_force().filter(
        flag_type=FlagType.INVALID_NUMBER, source=PROVIDER_SOURCE, created_at__lte=before
    ).update(expires_at=timezone.now())


def suppress_numbers(*, contact: Contact) -> None:
    """Store hashes of the contact's numbers if it has a do-not-contact flag, so that the flag outlives it.

    Opt-outs don't need this: they belong to numbers, not to contacts.
    """
    if contact.flags.in_force().filter(flag_type=FlagType.DO_NOT_CONTACT).exists():
        SuppressedNumber.objects.bulk_create(
            [
                SuppressedNumber(company_id=contact.company_id, number_hash=hash_number(phone))
                for phone in contact.phones.values_list("phone", flat=True)
            ],
            ignore_conflicts=True,
        )


def delete_contact(*, contact: Contact) -> None:
    """Delete a contact without a history. Raises ProtectedError for a contact with any."""
    with transaction.atomic():
        contact.campaign_memberships.filter(status=MembershipStatus.PENDING).delete()
        contact.delete()


# Numbers are removed, moved and added by staff, imports, erasures and cascades. Each way must keep a do-not-contact
# flag, so these are called by the signals of ContactPhone. Saving and deleting need no active tenant, nor do these.
# Triggers can't do it: the hash of a number needs PRIVACY_KEY, which the database must not know. So the SQL of other
# programs bypasses this.


def suppress_removed_number(*, instance: ContactPhone, **_signal: Any) -> None:
    """Store the hash of a number that its contact loses, if the contact must not be contacted."""
    flags: Any = ContactFlagQuerySet(ContactFlag).in_force()
    if flags.filter(contact=instance.contact_id, flag_type=FlagType.DO_NOT_CONTACT).exists():
        SuppressedNumber._base_manager.bulk_create(
            [SuppressedNumber(company_id=instance.company_id, number_hash=hash_number(instance.phone))],
            ignore_conflicts=True,
        )


def suppress_moved_number(*, instance: ContactPhone, **_signal: Any) -> None:
    """Store the hash of a number that its contact loses to another one, before it is saved."""
    before = ContactPhone._base_manager.filter(pk=instance.pk).first() if instance.pk else None
    _compare_owners(before, instance)


def restore_flags_of_added(*, rows: list[ContactPhone | AddedNumber], **_signal: Any) -> None:
    """Give the owners of numbers that a query added the flags that the numbers had before."""
    known: set[str] = set()
    hashes = {row.phone: hash_number(row.phone) for row in rows}
    for model in (SuppressedNumber, OptOut):
        found = model._base_manager.filter(among("number_hash", hashes.values()))
        known.update(found.values_list("number_hash", flat=True))
    wanted = {(row.company_id, row.contact_id, row.phone) for row in rows if hashes[row.phone] in known}
    if not wanted:
        return
    stored = ContactPhone._base_manager.filter(among("phone", {phone for _, _, phone in wanted}))
    for row in stored.order_by("pk"):
        if (row.company_id, row.contact_id, row.phone) in wanted:
            row.has_new_owner = True
            restore_flags(instance=row)


def follow_moved_number(*, before: ContactPhone, instance: ContactPhone, **_signal: Any) -> None:
    """Let the flags follow a number after a query has given its row another contact or number."""
    _compare_owners(before, instance)
    restore_flags(instance=instance)


def _compare_owners(before: ContactPhone | None, after: ContactPhone) -> None:
    """Note whether a number has a new owner, and store its hash if it must not be contacted."""
    after.has_new_owner = before is None or (before.contact_id, before.phone) != (after.contact_id, after.phone)
    if before is not None and after.has_new_owner:
        suppress_removed_number(instance=before)


def restore_flags(*, instance: ContactPhone, **_signal: Any) -> None:
    """Give the owner of a new number the flags that the number had with its earlier owner.

    The stored hash stays: a message to a person who refused contact is worse than another question.
    """
    if not instance.has_new_owner:
        return
    same_number = {"company": instance.company_id, "number_hash": hash_number(instance.phone)}
    if SuppressedNumber._base_manager.filter(**same_number).exists():
        ContactFlag._base_manager.get_or_create(
            company_id=instance.company_id,
            contact_id=instance.contact_id,
            flag_type=FlagType.DO_NOT_CONTACT,
            expires_at=None,
            defaults={"reason": "It was in force for an earlier contact with this number.", "source": "number"},
        )
    # Locked, so that an opt-out which is being recorded is seen. The caller may have begun no transaction.
    with transaction.atomic(savepoint=False):
        opt_outs = OptOut._base_manager.select_for_update().filter(**same_number)
        if opt_outs.exclude(state=OptOutState.CLEAR).first():
            with tenant(instance.company_id):
                sync_opt_out_flags(contact=instance.contact)


def update_contact(*, contact: Contact, **fields: Any) -> Contact:
    """Change fields of a contact. A new main number is added to its numbers; the old one stays.

    Raises:
        NumberRefused: as in `save_contact`. Nothing is changed.
    """
    for name, value in fields.items():
        setattr(contact, name, value)
    return save_contact(contact=contact, update_fields=[*fields])
