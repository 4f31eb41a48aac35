"""Undoing of a merge: what is still where the merge put it goes back, and the rest is named."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from crm.choices import FlagType
from crm.contact_querysets import search_keys
from crm.error_codes import ErrorCode
from crm.models import Activity, Contact, ContactFlag, ContactMerge, ContactPhone, Conversation, User
from crm.refusals import Refusal
from crm.services.merging.journal import UNSEEN, dump_rows, load, model_of, rows_of, stored_columns
from crm.services.merging.merge import link_consents, lock_numbers
from crm.services.merging.rules import at_end_of_undoing, before_locking, before_moving, rules
from crm.services.opt_outs import sync_opt_out_flags

UNDO_WITHIN = timedelta(days=30)
MAX_FORGOTTEN = 500  # merges in one run of the worker: each may have the rows of a long history


class NotUndoable(Refusal):
    """The merge can't be undone."""


class NewerMerge(NotUndoable):
    """A newer merge of the kept contact must be undone first."""

    code = ErrorCode.NEWER_MERGE

    def __init__(self, merge_id: int) -> None:
        self.merge_id = merge_id
        super().__init__()

    def facts(self) -> dict[str, Any]:
        return {"merge": self.merge_id}


@dataclass
class Undoing:
    """An undoing in progress, and its result."""

    merge: ContactMerge
    kept: Contact
    gone: Contact
    numbers: set[str] = field(default_factory=set)
    """The numbers that went back to the gone contact."""
    restored: dict[str, int] = field(default_factory=dict)
    """Number of rows that went back, by table."""
    followed: dict[str, int] = field(default_factory=dict)
    """Number of rows since the merge that belong to these numbers, by table."""
    not_restored: list[dict[str, Any]] = field(default_factory=list)

    def leave(self, table: str, ids: list[int], reason: str, **more: Any) -> None:
        if ids:
            self.not_restored.append({"table": table, "ids": ids, "reason": reason, **more})


def undo_merge(*, merge: ContactMerge, user: User | None) -> Undoing:
    """Undo a merge of the active tenant. Returns what was restored, and what wasn't.

    Calls and messages since the merge go to the contact that has their number again. Other rows since then stay with
    the kept contact. A do-not-contact flag since then holds for both.

    Raises:
        NotUndoable: it is undone already, older than UNDO_WITHIN, or the person was erased.
        NewerMerge: the kept contact was merged again since.
    """
    with transaction.atomic():
        merge, kept = _lock(merge)
        for lock in before_moving:
            lock([kept.pk])
        undoing = Undoing(merge, kept, _find_gone(merge, kept))
        _restore_contacts(undoing)
        for table, ids in merge.moved.items():
            _move_back(undoing, table, ids)
        _delete_added(undoing)
        for table, rows in merge.before["deleted"].items():
            _insert_again(undoing, table, rows)
        for change in reversed(merge.before["changed"]):
            if change["table"] != Contact._meta.db_table:
                _change_back(undoing, change)
        search_keys().write([undoing.gone])
        for finish in at_end_of_undoing:
            finish(undoing)
        rehome_activities(undoing)
        _copy_flags(undoing)
        link_consents(undoing.kept, undoing.gone)
        for contact in sorted((undoing.kept, undoing.gone), key=lambda contact: contact.pk):
            sync_opt_out_flags(contact=contact)
        merge.undone_at, merge.undone_by, merge.not_restored = timezone.now(), user, undoing.not_restored
        merge.save(update_fields=["undone_at", "undone_by", "not_restored"])
        return undoing


def forget_expired_merges() -> None:
    """Empty what merges keep of both contacts, once they can't be undone any more: some of them each time."""
    expired = ContactMerge.objects.exclude(before={}).filter(created_at__lt=timezone.now() - UNDO_WITHIN)
    some = list(expired.order_by("created_at").values_list("pk", flat=True)[:MAX_FORGOTTEN])
    ContactMerge.objects.filter(pk__in=some).update(before={})


def _lock(merge: ContactMerge) -> tuple[ContactMerge, Contact]:
    """Lock the numbers, the kept contact and the merge, as another merge or undoing has left them."""
    for lock_first in before_locking:
        lock_first(merge.company_id)
    phones = {row["phone"] for row in (merge.before.get("kept"), merge.before.get("gone")) if row}
    moved = merge.moved.get(ContactPhone._meta.db_table, [])
    lock_numbers(phones | set(rows_of(ContactPhone).filter(pk__in=moved).values_list("phone", flat=True)))
    present = ContactMerge.objects.filter(pk=merge.pk).first()
    if present is None:  # deleted with its contact at this moment
        raise NotUndoable(code=ErrorCode.UNDO_EXPIRED)
    _check(present)
    kept = Contact.objects.select_for_update(no_key=True).get(pk=present.kept_id)
    locked = ContactMerge.objects.select_for_update().get(pk=merge.pk)
    _check(locked)
    return locked, kept


