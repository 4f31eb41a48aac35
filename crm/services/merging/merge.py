"""Merges of two contacts into one.

A merge and the writers of rows keep to an order of locks, so that none of them leaves a row behind:

0. The feeder of campaigns: it would queue a message for a membership that the merge deletes.
1. The numbers of both contacts, as webhook processing locks them: no event of these numbers is recorded meanwhile.
2. The opt-outs of these numbers, then both contacts by their ids. Rows of theirs can still be committed.
3. Their waiting messages by their ids: the outbox locks these first, and then deletes the activities of recalled ones.
4. The rows themselves, while they move: a worker that holds one commits first.
5. The gone contact, against new references. What was committed until then is moved, too; what comes later fails its
   foreign key, and its writer tries again and finds the kept contact.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from crm.db.advisory_locks import advisory_xact_locks
from crm.db.tenancy import current_company_id
from crm.error_codes import ErrorCode
from crm.models import (
    CampaignMembership,
    Contact,
    ContactFlag,
    ContactMerge,
    ContactPhone,
    MarketingConsent,
    OptOut,
    User,
)
from crm.models.audit import hash_number
from crm.phones import ERASED_NUMBER
from crm.refusals import Refusal
from crm.services.contact_fields import fields_by_key
from crm.services.conversations import OUTSIDE_NUMBER
from crm.services.merging.fields import CUSTOM, choose_custom, choose_values
from crm.services.merging.journal import Journal, dump, references_to, rows_of, stored_columns
from crm.services.merging.rules import at_end_of_merge, before_locking, before_moving, rules
from crm.services.merging.tombstones import AlreadyMerged, find_kept
from crm.services.opt_outs import sync_opt_out_flags


class NotMergeable(Refusal):
    """The two can't be merged."""

    code, attr = ErrorCode.NOT_ALLOWED, "other"


def merge_contacts(
    *, kept: Contact, gone: Contact, user: User | None, fields: Mapping[str, str] | None = None
) -> ContactMerge:
    """Merge two contacts of the active tenant: every row of `gone` becomes one of `kept`, and `gone` is deleted.

    Opt-outs and consents stay with their numbers, and the strictest of the flags holds.

    Args:
        fields: `kept`, `gone` or another value, by field; of a custom field, `field:KEY`, one of the two words. By
            default the kept contact's, its blank ones filled.

    Raises:
        NotMergeable: it is the same contact, or the person was erased.
        AlreadyMerged: somebody was faster.
        FieldRefused: there is no such field, or it can't have the value.
    """
    if kept.pk == gone.pk:
        raise NotMergeable("A contact can't be merged with itself.")
    with transaction.atomic():
        for lock_first in before_locking:
            lock_first(kept.company_id)
        kept, gone = lock_pair(kept.pk, gone.pk)
        if any(contact.phone.startswith(ERASED_NUMBER) for contact in (kept, gone)):
            raise NotMergeable("The person was erased. Merging would name the person again.")
        numbers = {*rows_of(ContactPhone).filter(contact__in=[kept.pk, gone.pk]).values_list("phone", flat=True)}
        values = choose_values(kept, gone, fields or {}, numbers=numbers | {kept.phone, gone.phone})
        custom = any(name.startswith(CUSTOM) for name in fields or {})
        journal = Journal(kept, gone, user, choose_custom(fields or {}, fields_by_key()) if custom else None)
        before: dict[str, Any] = {name: _dump_contact(contact) for name, contact in (("kept", kept), ("gone", gone))}
        for lock in before_moving:
            lock([kept.pk, gone.pk])
        _apply_rules(journal)
        rows_of(Contact).filter(pk=gone.pk)._raw_delete(connection.alias)
        _write(kept, values, before["kept"], journal)
        with journal.watching(ContactFlag, CampaignMembership):
            if gone.phone not in numbers:
                _add_main_number(gone.phone, journal)
            sync_opt_out_flags(contact=kept)
        # They seemed to be another contact's main numbers while they moved.
        rows_of(ContactPhone).filter(contact=kept.pk, is_main_elsewhere=True).update(is_main_elsewhere=False)
        if "phone" in values:
            link_consents(kept)
        for finish in at_end_of_merge:
            finish(journal)
        before |= {"changed": journal.changed, "deleted": journal.deleted, "added": journal.added}
        return ContactMerge.objects.create(
            company_id=kept.company_id,
            kept=kept,
            gone_id=gone.pk,
            fields=dict(fields or {}),
            moved=journal.moved,
            counts={table: len(ids) for table, ids in journal.moved.items()},
            replaced=journal.replaced,
            before=before,
            created_by=user,
        )


