"""Files and rows of imports, and exported files, that name a person."""

from collections.abc import Iterator
from re import Pattern

from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import Regex

from crm.models import ImportRow, StoredFile
from crm.services.imports.reading.faults import UnreadableFile
from crm.services.imports.reading.files import open_table
from crm.services.stored_files import file_on_disk
from ops.privacy.people import Person


def find_import_rows(person: Person) -> QuerySet[ImportRow]:
    """Return the rows of files that name a number of the person: rejected ones, too, and those that still wait.

    No index serves this: the database reads every row of the company's imports.
    """
    names = Q(Regex(Cast(F("cells"), TextField()), person.spellings.pattern))
    return ImportRow.objects.filter(names, company=person.company_id)


def erase_import_rows(person: Person) -> set[int]:
    """Empty the cells of these rows: the name and the address beside the number are the person's. Returns their ids.

    A row that still waits is then rejected by its import. What an undo needs of another contact stays, without the
    number.
    """
    found = set(find_import_rows(person).values_list("pk", flat=True))
    ImportRow.objects.filter(pk__in=found).update(cells=None, detail="")
    return found


def find_files(person: Person) -> Iterator[StoredFile]:
    """Yield the company's stored files that name the person: uploads of imports, and exported lists.

    A file is known by the rows that an import has stored of it, or else it is read. One that can't be read counts.
    """
    about = find_import_rows(person) | ImportRow.objects.filter(contact_id__in=person.contact_ids)
    known = set(about.order_by().values_list("source__file", flat=True).distinct())
    # Attachments belong to somebody, and are no lists.
    for file in StoredFile.objects.filter(company=person.company_id, attachment=None).order_by("pk"):
        if file.pk in known or _names(file, person.spellings):
            yield file


def _names(file: StoredFile, pattern: Pattern[str]) -> bool:
    with file_on_disk(file=file) as path:
        try:
            return any(pattern.search("\n".join(cells)) for _, cells in open_table(path, file.name).rows())
        except UnreadableFile:
            return True
