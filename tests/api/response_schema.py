"""Comparison of answers with the published OpenAPI document."""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.db import connection
from jsonschema import Draft202012Validator, FormatChecker

from crm.api.base.schema import TenantSchemaGenerator


@cache
def document():
    """Return the document. A thread makes it, with a connection of its own: the test's may be ended or in use."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_make_document).result()


def _make_document():
    try:
        return TenantSchemaGenerator().get_schema(public=True)
    finally:
        connection.close()


def as_json_schema(schema):
    """Return the schema for answers: an object has the documented fields only."""
    if isinstance(schema, list):
        return [as_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    translated = {name: as_json_schema(value) for name, value in schema.items()}
    if "properties" in schema and isinstance(schema["properties"], dict) and "type" in schema:
        translated.setdefault("additionalProperties", False)
    return translated


@cache
def operations():
    """Return pairs of a pattern of paths and the operations there by method. A fixed path comes before a parameter."""
    paths = sorted(document()["paths"].items(), key=lambda item: "{" in item[0])
    return [(re.compile(re.sub(r"{\w+}", "[0-9]+", path)), methods) for path, methods in paths]


def documented_codes(method, path):
    """Return the error codes of an operation by status; None if there is no such operation."""
    methods = next((methods for pattern, methods in operations() if pattern.fullmatch(path)), {})
    if method.lower() not in methods:
        return None
    return {int(status): codes_of(response) for status, response in methods[method.lower()]["responses"].items()}


def codes_of(response):
    """Return the error codes of a documented response: the names of its examples."""
    if "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return set(response.get("content", {}).get("application/json", {}).get("examples", {}))


def check_documented(response):
    """Return the response. Fail if it is an error that the OpenAPI document doesn't announce for its operation."""
    request = response.request
    path, method = request["PATH_INFO"], request["REQUEST_METHOD"]
    if response.status_code >= 400 and method != "HEAD" and path.startswith("/api/v1/"):
        documented = documented_codes(method, path)
        codes = {error["code"] for error in response.json()["errors"]}
        if documented is not None:
            missing = codes - documented.get(response.status_code, set())
            assert not missing, f"{method} {path}: {response.status_code} {missing} must be in its view's `refusals`"
    return response


@cache
def components():
    return as_json_schema(document()["components"])


def differences(path, answer):
    """Return where the answer to a GET differs from the schema of its route."""
    schema = document()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(
        {"components": components(), **as_json_schema(schema)}, format_checker=FormatChecker(["email"])
    )
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(answer)]
