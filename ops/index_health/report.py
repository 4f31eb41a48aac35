"""The index report: all checks over one reading of the database."""

from dataclasses import dataclass, replace

from ops.index_health import checks
from ops.index_health.catalog import Database, read_database
from ops.index_health.findings import GROUPS, Finding, FindingKind, SkippedCheck

DROPS = {FindingKind.EXTRA, FindingKind.UNUSED, *GROUPS["redundant"]}


class UnknownTable(LookupError):
    """The database has no such table."""


@dataclass(frozen=True)
class Report:
    """The database with its findings, sorted by kind in the order of `FindingKind`, then by table and index."""

    database: Database
    findings: tuple[Finding, ...]
    skipped_checks: tuple[SkippedCheck, ...]

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that are not known and kept on purpose."""
        return tuple(finding for finding in self.findings if not finding.known)

    @property
    def reclaimable_bytes(self) -> int:
        """The bytes that the remedies free. An index with several findings counts once."""
        by_index: dict[tuple[str, str], int] = {}
        for finding in self.open_findings:
            key = finding.table, finding.index
            by_index[key] = max(by_index.get(key, 0), finding.reclaimable_bytes)
        return sum(by_index.values())

    def of_table(self, name: str) -> "Report":
        """Return the report on one table. Raises UnknownTable."""
        if name not in self.database.tables and all(finding.table != name for finding in self.findings):
            raise UnknownTable(f"There is no table {name!r}.")
        database = replace(
            self.database,
            tables={table.name: table for table in self.database.tables.values() if table.name == name},
            indexes={index.name: index for index in self.database.of_table(name)},
        )
        findings = tuple(finding for finding in self.findings if finding.table == name)
        return replace(self, database=database, findings=findings)


def run_checks(*, measure: bool = True, explain: bool = False) -> Report:
    """Read the database and run the checks.

    `measure` adds the check that reads whole indexes, `explain` those that ask the planner. SQLite has neither.
    """
    database = read_database()
    chosen = checks.SCHEMA
    if database.vendor == "postgresql":
        chosen += checks.STATISTICS
        chosen += checks.MEASURING if measure else ()
        chosen += checks.EXPLAINING if explain else ()
    findings, skipped = checks.run(chosen, database)
    findings = spare_replacements(findings)
    kinds = list(FindingKind)
    return Report(
        database=database,
        findings=tuple(sorted(findings, key=lambda one: (kinds.index(one.kind), one.table, one.index))),
        skipped_checks=(*database.skipped_checks, *skipped),
    )


def spare_replacements(findings: list[Finding]) -> list[Finding]:
    """Return the findings without remedies that drop the replacement of an index that is dropped itself."""
    dropped_for: dict[str, list[str]] = {}
    for finding in findings:
        if finding.replacement and finding.remedy:
            dropped_for.setdefault(finding.replacement, []).append(finding.index)
    return [
        replace(
            finding,
            message=f"{finding.message} It stays for now, because it replaces {', '.join(dropped_for[finding.index])}.",
            remedy="",
            reclaimable_bytes=0,
        )
        if finding.kind in DROPS and finding.index in dropped_for
        else finding
        for finding in findings
    ]
