"""The background task `undo-import`: puts back what an import has written, contact by contact.

Each contact that the import has created or changed ends in one of three ways: *reversed*; *kept*, because somebody has
touched it since; *errored*, because it is gone. A contact is reversed as a whole or not at all.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, connection
from django.db.models import Count, ForeignObjectRel, ProtectedError, Q
from django.utils import timezone
from django.utils.text import capfirst

from crm.choices import FieldType, FlagType, ImportState, RowUndo
from crm.contact_querysets import SEARCHED_FIELDS, search_keys
from crm.db.audit_context import audit_disabled
from crm.db.bulk import among, analyze_changed, many_rows, update_rows
from crm.error_codes import ErrorCode
from crm.models import (
    BackgroundTask,
    Contact,
    ContactFieldValue,
    ContactFlag,
    ContactListEntry,
    ContactPhone,
    ContactSearchKey,
    ContactTag,
    Import,
    ImportRow,
    MarketingConsent,
    User,
)
from crm.models.contact_fields import COLUMNS
from crm.refusals import Refusal
from crm.services.background_tasks.kinds import Kind
from crm.services.background_tasks.requests import begin_task
from crm.services.background_tasks.runs import Run
from crm.services.contact_fields import fields_by_key, set_field_values, shown_value
from crm.services.contact_lists import delete_list
from crm.services.imports.planning import WRITTEN, Card, rows_about
from crm.services.imports.writing import update_columns
from crm.services.merging.tombstones import find_kept

LEASE_CONTACTS = 5_000
MAX_TRIES = 5
UNDOABLE_FOR = timedelta(days=30)
NEXT, FORMER_STATE = "worked_to", "former_state"
UNRECORDED: tuple[Any, ...] = (ContactFieldValue, ContactTag)  # of a new contact, as their inserts
# Rows of a contact that an import writes itself. Any other row that refers to the contact was added since.
OWN = (*UNRECORDED, ContactFlag, ContactListEntry, ContactPhone, ContactSearchKey)


_CHANGED = Q(after__isnull=False, undo="")


class NotUndoable(Refusal):
    """The import can't be undone in its present state."""

    code = ErrorCode.NOT_UNDOABLE


def begin_undo(*, source: Import, user: User | None) -> Import:
    """Queue the undo of an import. Raises NotUndoable."""
    locked = Import.objects.select_for_update(no_key=True).get(pk=source.pk)
    if locked.dry_run:
        raise NotUndoable("A dry run has changed nothing.")
    if locked.state not in (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED):
        raise NotUndoable(f"The import is {locked.get_state_display().lower()}.")
    if locked.created_at < timezone.now() - UNDOABLE_FOR:
        raise NotUndoable(f"An import can be undone for {UNDOABLE_FOR.days} days.")
    locked.task = begin_task(
        company_id=locked.company_id,
        kind=UNDO.name,
        user=user,
        parameters={FORMER_STATE: locked.state},
        total=_changed_rows(locked).count(),
    )
    locked.state = ImportState.UNDOING
    locked.save(update_fields=["task", "state"])
    return locked


def undo_steps(run: Run) -> Iterator[None]:
    """Undo an import by leases."""
    with run.step() as task:
        source = Import.objects.select_related("list").get(task=task)
        analyze_changed(Contact, *OWN)
    yield
    while _undo_next_contacts(run, source):
        yield
    with run.step():
        _remove_list(source)
        counts = Counter(dict(_counts_of(source)))
        Import.objects.filter(pk=source.pk).update(
            state=ImportState.UNDONE, **{outcome.value: counts[outcome] for outcome in RowUndo}
        )
    yield


def end_undo(task: BackgroundTask) -> None:
    """Let an undo that has failed or was cancelled be asked for again: it goes on where it has ended."""
    Import.objects.filter(task=task, state=ImportState.UNDOING).update(
        state=task.parameters.get(FORMER_STATE, ImportState.DONE)
    )


UNDO = Kind(name="undo-import", label="Undo of an import", steps=undo_steps, end=end_undo)


def _changed_rows(source: Import) -> Any:
    """Return the rows with which the import has changed something, and which no undo has dealt with."""
    return ImportRow.objects.filter(_CHANGED, source=source)


def _counts_of(source: Import) -> Any:
    """Return the number of contacts by outcome."""
    rows = ImportRow.objects.filter(source=source).exclude(undo="").order_by()
    return rows.values_list("undo").annotate(number=Count("contact_id", distinct=True))


def _undo_next_contacts(run: Run, source: Import) -> bool:
    """Undo some contacts. Returns False if none is left."""
    for number in range(1, MAX_TRIES + 1):
        try:
            with run.step() as task, many_rows():
                worked_to = task.parameters.get(NEXT, 0)
                left = _changed_rows(source).filter(n__gt=worked_to).order_by("n", "person")
                rows = list(left.values_list("n", "contact_id")[:LEASE_CONTACTS])
                if rows:
                    ids = {contact for _, contact in rows if contact is not None}
                    Lease(source, task.requested_by).undo(sorted(ids))
                    # Another person of the last row may be left.
                    task.parameters = {**task.parameters, NEXT: rows[-1][0] - 1}
                    task.done = min(task.total or 0, task.done + len(rows))
            return bool(rows)
        except (IntegrityError, OperationalError):
            if number == MAX_TRIES or not connection.is_usable():
                raise
    raise AssertionError


