"""schemathesis, let loose on the whole application as one user, by the OpenAPI document that it publishes itself."""

from collections import Counter
from dataclasses import dataclass, field

import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events

from tests.fuzz.world import AREA_CODE, FIRST_FOREIGN_ID, MARKER, foreign_ids_in


class ForeignRow(Failure):
    """An answer shows something of another company."""


@schemathesis.check
def no_foreign_row(ctx, response, case):
    if not 200 <= response.status_code < 300:
        return  # a refusal may repeat what was sent
    signs = {sign for sign in (MARKER, f"+1{AREA_CODE}555") if sign in response.text and sign not in str(case.body)}
    signs |= foreign_ids_in(response.json() if response.content else None)
    if signs:
        message = f"{', '.join(map(str, signs))} in {response.text[:500]}"
        raise ForeignRow(operation=case.operation.label, title="Another company's row", message=message)


@dataclass
class Report:
    """What a hunt did and found."""

    requests: int = 0
    statuses: Counter = field(default_factory=Counter)
    checks: Counter = field(default_factory=Counter)
    findings: dict = field(default_factory=dict)
    errors: list = field(default_factory=list)

    def read(self, event):
        if isinstance(event, events.ScenarioFinished):
            self.requests += len(event.recorder.interactions)
            self.statuses.update(i.response.status_code for i in event.recorder.interactions.values() if i.response)
            for case_id, checks in event.recorder.checks.items():
                self.read_checks(event.recorder, case_id, checks)
        elif isinstance(event, events.NonFatalError):
            self.errors.append(f"{event.label}: {event.info.format()}")
        elif isinstance(event, events.FatalError):
            raise event.exception

    def read_checks(self, recorder, case_id, checks):
        for check in checks:
            self.checks[check.name] += 1
            if check.failure_info:
                interaction = recorder.interactions.get(case_id)
                answer = interaction.response if interaction else None
                said = f"{answer.status_code} {answer.content[:300]!r}" if answer else "no answer"
                failure = check.failure_info.failure
                key = (check.name, recorder.label, failure.title, failure.message[:60])
                self.findings.setdefault(
                    key, f"{failure.message[:600]}\n  {check.failure_info.code_sample[:600]}\n  -> {said}"
                )

    def __str__(self):
        lines = [f"{self.requests} requests, {self.checks.total()} checks of {len(self.checks)} kinds"]
        lines.append("  ".join(f"{status}: {times}" for status, times in sorted(self.statuses.items())))
        for (name, label, title, _), said in self.findings.items():
            lines.append(f"{name}: {label}: {title}: {said}")
        lines += self.errors
        return "\n".join([*lines, f"{len(self.findings)} findings, {len(self.errors)} errors"])


def hunt(url, token, *, seed, examples, own_ids):
    """Runs every phase and check as the user whose access token is given. Reports what was found."""
    foreign_ids = range(FIRST_FOREIGN_ID, FIRST_FOREIGN_ID + 20)
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "generation": {
                "max-examples": examples,
                "no-shrink": True,
                # Ids that exist, ours and theirs: by chance alone it would never meet a row.
                "dictionaries": {"integer": {"dictionary": "ids", "probability": 0.5}},
            },
            "dictionaries": {"ids": {"values": [*own_ids, *foreign_ids]}},
            "auth": {"openapi": {"token": {"bearer": token}}},
            # What JSON Schema can't say (the end after the start, a contact that exists) may still be refused.
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404", "409", "429"]}
            },
            "continue-on-failure": True,
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/api/schema", config=config)
    report = Report()
    for event in engine.from_schema(schema).execute():
        report.read(event)
    return report
