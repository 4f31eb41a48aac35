"""Reports to Sentry: what they contain, and a start with them."""

import json
import subprocess
import sys

import pytest

from config.logs import REQUEST_ID
from config.sentry import is_sentry_installed, mask_event
from tests.config.test_settings import PRODUCTION, problems_of, project  # noqa: F401  # a fixture

DSN = "https://key@sentry.example.com/1"
FAKE = """
def init(**options):
    import json
    print(json.dumps(options | {"before_send": options["before_send"].__name__}))
"""
PRIVATE = "2125550100 casey@example.com token=hunter2"


@pytest.fixture
def request_id():
    token = REQUEST_ID.set("mine")
    yield "mine"
    REQUEST_ID.reset(token)


def test_event_keeps_the_error_and_loses_personal_data(request_id):
    event = {
        "level": "error",
        "transaction": "/api/v1/contacts/{pk}",
        "exception": {
            "values": [
                {
                    "type": "IntegrityError",
                    "value": f"duplicate key of {PRIVATE}\nDETAIL: Key (first_name)=(Zelda) exists",
                    "stacktrace": {"frames": [{"function": "save", "lineno": 7, "vars": {"name": "Zelda"}}]},
                },
                {"type": "KeyError", "value": None, "stacktrace": None},
            ]
        },
        "logentry": {"message": "To %s", "params": [PRIVATE], "formatted": f"To {PRIVATE}"},
        "extra": {"phone": 12125550100, "password": "hunter2"},
        "request": {"url": "https://crm.example.com/webhooks/openphone/zelda", "data": {"text": "Zelda"}},
        "user": {"username": "zelda"},
        "breadcrumbs": {"values": [{"message": "SELECT 'Zelda'"}]},
        "tags": {"part": "web"},
    }
    sent = mask_event(event)
    text = json.dumps(sent)
    assert not any(private in text.lower() for private in ("5550100", "casey@", "hunter2", "zelda"))
    [error, _] = sent["exception"]["values"]
    assert (error["type"], error["value"]) == ("IntegrityError", "duplicate key of ***00 ***@*** token=***")
    assert error["stacktrace"]["frames"] == [{"function": "save", "lineno": 7}]
    assert sent["tags"] == {"part": "web", "request_id": request_id}
    assert sent["transaction"] == "/api/v1/contacts/{pk}"


@pytest.mark.parametrize("event", [{}, {"exception": None}, {"message": "broken", "exception": {"values": None}}])
def test_event_without_an_exception_is_sent(event):
    assert mask_event(event)["tags"].keys() == {"request_id"}


@pytest.mark.skipif(is_sentry_installed(), reason="the package is installed")
@pytest.mark.parametrize("more", [{}, PRODUCTION])
def test_dsn_without_the_package_stops_the_start(more, project):  # noqa: F811
    [problem] = problems_of(project, SENTRY_DSN=DSN, **more)
    assert problem.startswith("SENTRY_DSN needs the package sentry-sdk: install it")


def test_package_gets_no_personal_data_to_report(project):  # noqa: F811
    (project / "sentry_sdk.py").write_text(FAKE)
    started = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=project,
        env={"SENTRY_DSN": DSN},
        capture_output=True,
        text=True,
    )
    options = json.loads(started.stdout)
    assert (options["dsn"], options["environment"], options["before_send"]) == (DSN, "development", "mask_event")
    assert options["send_default_pii"] is options["include_local_variables"] is False
    assert (options["max_request_body_size"], options["max_breadcrumbs"]) == ("never", 0)


def test_package_is_not_loaded_without_a_dsn(project):  # noqa: F811
    (project / "sentry_sdk.py").write_text("raise RuntimeError('loaded')")
    started = subprocess.run([sys.executable, "-c", "import config.settings"], cwd=project, env={}, capture_output=True)
    assert started.returncode == 0
