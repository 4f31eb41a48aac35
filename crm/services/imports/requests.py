"""Requests of users: a file is looked at, mapped and queued as an import."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.choices import ImportState
from crm.contact_labels import InvalidValue, clean_label
from crm.error_codes import ErrorCode
from crm.models import Company, Contact, ContactList, Import, StoredFile, User
from crm.refusals import Refusal
from crm.services.background_tasks.requests import begin_task
from crm.services.contact_fields import fields_by_key
from crm.services.exports.headers import CREATED_AT, FLAGS, ID
from crm.services.imports.planning import WRITTEN
from crm.services.imports.reading.faults import UnreadableFile
from crm.services.imports.reading.files import Table, open_table
from crm.services.imports.reading.headers import fingerprint_of, key_of
from crm.services.imports.reading.mapping import CustomField, InvalidMapping, Mapping, validate_mapping
from crm.services.imports.reading.suggestions import Choice, choose_mapping
from crm.services.imports.rejected_rows import REASON_COLUMN
from crm.services.imports.steps import IMPORT, FileRefused
from crm.services.merging.tombstones import find_kept
from crm.services.stored_files import parts_of, store_file
from crm.services.tags import parse_tag

OF_ANOTHER_COMPANY = (
    "This looks like another company's list: most of its IDs are no contacts of this company. Check the company."
)
MAX_LIST_NAME = 200
MAX_ID_DIGITS = 18  # they fit the column


class MappingRefused(Refusal):
    """The mapping can't be used. `columns` has a sentence for each wrong column."""

    code, attr = ErrorCode.INVALID_MAPPING, "mapping"

    def __init__(self, error: InvalidMapping) -> None:
        super().__init__(str(error))
        self.columns = error.errors

    def facts(self) -> dict[str, Any]:
        return {"columns": self.columns}


class MappingNeeded(Refusal):
    """Nobody has said where the columns go. `suggestions` has the likeliest mapping, for a person to confirm."""

    code, attr = ErrorCode.MAPPING_NEEDED, "mapping"

    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.choice = choice

    def facts(self) -> dict[str, Any]:
        return {"suggestions": self.choice.mapping.to_json()}


@dataclass(frozen=True)
class Options:
    """Choices of a person beside the mapping."""

    overwrite: Sequence[str] = ()
    tags: Sequence[str] = ()
    list_name: str = ""
    consent_wording: str = ""


@dataclass(frozen=True)
class Upload:
    """A file on this machine that a user has sent."""

    path: Path
    name: str
    table: Table
    known_fields: dict[str, CustomField] = field(default_factory=dict)

    @property
    def header(self) -> list[str]:
        """The columns, without that of the reasons in a file of rejected rows."""
        return [name for name in self.table.header if key_of(name) != key_of(REASON_COLUMN)]


def open_upload(*, path: Path, name: str) -> Upload:
    """Look at a file. Raises FileRefused for one that isn't a table."""
    try:
        table = open_table(path, name)
    except UnreadableFile as error:
        raise FileRefused(error.detail) from error
    known = {
        key: CustomField(each.label, each.field_type, tuple(each.options)) for key, each in fields_by_key().items()
    }
    return Upload(path, name, table, known)


def is_of_another_company(*, upload: Upload) -> bool:
    """Return whether it looks like another company's export: most of its first IDs are no contacts of this one."""
    keys = [key_of(name) for name in upload.table.header]
    if not {key_of(ID), key_of(FLAGS), key_of(CREATED_AT)} <= {*keys}:
        return False
    place = keys.index(key_of(ID))
    cells = (row[place].strip() for row in upload.table.sample() if len(row) > place)
    ids = {int(cell) for cell in cells if cell.isascii() and cell.isdecimal() and len(cell) < MAX_ID_DIGITS}
    known = set(Contact.objects.filter(pk__in=ids).values_list("pk", flat=True)) | find_kept(ids).keys()
    return len(known) * 2 < len(ids)


def suggest_mapping(*, upload: Upload, preset: str = "") -> Choice:
    """Return the mapping that the company chose for such a file before, that of a preset, or the likeliest one."""
    try:
        return choose_mapping(
            upload.header,
            known_fields=upload.known_fields,
            remembered=_last_mapping,
            sample=upload.table.sample(),
            preset=preset,
        )
    except InvalidMapping as error:
        raise MappingRefused(error) from error