def _check(merge: ContactMerge) -> None:
    if merge.undone_at is not None:
        raise NotUndoable(code=ErrorCode.MERGE_UNDONE)
    if not merge.before or timezone.now() > merge.created_at + UNDO_WITHIN:
        raise NotUndoable(code=ErrorCode.UNDO_EXPIRED)
    kept_then = merge.before["kept"]["id"]
    newer = ContactMerge.objects.in_force().filter(pk__gt=merge.pk)
    newer = newer.filter(models.Q(kept=merge.kept_id) | models.Q(gone_id=kept_then))
    if latest := newer.order_by("-pk").values_list("pk", flat=True).first():
        raise NewerMerge(latest)


def _find_gone(merge: ContactMerge, kept: Contact) -> Contact:
    """Return the gone contact as it will be again: with its main number, or another that is still there."""
    row = merge.before["gone"]
    gone = Contact(**{name: load(Contact, name, row[name]) for name in stored_columns(Contact) if name in row})
    moved = merge.moved.get(ContactPhone._meta.db_table, [])
    numbers = list(
        rows_of(ContactPhone).filter(pk__in=moved, contact=kept.pk).order_by("pk").values_list("phone", flat=True)
    )
    if gone.phone in numbers:
        return gone
    owners = rows_of(ContactPhone).filter(company=kept.company_id, phone=gone.phone)
    is_free = not owners.exclude(contact=kept.pk).exists() if _was_alone(merge) else not (numbers or owners.exists())
    if not is_free:
        if not numbers:
            raise NotUndoable(code=ErrorCode.NO_NUMBER_LEFT)
        gone.phone = numbers[0]
    return gone


def _was_alone(merge: ContactMerge) -> bool:
    """Return whether another program had written the gone contact without a row of its main number."""
    added = merge.before["added"].get(ContactPhone._meta.db_table, [])
    return merge.before["gone"]["phone"] in {row["phone"] for row in added}


def _restore_contacts(undoing: Undoing) -> None:
    """Give the kept contact its values again, where nobody has changed them since, and insert the gone one."""
    kept, back = undoing.kept, set()
    for change in undoing.merge.before["changed"]:
        if change["table"] != Contact._meta.db_table:
            continue
        for name, (old, new) in change["columns"].items():
            if getattr(kept, name) == new:
                setattr(kept, name, old)
                back.add(name)
            else:
                undoing.leave("contacts", [kept.pk], "changed", columns=[name])
    moved = undoing.merge.moved.get(ContactPhone._meta.db_table, [])
    phones = rows_of(ContactPhone).filter(contact=kept.pk).order_by("pk")
    own = list(phones.exclude(pk__in=moved).values_list("phone", flat=True))
    leaving = set(phones.filter(pk__in=moved).values_list("phone", flat=True))
    had_it_then = kept.phone == undoing.merge.before["kept"]["phone"] and "phone" not in back
    if kept.phone not in own and ("phone" in back or kept.phone in leaving) and not had_it_then:
        if not own:
            raise NotUndoable(code=ErrorCode.NO_NUMBER_LEFT)
        kept.phone = own[0]  # its main number leaves, or was removed since
        back.add("phone")
    if back:
        kept.save(update_fields=sorted(back))
    undoing.gone.keyed_text = undoing.gone.searched_text
    rows_of(Contact).bulk_create([undoing.gone])
    undoing.numbers = leaving | {undoing.gone.phone}
    if undoing.gone.phone not in leaving and not _was_alone(undoing.merge):  # the number was removed since
        ContactPhone.objects.create(company_id=kept.company_id, contact=undoing.gone, phone=undoing.gone.phone)


def _move_back(undoing: Undoing, table: str, ids: list[int]) -> None:
    model = model_of(table)
    name = getattr(rules()[model], "field", "contact")
    there = rows_of(model).filter(pk__in=ids, **{name: undoing.kept.pk})
    found = set(there.values_list("pk", flat=True))
    there.update(**{name: undoing.gone.pk})
    undoing.restored[table] = len(found)
    _name_missing(undoing, model, sorted(set(ids) - found))


def _change_back(undoing: Undoing, change: dict[str, Any]) -> None:
    """Give rows their old values, those that still have all the values of the merge."""
    model, columns = model_of(change["table"]), change["columns"]
    if missing := [name for name, (old, _) in columns.items() if not _is_there(model, name, old)]:
        present = set(rows_of(model).filter(pk__in=change["ids"]).values_list("pk", flat=True))
        undoing.leave(model._meta.db_table, sorted(present), "reference", columns=missing)
        return
    same: dict[str, Any] = {}
    for name, (_, new) in columns.items():
        value = load(model, name, new)
        same |= {f"{name}__isnull": True} if value is None else {name: value}
    rows = rows_of(model).filter(pk__in=change["ids"], **same)
    found = set(rows.values_list("pk", flat=True))
    try:
        with transaction.atomic():
            values = {name: load(model, name, old) for name, (old, _) in columns.items()}
            rows_of(model).filter(pk__in=found).update(**values)
    except IntegrityError:  # such as a missed caller who was recovered, and has called in vain again since
        undoing.leave(model._meta.db_table, sorted(found), "taken", columns=sorted(columns))
    _name_missing(undoing, model, sorted(set(change["ids"]) - found), columns=sorted(columns))


