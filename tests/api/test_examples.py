"""The examples of the OpenAPI document are what the API answers.

`UPDATE_EXAMPLES=1 .venv/bin/python -m pytest --database=sqlite tests/api/test_examples.py` writes them anew.
"""

import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from crm.api.base.document import EXAMPLES_FILE, operations_of
from crm.api.tokens import SessionToken
from tests.api.example_rows import AT, ExampleRows
from tests.api.response_schema import as_json_schema, components, document
from tests.conftest import signed_in

PLAIN = {
    "secret": "JBSWY3DPEHPK3PXP",
    "uri": "otpauth://totp/Home-services%20CRM:maria?secret=JBSWY3DPEHPK3PXP&issuer=Home-services%20CRM",
    "qr_svg": "<svg …></svg>",
    "recovery_codes": ["h7wq2-9fkcm", "b4xne-tzr6d", "…"],
    "code": "492039",
    "beginning": "k3Vq",
    "feed_url": "https://crm.example.com/calendar/17-….ics",
    "token": "WzE3LCJpbnZpdGF0aW9uIiwi….1vXq2s.…",
}
# Of an appointment that starts an hour from now.
SOON = {
    "scheduled_start": "2026-03-02T17:20:00Z", "scheduled_end": "2026-03-02T18:20:00Z", "date": "2026-03-02",
    "time": "10:20:00",
}  # fmt: skip
SIGNED = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…"  # a whole token would look like a leaked secret
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


@pytest.fixture
def asked(db):
    """The requests and answers of every operation, by operation ID."""
    rows = ExampleRows()
    return {
        operation["operationId"]: ask(rows, path, method, operation["operationId"])
        for path, method, operation in operations_of(document())
    }


def ask(rows, path, method, operation_id):
    """Send the request of an operation, and undo it. Return the request, the status and the answer."""
    body = rows.bodies.get(operation_id) or rows.queries.get(operation_id)
    if operation_id in ("auth_token_refresh", "auth_sign_out"):
        body = {"refresh": str(SessionToken.for_user(rows.manager))}
    client = (
        APIClient() if operation_id.startswith("auth_") else signed_in(rows.user_of.get(operation_id, rows.manager))
    )
    url = rows.url(path, operation_id)
    is_form = isinstance(body, dict) and any(isinstance(value, SimpleUploadedFile) for value in body.values())
    with transaction.atomic():
        response = getattr(client, method)(url, body, **({"format": "multipart"} if is_form else {}))
        transaction.set_rollback(True)
    assert response.status_code < 300, (operation_id, response.content)
    answer = None if is_file(response) else response.json() if response.content else None
    body = None if method == "get" or is_form else body
    return {"request": body, "status": response.status_code, "answer": answer}


def test_example_of_each_operation_has_the_shape_of_a_real_answer(asked):
    if "UPDATE_EXAMPLES" in os.environ:
        written = {name: plain(each) for name, each in sorted(asked.items())}
        written["appointments_on_the_way"]["answer"] |= SOON
        EXAMPLES_FILE.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n")
    examples = json.loads(EXAMPLES_FILE.read_text())
    assert examples.keys() == asked.keys()
    different = {
        name: (shape(examples[name]), shape(real)) for name, real in asked.items() if differ(examples[name], real)
    }
    assert different == {}


def test_operations_show_examples_that_are_valid(db):
    invalid = {}
    for _, _, operation in operations_of(document()):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        bodies += [each for status, each in operation["responses"].items() if status.startswith("2")]
        for content in [
            body["content"]["application/json"] for body in bodies if "application/json" in body.get("content", {})
        ]:
            schema = {"components": components(), **as_json_schema(content["schema"])}
            if "example" not in content:  # a form with a file
                continue
            if errors := list(Draft202012Validator(schema).iter_errors(content["example"])):
                invalid[operation["operationId"]] = [error.message for error in errors]
    assert invalid == {}


def is_file(response):
    return not response.get("Content-Type", "application/json").startswith("application/json")


def plain(part):
    """Return a part of an example without what differs from run to run: the present time, tokens and the host."""
    if isinstance(part, dict):
        return {
            name: PLAIN[name] if has_plain(name, value) else SIGNED if is_signed(name, value) else plain(value)
            for name, value in part.items()
        }
    if isinstance(part, list):
        return [plain(each) for each in part]
    if not isinstance(part, str):
        return part
    if INSTANT.fullmatch(part) and abs(datetime.fromisoformat(part) - datetime.now(UTC)) < timedelta(days=1):
        return f"{AT + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    return part.replace("http://testserver", "https://crm.example.com")


def has_plain(name, value):
    """Return whether a value differs from run to run. The texts of API tokens are kept."""
    return name in PLAIN and not str(value).startswith("crm_")


def is_signed(name, value):
    """Return whether a value is signed by the server. The `next` of a page is a URL, that of changes is signed."""
    texts = ("access", "refresh", "ticket", "token", "secret")
    return name in texts or (name == "next" and bool(value) and not value.startswith("http"))


def differ(one, other):
    """Return whether two answers have other fields. What is null or empty in one of them says nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() != other.keys() or any(differ(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return any(differ(*pair) for pair in zip(one, other, strict=False))
    return False


def shape(part):
    """Return the names of all fields, for a message."""
    if isinstance(part, dict):
        return {name: shape(value) for name, value in part.items()}
    return [shape(each) for each in part[:1]] if isinstance(part, list) else ...
