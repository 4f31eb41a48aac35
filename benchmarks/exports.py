"""Chapter 12: exports of a company with many contacts."""

from typing import Any, NamedTuple

from rest_framework.test import APIClient

from benchmarks.audience_data import company_with_contacts
from benchmarks.database import execute
from benchmarks.environment import memory_in_use
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.timing import wall_ms
from crm.choices import Role
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants
from crm.models import User

MOST = 1_000_000
GOAL_ROWS = 50_000
TABLES = "contact_tags, contact_field_values, contact_flags"
ABOUT = f"""One company has {{contacts:,}} contacts, of whom each third has a tag and two custom fields, each
125th an office number: a request still writes a sheet of so many rows, more become a background task. The files are
read as a client reads them, in this process. The goal is for CSV files of {MOST:,} contacts, by `COPY`. Other lists,
and XLSX files, go through the same code as the pages of the API. Memory is what the process has more afterwards."""
_STATEMENTS = [
    """
    INSERT INTO tags (company_id, name, name_key, created_at) VALUES ({company}, 'VIP', 'vip', now())
    """,
    """
    INSERT INTO contact_tags (company_id, tag_id, contact_id, created_at)
    SELECT contacts.company_id, tags.id, contacts.id, now()
    FROM contacts JOIN tags ON tags.company_id = contacts.company_id
    WHERE contacts.company_id = {company} AND contacts.id % 3 = 0
    """,
    """
    INSERT INTO contact_fields (company_id, key, label, field_type, position, created_at)
    VALUES ({company}, 'roof_age', 'Roof age', 'number', 0, now()), ({company}, 'roof', 'Roof', 'text', 1, now())
    """,
    """
    INSERT INTO contact_field_values (company_id, field_id, contact_id, field_type, number, text, text_key, created_at)
    SELECT contacts.company_id, field.id, contacts.id, field.field_type,
           CASE field.field_type WHEN 'number' THEN contacts.id % 40 END,
           CASE field.field_type WHEN 'text' THEN 'Metal' END, CASE field.field_type WHEN 'text' THEN 'metal' END, now()
    FROM contacts JOIN contact_fields AS field ON field.company_id = contacts.company_id
    WHERE contacts.company_id = {company} AND contacts.id % 3 = 0
    """,
    """
    INSERT INTO contact_flags (company_id, contact_id, flag_type, reason, source, evidence, review_state, created_at)
    SELECT company_id, id, 'office_number', '', 'manual', '', '', created_at
    FROM contacts WHERE company_id = {company} AND id % 125 = 0
    """,
]


FILES = {
    # A file with its URL, and how many of the contacts have a row in it.
    "contacts, CSV": ("contacts/export", 1),
    "marketing consents, CSV": ("marketing-consents/export", 2),
    "contact flags, XLSX": ("contact-flags/export?format=xlsx&flag_type=office_number", 125),
}


class File(NamedTuple):
    seconds: float
    size: int
    memory: float


def measure_exports(*, contacts: int) -> Chapter:
    """Measure the exports of so many contacts. Deletes the company that it makes."""
    contacts = min(contacts, MOST)
    chapter = Chapter("12. Exports", [ABOUT.format(contacts=contacts)])
    show_step("exports: contacts")
    with company_with_contacts(contacts=contacts) as draft:
        with all_tenants(), audit_disabled():
            execute(*(statement.format(company=draft.company_id) for statement in _STATEMENTS))
            manager = User.objects.create(company=draft.company, role=Role.MANAGER, username="benchmark-exports")
        execute(f"VACUUM ANALYZE {TABLES}")
        client = APIClient(SERVER_NAME="localhost")  # else `testserver`, which only tests know
        client.force_authenticate(manager)
        rates, table = [], []
        for name, (path, share) in FILES.items():
            show_step(f"exports: {name}")
            rows, file = contacts // share, _read(client, f"/api/v1/{path}")
            rates.append(rows / file.seconds)
            figures = [file.seconds, rates[-1], file.size / 2**20, file.memory]
            table.append([name, f"{rows:,}", *map(number, figures)])
        with all_tenants(), audit_disabled():
            manager.delete()  # the company's other rows are deleted with it
    chapter.add_table(["file", "rows", "s", "rows a second", "MiB", "MiB of memory"], table)
    chapter.goals.append(Goal("contacts a second, as CSV", GOAL_ROWS, rates[0], "", at_least=True))
    return chapter


def _read(client: APIClient, url: str) -> File:
    before, size = memory_in_use(), 0

    def read() -> None:
        nonlocal size
        response: Any = client.get(url)
        size = sum(len(piece) for piece in response.streaming_content)

    seconds = wall_ms(read) / 1000
    return File(seconds, size, max(memory_in_use() - before, 0))
