"""`manage.py index_report`: index health findings and their remedies."""

import json
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from ops.index_health.findings import GROUPS, FindingKind
from ops.index_health.renderers import as_json, as_lines
from ops.index_health.report import UnknownTable, run_checks
from ops.safe_migrations.sessions import direct_url


class Command(BaseCommand):
    help = "Compare the database's indexes with the models, and report unused, redundant, bloated and large ones."
    epilog = f"""
Kinds of findings, by group:
{chr(10).join(f"  {group:10} {', '.join(kinds)}" for group, kinds in GROUPS.items())}

--json prints one object. Times are ISO 8601 in UTC, sizes are bytes, unknown values are null:
  database        vendor, version, counted_since, servers
  totals          findings, known, reclaimable_bytes
  findings        [group, kind, table, index, message, remedy, reclaimable_bytes, known]
  skipped_checks  [sentence]
  tables          [name, ours, rows, bytes, index_bytes, bytes_per_row, grown_in_month]
  indexes         [name, table, definition, question, asked_by, constraint, valid, bytes, scans, tuples_read,
                   tuples_fetched, last_scan]
"""

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        return super().create_parser(*args, epilog=self.epilog, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--table", metavar="NAME", help="report on one table, with all its indexes (default: all tables)"
        )
        parser.add_argument("--all", action="store_true", help="add known findings and the use of each index")
        parser.add_argument("--json", action="store_true", help="print JSON; see below")
        parser.add_argument("--explain", action="store_true", help="ask the planner whether it uses each index")
        parser.add_argument(
            "--fail-on",
            type=_kinds,
            default=frozenset(),
            metavar="KIND,GROUP",
            help="exit with 1 if there is a finding of these kinds or groups, such as drift,unused (default: none)",
        )

    def handle(self, **options: Any) -> None:
        try:
            with direct_url():
                report = run_checks(explain=options["explain"])
            if options["table"]:
                report = report.of_table(options["table"])
        except UnknownTable as error:
            raise CommandError(f"--table: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(report), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
        else:
            for line in as_lines(report, everything=options["all"] or bool(options["table"])):
                self.stdout.write(line)
        if report.database.declared is None and options["fail_on"].intersection(GROUPS["drift"]):
            raise CommandError(
                "--fail-on: drift is unknown, because the role can't create temporary tables. Set DIRECT_DATABASE_URL"
                " to a URL of the role that owns the tables."
            )
        failing = [finding.kind for finding in report.open_findings if finding.kind in options["fail_on"]]
        if failing:
            counts = ", ".join(f"{failing.count(kind)} {kind}" for kind in FindingKind if kind in failing)
            raise CommandError(f"--fail-on: {counts}.")


def _kinds(text: str) -> frozenset[FindingKind]:
    """Parse `drift,unused`: kinds and groups, separated by commas."""
    kinds: set[FindingKind] = set()
    for name in filter(None, (word.strip() for word in text.split(","))):
        if name in GROUPS:
            kinds.update(GROUPS[name])
        elif name in set(FindingKind):
            kinds.add(FindingKind(name))
        else:
            raise ArgumentTypeError(f"{name!r} must be one of {', '.join(dict.fromkeys([*GROUPS, *FindingKind]))}.")
    return frozenset(kinds)
