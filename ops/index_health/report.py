"""The whole report: every check over one reading of the database. Every surface shows what `run_checks` returns."""

from dataclasses import dataclass, replace

from ops.index_health.catalog import Database, read_database
from ops.index_health.checks import CHECKS, EXPLAINING, MEASURING
from ops.index_health.findings import Finding, FindingKind, SkippedCheck


class UnknownTable(LookupError):
    """There is no such table."""


@dataclass(frozen=True)
class Report:
    """`findings` by kind, in the order of `FindingKind`, then by table and index. `skipped_checks`: what could not be asked."""

    database: Database
    findings: tuple[Finding, ...]
    skipped_checks: tuple[SkippedCheck, ...]

    @property
    def unexpected(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.known)

    @property
    def reclaimable_bytes(self) -> int:
        """Bytes, if all that is not expected were healed; an index that is found twice is gone once."""
        most: dict[tuple[str, str], int] = {}
        for finding in self.unexpected:
            place = finding.table, finding.index
            most[place] = max(most.get(place, 0), finding.reclaimable_bytes)
        return sum(most.values())

    def of_table(self, name: str) -> "Report":
        """What concerns one table alone. Raises UnknownTable."""
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
    """Read the database once and run the checks: with `measure` those that read indexes to the end, too, and with
    `explain` those that ask the planner."""
    database = read_database()
    checks = (*CHECKS, *(MEASURING if measure else ()), *(EXPLAINING if explain else ()))
    said = [word for find in checks for word in find(database)]
    findings = [word for word in said if isinstance(word, Finding)]
    skipped_checks = [word for word in said if isinstance(word, SkippedCheck)]
    kinds = list(FindingKind)
    return Report(
        database=database,
        findings=tuple(sorted(findings, key=lambda one: (kinds.index(one.kind), one.table, one.index))),
        skipped_checks=(*database.skipped_checks, *skipped_checks),
    )