class Written:
    """Writes of all rows of an import to one contact."""

    def __init__(self) -> None:
        self.is_new = False
        self.columns: dict[str, str] = {}
        self.before: dict[str, str] = {}
        self.numbers: set[str] = set()
        self.tags: set[str] = set()
        self.flags: set[int] = set()
        self.consents: set[int] = set()
        self.values: dict[str, list[Any]] = {}  # before and after, by key
        self.opted_out = False

    def add(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Add a row; the rows come in the order of the file."""
        self.is_new |= after.get("new", False)
        self.columns |= after.get("columns", {})
        self.before = before | self.before
        self.numbers.update(after.get("numbers", ()))
        self.tags.update(after.get("tags", ()))
        self.flags.update(after.get("flags", ()))
        self.opted_out |= after.get("opted_out", False)
        if "consent" in after:
            self.consents.add(after["consent"])
        for key, (former, now) in after.get("values", {}).items():
            self.values[key] = [self.values.get(key, [former])[0], now]


class Lease:
    """The undo of some contacts, in the open transaction."""

    def __init__(self, source: Import, user: User | None) -> None:
        self.source, self.user = source, user
        self.written: dict[int, Written] = defaultdict(Written)
        self.outcomes: dict[int, tuple[RowUndo, str]] = {}

    def undo(self, ids: Sequence[int]) -> None:
        """Undo what the import has done to these contacts."""
        changed = rows_about(self.source, ids).filter(_CHANGED).order_by("n", "person")
        rows = list(changed.values_list("pk", "contact_id", "before", "after"))
        for _, contact, before, after in rows:
            self.written[contact].add(before or {}, after or {})
        locked = Contact.objects.select_for_update(no_key=True).filter(among("pk", ids)).order_by("pk")
        cards = locked.values_list("pk", "company_id", "phone", *WRITTEN)
        self.contacts = {values[0]: Card(*values) for values in cards}
        missing = [pk for pk in ids if pk not in self.contacts]
        merged = find_kept(missing)
        for pk in missing:
            gone = f"merged into contact {merged[pk]}" if pk in merged else "deleted"
            self.outcomes[pk] = (RowUndo.ERRORED, f"The contact was {gone} since.")
        self._read_present()
        self._find_touched()
        reversible = [pk for pk in ids if pk not in self.outcomes]
        self._delete([pk for pk in reversible if self.written[pk].is_new])
        self._restore([pk for pk in reversible if not self.written[pk].is_new])
        self.outcomes.update(dict.fromkeys(reversible, (RowUndo.REVERSED, "")))
        update_rows(ImportRow, ("undo", "undo_detail"), [(row[0], *self.outcomes[row[1]]) for row in rows])

    def _read_present(self) -> None:
        """Read what the contacts have now."""
        self.numbers: dict[int, set[str]] = defaultdict(set)
        self.tags: dict[int, set[str]] = defaultdict(set)
        self.flags: dict[int, set[int]] = defaultdict(set)
        of_contacts = among("contact", self.contacts)
        for contact, phone in ContactPhone.objects.filter(of_contacts).values_list("contact", "phone"):
            self.numbers[contact].add(phone)
        for contact, key in ContactTag.objects.filter(of_contacts).values_list("contact", "tag__name_key"):
            self.tags[contact].add(key)
        for contact, flag in ContactFlag.objects.filter(of_contacts).values_list("contact", "pk"):
            self.flags[contact].add(flag)
        self.values: dict[int, dict[str, Any]] = defaultdict(dict)
        columns = sorted(set(COLUMNS.values()))
        values = ContactFieldValue.objects.filter(of_contacts).values_list("contact", "field__key", *columns)
        for contact, key, *stored in values:
            value = next((each for each in stored if each is not None), None)  # one column is filled
            self.values[contact][key] = shown_value(value)

    def _find_touched(self) -> None:
        """Keep the contacts that somebody has touched since, with the names of what is different."""
        touched: dict[int, list[str]] = defaultdict(list)
        for pk, contact in self.contacts.items():
            written = self.written[pk]
            differing = [name for name, value in written.columns.items() if getattr(contact, name) != value]
            values = self.values.get(pk, {})
            differing += [key for key, (_, now) in written.values.items() if values.get(key) != now]
            if written.is_new:
                blank = [name for name in WRITTEN if name not in written.columns and getattr(contact, name)]
                added = [key for key in values if key not in written.values]
                differing += [*blank, *added]
                if self.numbers[pk] != written.numbers:
                    differing.append("numbers")
                if self.tags[pk] != written.tags:
                    differing.append("tags")
                if self.flags[pk] - written.flags:
                    differing.append("flags")
            elif contact.phone in written.numbers:
                differing.append("main number")
            touched[pk] += [name.replace("_", " ") for name in differing]
        for name, pks in self._related_rows():
            for pk in pks:
                touched[pk].append(name)
        for pk, names in touched.items():
            if names:
                self.outcomes[pk] = (RowUndo.KEPT, f"Changed since: {', '.join(dict.fromkeys(names))}.")

    def _related_rows(self) -> Iterator[tuple[str, set[int]]]:
        """Yield the kinds of rows that refer to new contacts, such as calls, each with the contacts."""
        new = [pk for pk in self.contacts if self.written[pk].is_new]
        for relation in Contact._meta.get_fields(include_hidden=True):
            if not isinstance(relation, ForeignObjectRel) or relation.related_model in OWN:
                continue
            model: Any = relation.related_model
            rows = model._base_manager.filter(among(relation.field.name, new)).order_by()
            if pks := set(rows.values_list(relation.field.name, flat=True)):
                yield capfirst(str(model._meta.verbose_name_plural)).lower(), pks
        entries = ContactListEntry.objects.filter(among("contact", new)).exclude(list=self.source.list_id)
        if pks := set(entries.values_list("contact", flat=True)):
            yield "lists", pks

    def _delete(self, ids: Sequence[int]) -> None:
        """Delete contacts that the import has created, with what it has given them. Nothing else refers to them."""
        self._withdraw_consents(ids)
        of_contacts, mains = among("contact", ids), [self.contacts[pk].phone for pk in ids]
        with audit_disabled():  # nobody has changed them, and their contact's deletion is recorded
            for model in UNRECORDED:
                _delete_rows(model.objects.filter(of_contacts))
            _delete_rows(ContactPhone.objects.filter(of_contacts, among("phone", mains)))
        for model in OWN:
            if model not in UNRECORDED:
                _delete_rows(model.objects.filter(of_contacts))
        _delete_rows(Contact.objects.filter(among("pk", ids)))

    def _restore(self, ids: Sequence[int]) -> None:
        """Give contacts back what they had before."""
        self._withdraw_consents(ids)
        changed, renamed = [], []
        for pk in ids:
            contact, before = self.contacts[pk], self.written[pk].before
            for name, value in before.items():
                setattr(contact, name, value)
            if SEARCHED_FIELDS.intersection(before):
                renamed.append(contact)
            if before:
                changed.append(contact)
        update_columns(changed)
        search_keys().write(renamed)
        _delete_rows(ContactFlag.objects.filter(among("pk", [flag for pk in ids for flag in self.written[pk].flags])))
        if added := {phone for pk in ids for phone in self.written[pk].numbers}:
            of_contacts = among("contact", ids)
            numbers = ContactPhone.objects.filter(of_contacts, among("phone", added))
            refusing = ContactFlag.objects.in_force().filter(of_contacts, flag_type=FlagType.DO_NOT_CONTACT)
            numbers.filter(contact__in=refusing.values("contact")).delete()  # the flag outlives the number
            _delete_rows(numbers)
        self._restore_tags(ids)
        fields = fields_by_key()
        values = {
            pk: {
                key: _as_stored(before, fields[key].field_type)
                for key, (before, _) in self.written[pk].values.items()
                if key in fields
            }
            for pk in ids
        }
        set_field_values(
            company_id=self.source.company_id, values={pk: each for pk, each in values.items() if each}, user=self.user
        )

    def _restore_tags(self, ids: Sequence[int]) -> None:
        wanted = {(pk, key) for pk in ids for key in self.written[pk].tags}
        tagged = [pk for pk in ids if self.written[pk].tags]
        rows = ContactTag.objects.filter(among("contact", tagged)).values_list("pk", "contact", "tag__name_key")
        _delete_rows(ContactTag.objects.filter(among("pk", [row for row, pk, key in rows if (pk, key) in wanted])))

    def _withdraw_consents(self, ids: Sequence[int]) -> None:
        """Delete the consents that the import has recorded. One that was withdrawn since is evidence, and stays."""
        consents = [consent for pk in ids for consent in self.written[pk].consents]
        _delete_rows(MarketingConsent.objects.filter(among("pk", consents), withdrawn_at__isnull=True))


def _delete_rows(rows: Any) -> None:
    """Delete rows by one statement. Django would read them first, and send a signal for each number.

    The signal keeps a do-not-contact flag for the number's next owner. Here there is none but the import's own.
    """
    rows._raw_delete(rows.db)


def _as_stored(value: Any, field_type: str) -> Any:
    return date.fromisoformat(value) if value is not None and field_type == FieldType.DATE else value


def _remove_list(source: Import) -> None:
    """Delete the import's list, unless somebody uses it since."""
    if source.list is None or not source.options.get("made_list"):
        return
    entries = ContactListEntry.objects.filter(list=source.list)
    _delete_rows(entries.filter(created_at__lte=source.ended_at or timezone.now()))
    if entries.exists():
        return
    with suppress(ProtectedError, Refusal):
        delete_list(contact_list=source.list, confirmed=True)
