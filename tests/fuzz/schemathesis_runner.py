"""schemathesis, let loose on the application over HTTP as one user, by the OpenAPI document that it publishes."""

from collections import Counter
from dataclasses import dataclass, field

import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events

from tests.fuzz.fixture import FOREIGN_IDS, FOREIGN_TEXTS, foreign_ids_in


class ForeignRow(Failure):
    """An answer shows something of another company."""


@schemathesis.check
def no_foreign_row(ctx, response, case):
    if not 200 <= response.status_code < 300:
        return  # a refusal may repeat what was sent
    signs = {text for text in FOREIGN_TEXTS if text in response.text and text not in str(case.body)}
    signs |= foreign_ids_in(response.json() if response.content else None)
    if signs:
        message = f"{', '.join(map(str, signs))} in {response.text[:500]}"
        raise ForeignRow(operation=case.operation.label, title="Another company's row", message=message)


@dataclass
class Report:
    """What a hunt did and found. A finding is told once for each route and kind."""

    requests: int = 0
    answers: Counter = field(default_factory=Counter)
    checks: Counter = field(default_factory=Counter)
    findings: dict = field(default_factory=dict)

    def read(self, event):
        if isinstance(event, events.ScenarioFinished):
            self.requests += len(event.recorder.interactions)
            for interaction in event.recorder.interactions.values():
                self.answers[interaction.response.status_code if interaction.response else "none"] += 1
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
            answer = interaction.response if interaction else None
            said = f"{answer.status_code} {answer.content[:500]!r}" if answer else "no answer"
            self.findings.setdefault(
                (check.name, recorder.label, failure.title, failure.message[:60]),
                f"{failure.message[:800]}\n    {check.failure_info.code_sample[:800]}\n    {said}",
            )

    def __str__(self):
        return "\n".join(
            [
                f"{self.requests} requests, {self.checks.total()} checks, {len(self.findings)} findings",
                "  answers: " + ", ".join(f"{times} × {status}" for status, times in sorted(self.answers.items())),
                "  checks: " + ", ".join(f"{times} × {name}" for name, times in sorted(self.checks.items())),
                *(f"  {key}: {told}" for key, told in self.findings.items()),
            ]
        )


def hunt(url, token, *, seed, examples, phases, own_ids, after_call):
    """Asks every route, with all checks, as the user whose access token it is. `after_call(case)` follows each."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "cache": {"enabled": False},  # what an earlier run has learnt would make this one another
            "phases": {"enabled": False, **{phase: {"enabled": True} for phase in phases}},
            "generation": {
                "max-examples": examples,
                "no-shrink": True,
                # Ids that exist, ours and theirs: by chance alone it would never meet a row.
                "dictionaries": {"integer": {"dictionary": "ids", "probability": 0.5}},
            },
            "dictionaries": {"ids": {"values": [*own_ids, *FOREIGN_IDS]}},
            "auth": {"openapi": {"token": {"bearer": token}}},
            # What JSON Schema can't say (the end after the start, a contact that exists) may still be refused.
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404", "409", "429"]}
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
