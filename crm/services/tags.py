"""Tags of contacts."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from crm.contact_labels import MAX_TAG_LENGTH, SEPARATOR, InvalidValue, clean_label, label_key, parse_text
from crm.models import Contact, ContactTag, Tag, User
from crm.services.label_deletion import check_confirmed, check_no_segment_names

CHUNK = 5000  # contacts in one statement


def parse_tag(text: Any) -> str:
    """Return the name of a tag. Raises InvalidValue."""
    name = clean_label(parse_text(text))
    if len(name) > MAX_TAG_LENGTH:
        raise InvalidValue(f"Must have at most {MAX_TAG_LENGTH} characters.")
    if SEPARATOR in name:
        raise InvalidValue("Must not contain a comma: it separates tags.")
    return name


def ensure_tags(*, company_id: int, names: Iterable[str]) -> dict[str, int]:
    """Return the id of each tag by the key of its name. Tags that the company doesn't have yet are created."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(label_key(name), clean_label(name))  # the first spelling
    present = _ids_by_key(wanted)
    if missing := wanted.keys() - present.keys():
        Tag.objects.bulk_create(
            [Tag(company_id=company_id, name=wanted[key], name_key=key) for key in sorted(missing)],
            ignore_conflicts=True,  # created at the same moment by somebody else
        )
        present = _ids_by_key(wanted)
    return present


def add_tags(*, company_id: int, contact_ids: Iterable[int], names: Iterable[str], user: User | None = None) -> int:
    """Add tags to contacts of the company. Returns how many contacts got one that they didn't have."""
    texts = list(names)
    return tag_contacts(company_id=company_id, names=dict.fromkeys(contact_ids, texts), user=user)


def tag_contacts(*, company_id: int, names: Mapping[int, Iterable[str]], user: User | None = None) -> int:
    """Add to each contact its own tags. Returns how many contacts got one that they didn't have.

    Args:
        names: names of tags by the contact's id. All contacts are of the company.
    """
    texts = {contact: list(its_names) for contact, its_names in names.items()}
    with transaction.atomic():
        tags = ensure_tags(company_id=company_id, names=[name for each in texts.values() for name in each])
        added: set[int] = set()
        contacts = sorted(texts)
        for start in range(0, len(contacts), CHUNK):
            chunk = contacts[start : start + CHUNK]
            present = ContactTag.objects.filter(contact__in=chunk, tag__in=tags.values())
            missing = {(contact, tags[label_key(name)]) for contact in chunk for name in texts[contact]}
            missing -= set(present.values_list("contact", "tag"))
            ContactTag.objects.bulk_create(
                [
                    ContactTag(company_id=company_id, contact_id=contact, tag_id=tag, created_by=user)
                    for contact, tag in sorted(missing)
                ],
                ignore_conflicts=True,
            )
            added |= {contact for contact, _ in missing}
    return len(added)


def replace_tags(*, contact: Contact, names: Iterable[str], user: User | None = None) -> None:
    """Give a contact exactly these tags."""
    texts = list(names)
    with transaction.atomic():
        add_tags(company_id=contact.company_id, contact_ids=[contact.pk], names=texts, user=user)
        kept = {label_key(name) for name in texts}
        ContactTag.objects.filter(contact=contact.pk).exclude(tag__name_key__in=kept).delete()


def names_of_tags(contact_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the names of the tags of each contact that has any, in alphabetical order."""
    names: dict[int, list[str]] = {}
    rows = ContactTag.objects.filter(contact__in=contact_ids).order_by("tag__name_key")
    for contact, name in rows.values_list("contact", "tag__name"):
        names.setdefault(contact, []).append(name)
    return names


def delete_tag(*, tag: Tag, confirmed: bool) -> None:
    """Delete a tag, and take it from all contacts.

    Raises:
        ConfirmNeeded: contacts have it, and the person wasn't asked.
        NamedBySegment: a segment chooses contacts by it.
    """
    with transaction.atomic():
        check_no_segment_names(tag, node="tag", part="ids", value=tag.pk)
        check_confirmed(tag, contacts=ContactTag.objects.filter(tag=tag).count(), confirmed=confirmed)
        ContactTag.objects.filter(tag=tag).delete()
        tag.delete()


def _ids_by_key(keys: Iterable[str]) -> dict[str, int]:
    return dict(Tag.objects.filter(name_key__in=list(keys)).values_list("name_key", "pk"))