def lock_pair(kept_id: int, gone_id: int) -> tuple[Contact, Contact]:
    """Lock the numbers and opt-outs of two contacts, then the contacts. Raises AlreadyMerged, Contact.DoesNotExist."""
    ids = [kept_id, gone_id]
    phones = set(rows_of(ContactPhone).filter(contact__in=ids).values_list("phone", flat=True))
    lock_numbers(phones | set(Contact.objects.filter(pk__in=ids).values_list("phone", flat=True)))
    contacts = {row.pk: row for row in Contact.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")}
    for pk in ids:
        if pk not in contacts:
            if stands := find_kept([pk]):
                raise AlreadyMerged(gone_id=pk, kept_id=stands[pk])
            raise Contact.DoesNotExist
    return contacts[kept_id], contacts[gone_id]


def lock_numbers(phones: set[str]) -> None:
    """Let no webhook event of these numbers, and no opt-out of them, be recorded until the transaction ends."""
    advisory_xact_locks((OUTSIDE_NUMBER, current_company_id(), phone) for phone in phones)
    opt_outs = OptOut.objects.select_for_update().filter(number_hash__in=[hash_number(phone) for phone in phones])
    list(opt_outs.order_by("number_hash").values_list("pk"))


def _apply_rules(journal: Journal) -> None:
    """Move all rows, lock the gone contact against new ones, and move those that were committed meanwhile."""
    for model, rule in rules().items():
        rule.merge(model, journal)
    list(Contact.objects.select_for_update().filter(pk=journal.gone.pk).values_list("pk"))
    if _has_rows(journal.gone):
        for model, rule in rules().items():
            rule.merge(model, journal)


def _has_rows(contact: Contact) -> bool:
    """Return whether any row refers to the contact, with one statement."""
    references = references_to(Contact)
    found = " OR ".join(
        f"EXISTS (SELECT 1 FROM {relation.related_model._meta.db_table} WHERE {relation.field.column} = %s)"  # noqa: S608  # names of models
        for relation in references
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {found}", [contact.pk] * len(references))
        return bool(cursor.fetchone()[0])


def _write(kept: Contact, values: Mapping[str, str], before: Mapping[str, Any], journal: Journal) -> None:
    """Give the kept contact the chosen values; its search keys follow."""
    if values:
        for name, value in values.items():
            setattr(kept, name, value)
            journal.note_change(Contact, {name: [before[name], value]}, [kept.pk])
        kept.save(update_fields=list(values))


def _add_main_number(phone: str, journal: Journal) -> None:
    """Keep the gone contact's main number, which another program has written without a row of its own."""
    kept = journal.kept
    if not rows_of(ContactPhone).filter(company=kept.company_id, phone=phone).exists():
        number = ContactPhone.objects.create(company_id=kept.company_id, contact=kept, phone=phone)
        journal.note_added(ContactPhone, [number.pk])


def link_consents(*contacts: Contact) -> None:
    """Link valid consents to the contacts with these main numbers: audiences are counted by the link."""
    for contact in contacts:
        unlinked = rows_of(MarketingConsent).filter(company=contact.company_id, phone=contact.phone)
        unlinked.filter(main_contact_id=None, withdrawn_at=None).update(main_contact_id=contact.pk)


def _dump_contact(contact: Contact) -> dict[str, Any]:
    return {name: dump(getattr(contact, name)) for name in stored_columns(Contact)}
