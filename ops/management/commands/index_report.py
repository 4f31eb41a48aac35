"""`manage.py index_report`: what ails the indexes of the database, and what heals it."""

import json
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ops.index_health.findings import GROUPS, FindingKind
from ops.index_health.renderers import as_json, as_lines
from ops.index_health.report import UnknownTable, run_checks


class Command(BaseCommand):
    help = "Compare the indexes that stand with those declared, and say which are unused, redundant, bloated or large."
    epilog = f"""
What can be found, by group:
{chr(10).join(f"  {group:10} {', '.join(kinds)}" for group, kinds in GROUPS.items())}

--json writes one object; times are ISO 8601 in UTC, sizes in bytes, what is unknown is null:
  database   vendor, version, counted_since, servers
  totals     findings, expected, saves
  findings   [group, kind, table, index, says, heals, saves, expected]
  unasked    [sentence]
  tables     [name, ours, rows, bytes, index_bytes, bytes_per_row, grown_in_month]
  indexes    [name, table, definition, question, asked_by, constraint, valid, bytes, scans, tuples_read,
              tuples_fetched, last_scan]
"""

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        return super().create_parser(*args, epilog=self.epilog, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--table", metavar="NAME", help="only of this one, with all its indexes")
        parser.add_argument("--all", action="store_true", help="also what is known and kept, and every index's use")
        parser.add_argument("--json", action="store_true", help="for machines; see below")
        parser.add_argument("--explain", action="store_true", help="ask the planner whether each index is used")
        parser.add_argument(
            "--fail-on",
            type=_kinds,
            default=frozenset(),
            metavar="KIND,GROUP",
            help="exit with 1 if one of these was found, such as drift,invalid,duplicate",
        )

    def handle(self, **options: Any) -> None:
        try:
            report = run_checks(explain=options["explain"])
            if options["table"]:
                report = report.of_table(options["table"])
        except UnknownTable as error:
            raise CommandError(f"--table: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(report), indent=2, ensure_ascii=False))
        else:
            for line in as_lines(report, everything=options["all"] or bool(options["table"])):
                self.stdout.write(line)
        failing = [finding for finding in report.unexpected if finding.kind in options["fail_on"]]
        if failing:
            counts = {kind: sum(finding.kind == kind for finding in failing) for kind in FindingKind}
            found = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
            raise CommandError(f"--fail-on: {found}.")


def _kinds(text: str) -> frozenset[FindingKind]:
    """`drift,unused`: kinds, and groups, which stand for all of theirs."""
    kinds: set[FindingKind] = set()
    for name in filter(None, (word.strip() for word in text.split(","))):
        if name in GROUPS:
            kinds.update(GROUPS[name])
        elif name in set(FindingKind):
            kinds.add(FindingKind(name))
        else:
            raise ArgumentTypeError(f"{name!r} is none of {', '.join(dict.fromkeys([*GROUPS, *FindingKind]))}.")
    return frozenset(kinds)
