"""Prometheus' own tool: it evaluates expressions as the server does. Debian has it in the package `prometheus`."""

import math
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

PROMTOOL = shutil.which("promtool")
HISTOGRAM = "crm_request_duration_seconds"
MINUTES = 20  # with the first values; the change comes then
IS_TRUE = "clamp_max(count({}), 1) or vector(0)"


def check_rules(content):
    """Return an empty text, or what is wrong with the rules."""
    return _complaints("check", content)


def failed_expectations(expected, before, after):
    """Evaluate expressions one minute after the samples have changed. Return what differs from what is expected.

    Args:
        expected: for each expression, whether it is true.
    """
    start = {_series(sample): sample.value for sample in before}
    values = {_series(sample): (start.get(_series(sample), 0.0), sample.value) for sample in after}
    # Requests of other tests, which have not changed, would be too many samples for the tool.
    values = {
        series: (old, new) for series, (old, new) in values.items() if old != new or not series.startswith(HISTOGRAM)
    }
    test = {
        "interval": "1m",
        "input_series": [
            {"series": series, "values": " ".join([_write(old)] * MINUTES + [_write(new)] * 2)}
            for series, (old, new) in values.items()
        ],
        "promql_expr_test": [
            {
                "expr": IS_TRUE.format(expression),
                "eval_time": f"{MINUTES + 1}m",
                "exp_samples": [{"labels": "{}", "value": int(is_true)}],
            }
            for expression, is_true in expected.items()
        ],
    }
    return _complaints("test", {"tests": [test]})


def _complaints(verb, content):
    with TemporaryDirectory() as folder:
        path = Path(folder, "content.yml")
        path.write_text(yaml.safe_dump(content))
        done = subprocess.run([PROMTOOL, verb, "rules", path], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _series(sample):
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
    return f"{sample.name}{{{labels}}}"


def _write(value):
    return "Inf" if math.isinf(value) else str(value)