def begin_import(
    *,
    company: Company,
    upload: Upload,
    user: User | None,
    mapping: Any = None,
    preset: str = "",
    options: Options | None = None,
    dry_run: bool = False,
    file: StoredFile | None = None,
) -> Import:
    """Store a file, unless it is stored already, and queue its import.

    Args:
        mapping: JSON of a `Mapping`, as a person has confirmed it. Empty: a preset's, or that of the last such file.

    Raises:
        MappingRefused: columns go where they can't.
        MappingNeeded: it is no known kind of file, and there is no mapping.
    """
    options = options or Options()
    chosen = _choose(upload, mapping, preset)
    _check_overwrite(options.overwrite)
    tags = _parse_tags(options.tags)
    with transaction.atomic(), upload.path.open("rb") as stream:
        file = file or store_file(
            company_id=company.pk, name=upload.name, content_type="application/octet-stream", parts=parts_of(stream),
            user=user,
        )  # fmt: skip
        made, is_new = (None, False) if dry_run else _make_list(company, options.list_name, upload.name, user)
        return Import.objects.create(
            company=company,
            name=file.name,
            file=file,
            header=upload.table.header,
            header_key=fingerprint_of(upload.header),
            mapping=chosen.to_json(),
            options={
                "overwrite": [*options.overwrite],
                "tags": tags,
                "consent_wording": options.consent_wording,
                "list_name": options.list_name,
                "made_list": is_new,
            },
            dry_run=dry_run,
            warning=OF_ANOTHER_COMPANY if is_of_another_company(upload=upload) else "",
            list=made,
            created_by=user,
            task=begin_task(company_id=company.pk, kind=IMPORT.name, user=user),
        )


def repeat_for_real(*, source: Import, user: User | None) -> Import:
    """Queue the import that a dry run has predicted."""
    with transaction.atomic():
        made, is_new = _make_list(source.company, source.options.get("list_name", ""), source.name, user)
        return Import.objects.create(
            company=source.company, name=source.name, file=source.file, header=source.header,
            header_key=source.header_key, mapping=source.mapping, options=source.options | {"made_list": is_new},
            warning=source.warning, list=made, created_by=user,
            task=begin_task(company_id=source.company_id, kind=IMPORT.name, user=user),
        )  # fmt: skip


def _choose(upload: Upload, given: Any, preset: str) -> Mapping:
    try:
        if given:
            mapping = Mapping.from_json(given)
            mapping = mapping if not mapping.columns else _respelled(mapping, upload)
        else:
            choice = suggest_mapping(upload=upload, preset=preset)
            if choice.needs_person:
                raise MappingNeeded(choice)
            mapping = choice.mapping.for_header(upload.table.header)
        return validate_mapping(mapping, upload.known_fields)
    except InvalidMapping as error:
        raise MappingRefused(error) from error


def _respelled(mapping: Mapping, upload: Upload) -> Mapping:
    """Return a person's mapping for the file. Raises InvalidMapping for a column that the file doesn't have."""
    known = set(map(key_of, upload.table.header))
    if missing := [name for name in mapping.columns if key_of(name) not in known]:
        raise InvalidMapping(dict.fromkeys(missing, "The file has no such column."))
    return mapping.for_header(upload.table.header)


def _check_overwrite(names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in WRITTEN and not name.startswith("field:")]:
        raise MappingRefused(InvalidMapping(dict.fromkeys(unknown, "It can't be overwritten.")))


def _parse_tags(names: Sequence[str]) -> list[str]:
    """Return the names of tags. Raises MappingRefused for one that no contact can have."""
    tags, errors = [], {}
    for name in filter(None, map(clean_label, names)):
        try:
            tags.append(parse_tag(name))
        except InvalidValue as error:
            errors[name] = str(error)
    if errors:
        raise MappingRefused(InvalidMapping(errors))
    return tags


def _last_mapping(header_key: str) -> Any:
    """Return the mapping of the last file with these columns."""
    used = Import.objects.filter(header_key=header_key).exclude(state=ImportState.FAILED).order_by("-pk")
    return used.values_list("mapping", flat=True).first()


def _make_list(company: Company, wanted: str, file_name: str, user: User | None) -> tuple[ContactList, bool]:
    """Return the list with the wanted name, else one with that of the file and the time; and whether it is new."""
    name = clean_label(wanted) or f"{clean_label(Path(file_name).stem)} {timezone.now():%Y-%m-%d %H:%M:%S}"
    return ContactList.objects.get_or_create(company=company, name=name[-MAX_LIST_NAME:], defaults={"created_by": user})