def _name_missing(undoing: Undoing, model: type[models.Model], ids: list[int], **more: Any) -> None:
    if not ids:
        return
    present = set(rows_of(model).filter(pk__in=ids).values_list("pk", flat=True))
    undoing.leave(model._meta.db_table, sorted(present), "changed", **more)
    undoing.leave(model._meta.db_table, sorted(set(ids) - present), "deleted", **more)


def _delete_added(undoing: Undoing) -> None:
    """Delete rows that the merge has added, unless somebody has changed them since."""
    for table, added in undoing.merge.before["added"].items():
        model = model_of(table)
        present = {row["id"]: row for row in dump_rows(rows_of(model).filter(pk__in=[row["id"] for row in added]))}
        same = [row["id"] for row in added if _is_same(row, present.get(row["id"]))]
        rows_of(model).filter(pk__in=same)._raw_delete(connection.alias)
        _name_missing(undoing, model, sorted({row["id"] for row in added} - set(same)))


def _is_same(row: dict[str, Any], other: dict[str, Any] | None) -> bool:
    return other is not None and all(other.get(name) == value for name, value in row.items() if name not in UNSEEN)


def _insert_again(undoing: Undoing, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert deleted rows with their old ids, one by one if another row has taken the place of one."""
    model: Any = model_of(table)
    objects = [model(**{name: load(model, name, value) for name, value in row.items()}) for row in rows]
    objects = [row for row in objects if _has_references(undoing, row)]
    try:
        with transaction.atomic():
            rows_of(model).bulk_create(objects)
    except IntegrityError:
        for row in objects:
            try:
                with transaction.atomic():
                    rows_of(model).bulk_create([row])
            except IntegrityError:
                undoing.leave(table, [row.pk], "taken")


def _has_references(undoing: Undoing, row: models.Model) -> bool:
    """Return whether the rows to which this one must refer are still there. Other references are emptied."""
    missing = [
        column
        for column in row._meta.concrete_fields
        if not _is_there(type(row), column.attname, getattr(row, column.attname))
    ]
    undoing.leave(
        row._meta.db_table, [row.pk] if missing else [], "reference", columns=[column.attname for column in missing]
    )
    for column in missing:
        setattr(row, column.attname, None)
    return all(column.null for column in missing)


def _is_there(model: type[models.Model], attname: str, value: Any) -> bool:
    """Return whether the row to which this value of a column refers is there, if it refers to one."""
    column: Any = model._meta.get_field(attname)
    if not column.is_relation or value is None or column.name == "company":
        return True
    return bool(rows_of(column.related_model).filter(pk=value).exists())


def rehome_activities(undoing: Undoing) -> None:
    """Give activities a conversation of their own contact, where the two contacts' conversations were one.

    It is the contact's conversation with the same line. It is created if it is missing.
    """
    pair = [undoing.kept.pk, undoing.gone.pk]
    apart = rows_of(Activity).filter(contact__in=pair, conversation__contact__in=pair)
    apart = apart.exclude(contact=models.F("conversation__contact"))
    found = list(apart.order_by().values_list("pk", "contact", "conversation__phone_line", "created_at"))
    latest: dict[tuple[int, int], Any] = {}
    for _, contact, line, at in found:
        latest[contact, line] = max(at, latest.get((contact, line), at))
    for (contact, line), at in latest.items():
        conversation, created = Conversation.objects.get_or_create(
            company_id=undoing.kept.company_id,
            contact_id=contact,
            phone_line_id=line,
            defaults={"last_activity_at": at},
        )
        ids = [pk for pk, *key, _ in found if tuple(key) == (contact, line)]
        rows_of(Activity).filter(pk__in=ids).update(conversation=conversation.pk)
        if not created and at > conversation.last_activity_at:
            rows_of(Conversation).filter(pk=conversation.pk).update(last_activity_at=at)


def _copy_flags(undoing: Undoing) -> None:
    """Give the gone contact a do-not-contact flag that was set since: it was about either of the two."""
    flags = ContactFlag.objects.in_force().filter(flag_type=FlagType.DO_NOT_CONTACT)
    since = flags.filter(contact=undoing.kept, created_at__gt=undoing.merge.created_at).order_by("pk").last()
    if since and not flags.filter(contact=undoing.gone).exists():
        since.pk, since.contact = None, undoing.gone
        since.save(force_insert=True)
