"""The cost of row-level security for the dashboard."""

from functools import partial

from django.apps import apps

from benchmarks.database import execute
from benchmarks.documented_promises import ENDPOINTS
from benchmarks.endpoints import ALL_TIME, endpoints_of
from benchmarks.report import number, table
from benchmarks.samples import choose_samples
from benchmarks.timing import Rounds, in_turns, time_once
from benchmarks.web_server import web_server
from crm.db.tenancy import TenantModel

REPEATS = 6


def compare_policies(*, rounds: int) -> str:
    """Time the endpoints in short turns with and without the policies, and return the table of the figures."""
    sample = choose_samples()[0]
    paths = {name: one.path for name, one in endpoints_of(sample).items() if name == ALL_TIME or name in ENDPOINTS}
    times = {(name, secured): Rounds() for name in paths for secured in (True, False)}
    with web_server() as sign_in:
        get = sign_in(sample.manager.username)
        try:
            for turn in in_turns((True, False), rounds):
                for secured in turn:
                    _secure(secured)
                    for name, path in paths.items():
                        times[name, secured].append(time_once(partial(get, path), repeats=REPEATS))
        finally:
            _secure(True)
    rows = []
    for name in paths:
        with_policies, without = times[name, True], times[name, False]
        medians = (number(with_policies.median), number(without.median))
        rows.append([name, *medians, *with_policies.against(without).cells])
    return table(["endpoint", "with policies, ms", "without, ms", "ratio", "quartiles"], rows)


def _secure(secured: bool) -> None:
    verb = "ENABLE" if secured else "DISABLE"
    tables = [model._meta.db_table for model in apps.get_models() if issubclass(model, TenantModel)]
    execute(*(f"ALTER TABLE {name} {verb} ROW LEVEL SECURITY" for name in tables))
