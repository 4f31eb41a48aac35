"""The OpenAPI document says all that a front end's developer needs."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from crm.api.base.descriptions import TAGS
from crm.api.base.document import may_be_null, operations_of
from tests.api.response_schema import document

PACKAGES = Path(__file__).parents[2] / "docs" / "examples"  # `make check` installs them
# Uses of the generated types. Each `@ts-expect-error` is an error itself, if the next line is none.
USES = """
import type { components, paths } from "./schema.d.ts";
type Call = components["schemas"]["Call"];
type Entry = components["schemas"]["TimelineEntry"];
export const status = (call: Call): components["schemas"]["CallStatus"] => call.status;
export const name = (call: Call): string => call.contact_summary?.name ?? call.from_number;
export const photos = (message: components["schemas"]["Message"]): string[] => message.media.map((each) => each.url);
export const body = (entry: Entry): string => (entry.kind === "message" ? entry.body : entry.kind);
export const key: paths["/api/v1/calls/{id}"]["get"]["parameters"]["path"] = { id: 7 };
// @ts-expect-error: it may be null
export const summary = (call: Call): string => call.contact_summary.name;
// @ts-expect-error: no such status
export const wrong: Call["status"] = "answered";
// @ts-expect-error: a contact has a number
export const contact: components["schemas"]["ContactRequest"] = { first_name: "Robin" };
"""


@pytest.fixture
def operations(db):
    """Path, method and operation of each operation by ID."""
    found = list(operations_of(document()))
    by_id = {operation["operationId"]: (path, method, operation) for path, method, operation in found}
    assert len(by_id) == len(found) > 80
    return by_id


def test_operations_have_a_summary_and_a_described_tag(operations):
    for name, (_, _, operation) in operations.items():
        assert 0 < len(operation["summary"]) <= 80, name
        assert not operation["summary"].endswith("."), name
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name
    assert {operation["tags"][0] for _, _, operation in operations.values()} == TAGS.keys()


def test_summaries_differ(operations):
    summaries = [operation["summary"] for _, _, operation in operations.values()]
    assert sorted({each for each in summaries if summaries.count(each) > 1}) == []


def test_lists_take_a_limit(operations):
    """The parts of one object are no list of rows, and a period has as many days as it has."""
    whole = {
        "appointments_attachments", "calls_recordings", "campaigns_estimate", "campaigns_report",
        "contacts_attachments", "contacts_card", "dashboard_booking_rate_retrieve", "me_sessions_retrieve",
        "setup_retrieve", "provider_connections_retrieve",
        "dashboard_lead_conversion_retrieve", "leads_stages", "slots_retrieve",
    }  # fmt: skip
    schemas = document()["components"]["schemas"]
    without = set()
    for name, (path, method, operation) in operations.items():
        if method == "get" and not path.endswith("/{id}"):
            content = operation["responses"]["200"]["content"]
            schema = content.get("application/json", {"schema": {}})["schema"]  # a file has none
            fields = schemas[schema["$ref"].rpartition("/")[2]]["properties"] if "$ref" in schema else {}
            has_rows = any("$ref" in each.get("items", {}) for each in fields.values())
            if has_rows and "limit" not in {each["name"] for each in operation.get("parameters", ())}:
                without.add(name)
    assert without == whole


def test_parameters_are_described_and_ids_in_paths_are_integers(operations):
    parameters = [(name, each) for name, parts in operations.items() for each in parts[2].get("parameters", ())]
    assert [(name, each["name"]) for name, each in parameters if not each.get("description")] == []
    in_paths = [(name, each["schema"].get("type")) for name, each in parameters if each["in"] == "path"]
    assert [each for each in in_paths if each[1] != "integer"] == []


def test_operation_ids_follow_from_the_paths(operations):
    verbs = ("list", "retrieve", "create", "partial_update", "destroy")
    for name, (path, _, _) in operations.items():
        words = [word.replace("-", "_") for word in path.removeprefix("/api/v1/").split("/") if "{" not in word]
        expected = "_".join(words)
        assert name in {expected, *(f"{expected}_{verb}" for verb in verbs)}


def test_fields_are_described_and_have_a_type(db):
    schemas = document()["components"]["schemas"]
    fields = [(name, field, each) for name in schemas for field, each in schemas[name].get("properties", {}).items()]
    assert len(fields) > 300
    assert [(name, field) for name, field, each in fields if not each.get("description")] == []
    typed = {"type", "$ref", "oneOf", "anyOf", "allOf", "const"}
    assert [(name, field) for name, field, each in fields if not typed & each.keys()] == []
    lists = [(name, field, each["items"]) for name, field, each in fields if each.get("type") == "array"]
    assert [(name, field) for name, field, items in lists if not typed & items.keys()] == []


def test_fields_of_answers_are_required(db):
    """A page has its count on demand only; an error, the facts that belong to its code."""
    optional = {"count", "count_capped", "existing"}
    for name, schema in document()["components"]["schemas"].items():
        if "properties" in schema and not name.endswith("Request") and name != "ErrorResponse":
            assert schema["properties"].keys() - set(schema.get("required", ())) - optional == set(), name


def nullable_fields():
    """Return the schema, the name and the description of each field that may be null in an answer."""
    schemas = {name: each for name, each in document()["components"]["schemas"].items() if not name.endswith("Request")}
    fields = [(name, field, each) for name in schemas for field, each in schemas[name].get("properties", {}).items()]
    return [(name, field, each.get("description", "")) for name, field, each in fields if may_be_null(each)]


def test_fields_that_may_be_null_say_what_null_means(db):
    found = nullable_fields()
    assert len(found) > 60
    assert [(name, field) for name, field, text in found if "null" not in text.lower()] == []


def test_requests_refuse_fields_that_they_do_not_have(db):
    requests = {name: each for name, each in document()["components"]["schemas"].items() if name.endswith("Request")}
    assert len(requests) > 30
    assert [
        name
        for name, each in requests.items()
        if "properties" in each and each.get("additionalProperties") is not False
    ] == []


def test_names_of_schemas_are_plain(db):
    names = document()["components"]["schemas"]
    assert [name for name in names if name.count("Request") > 1 or "Serializer" in name] == []


def test_contact_of_a_row_that_always_has_one_is_not_null(db):
    schemas = document()["components"]["schemas"]
    nullable = {name for name, field, _ in nullable_fields() if field == "contact_summary"}
    with_contact = {name for name, each in schemas.items() if "contact_summary" in each.get("properties", {})}
    without = {name for name, field, _ in nullable_fields() if field == "contact"}
    assert len(with_contact) > 10
    assert nullable == with_contact & without


def test_server_is_the_public_url(db, settings):
    assert document()["servers"] == [{"url": settings.PUBLIC_URL}]


@pytest.mark.slow
@pytest.mark.skipif(not (PACKAGES / "node_modules").exists(), reason="needs the packages that `make check` installs")
def test_generated_types_compile_under_strict(db, tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(document(), default=str))
    (tmp_path / "uses.ts").write_text(USES)
    shutil.copy(PACKAGES / "package.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(PACKAGES / "node_modules")
    programs = PACKAGES / "node_modules" / ".bin"
    config = json.loads((PACKAGES / "tsconfig.json").read_text())["compilerOptions"]
    assert config["strict"]
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": config, "include": ["*.ts"]}))
    generate = [programs / "openapi-typescript", "openapi.json", "--output", "schema.d.ts"]
    for command in (generate, [programs / "tsc"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
