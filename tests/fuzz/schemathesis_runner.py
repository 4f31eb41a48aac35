"""Runner of schemathesis over HTTP, as one user, from the published OpenAPI document."""

from collections import Counter
from dataclasses import dataclass, field
from io import BytesIO
from zipfile import ZipFile

import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events

from tests.fuzz.fixture import FOREIGN_IDS, FOREIGN_TEXTS, foreign_ids_in


class ForeignRow(Failure):
    """A response shows data of another company."""


@schemathesis.check
def no_foreign_row(ctx, response, case):
    if not 200 <= response.status_code < 300:
        return  # an error may repeat the request's values
    text = text_of(response)
    signs = {sign for sign in FOREIGN_TEXTS if sign in text and sign not in str(case.body)}
    if response.content and "json" in str(response.headers.get("content-type")):
        signs |= foreign_ids_in(response.json())
    if signs:
        message = f"{', '.join(map(str, signs))} in {text[:500]}"
        raise ForeignRow(operation=case.operation.label, title="Another company's row", message=message)


def text_of(response):
    """Return the text of a response, and of the parts of an Excel file."""
    if not response.content.startswith(b"PK"):
        return response.text_lossy()
    with ZipFile(BytesIO(response.content)) as book:
        return "\n".join(book.read(name).decode() for name in book.namelist())


@dataclass
class Report:
    """Counts and findings of a run. Findings are unique by route and kind."""

    requests: int = 0
    statuses: Counter = field(default_factory=Counter)
    checks: Counter = field(default_factory=Counter)
    findings: dict = field(default_factory=dict)

    def read(self, event):
        if isinstance(event, events.ScenarioFinished):
            self.requests += len(event.recorder.interactions)
            for interaction in event.recorder.interactions.values():
                self.statuses[interaction.response.status_code if interaction.response else "none"] += 1
            for case_id, checks in event.recorder.checks.items():
                for check in checks:
                    self.read_check(event.recorder, case_id, check)
        elif isinstance(event, events.NonFatalError):
            self.findings[event.label] = event.info.format()
        elif isinstance(event, events.FatalError):
            raise event.exception

    def read_check(self, recorder, case_id, check):
        self.checks[check.name] += 1
        if check.failure_info:
            failure = check.failure_info.failure
            interaction = recorder.interactions.get(case_id)
            response = interaction.response if interaction else None
            response_text = f"{response.status_code} {response.content[:500]!r}" if response else "no response"
            self.findings.setdefault(
                (check.name, recorder.label, failure.title, failure.message[:60]),
                f"{failure.message[:800]}\n    {check.failure_info.code_sample[:800]}\n    {response_text}",
            )

    def __str__(self):
        return "\n".join(
            [
                f"{self.requests} requests, {self.checks.total()} checks, {len(self.findings)} findings",
                "  statuses: " + ", ".join(f"{times} × {status}" for status, times in sorted(self.statuses.items())),
                "  checks: " + ", ".join(f"{times} × {name}" for name, times in sorted(self.checks.items())),
                *(f"  {key}: {text}" for key, text in self.findings.items()),
            ]
        )


def run_schemathesis(url, token, *, seed, examples, phases, own_ids, after_call):
    """Send requests to every route with every check, as the token's user. Call `after_call(case)` after each."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "cache": {"enabled": False},  # results of earlier runs would change this one
            "phases": {"enabled": False, **{phase: {"enabled": True} for phase in phases}},
            "generation": {
                "max-examples": examples,
                "no-shrink": True,
                # Ids of existing rows; random ids would never match one.
                "dictionaries": {"integer": {"dictionary": "ids", "probability": 0.5}},
            },
            "dictionaries": {"ids": {"values": [*own_ids, *FOREIGN_IDS]}},
            "auth": {"openapi": {"token": {"bearer": token}}},
            # Rules beyond JSON Schema (the end after the start, an existing contact) may still reject a request.
            "checks": {
                # A stale tag is refused before the body is read.
                "negative_data_rejection": {
                    "expected-statuses": ["400", "401", "403", "404", "405", "409", "412", "415"]
                },
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "304", "400", "401", "403", "404", "409", "412", "429"]
                },
            },
            "continue-on-failure": True,
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/api/schema", config=config)

    @schema.hook("after_call")
    def restore(context, case, response):
        after_call(case)

    report = Report()
    for event in engine.from_schema(schema).execute():
        report.read(event)
    return report
