"""Error responses in the OpenAPI document: which codes each operation can answer, and an example of each."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from crm.error_codes import PUBLISHED, ErrorCode

Document = dict[str, Any]

SIGN_IN_CODES = {
    ErrorCode.NOT_AUTHENTICATED, ErrorCode.BAD_AUTHORIZATION_HEADER, ErrorCode.TOKEN_NOT_VALID,
    ErrorCode.USER_NOT_FOUND, ErrorCode.USER_INACTIVE, ErrorCode.SESSION_ENDED, ErrorCode.PASSWORD_CHANGED,
}  # fmt: skip
# Any operation: too many requests, an unacceptable response, a failure of the server.
COMMON_CODES = {
    ErrorCode.BAD_REQUEST, ErrorCode.UNSTORABLE, ErrorCode.NOT_ACCEPTABLE, ErrorCode.THROTTLED, ErrorCode.ERROR,
    ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT,
}  # fmt: skip
# Any operation that reads a body, if only to refuse it.
BODY_CODES = {
    ErrorCode.PARSE_ERROR, ErrorCode.UNKNOWN_FIELD, ErrorCode.LENGTH_REQUIRED, ErrorCode.BODY_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
}  # fmt: skip
OF_EXISTING_ROWS = {ErrorCode.UNIQUE, ErrorCode.NUMBER_TAKEN}
WITHOUT_FIELD = {ErrorCode.PARSE_ERROR, ErrorCode.BAD_REQUEST}  # of those with status 400

# Responses that are the same for most operations, by status: the name of the component, and its codes.
SHARED = {
    401: ("Unauthorized", SIGN_IN_CODES),
    403: ("Forbidden", {ErrorCode.PERMISSION_DENIED, ErrorCode.SCOPE_MISSING}),
    404: ("NotFound", {ErrorCode.NOT_FOUND}),
    406: ("NotAcceptable", {ErrorCode.NOT_ACCEPTABLE}),
    411: ("LengthRequired", {ErrorCode.LENGTH_REQUIRED}),
    412: ("Stale", {ErrorCode.STALE}),
    413: ("TooLarge", {ErrorCode.BODY_TOO_LARGE}),
    415: ("UnsupportedMediaType", {ErrorCode.UNSUPPORTED_MEDIA_TYPE}),
    422: ("Unprocessable", {ErrorCode.KEY_REUSED}),
    429: ("TooManyRequests", {ErrorCode.THROTTLED}),
    500: ("ServerError", {ErrorCode.ERROR}),
    503: ("Unavailable", {ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT}),
}

DESCRIPTIONS = {
    400: "A field or parameter isn't valid, or the body isn't JSON. `attr` names the field.",
    401: "Not signed in, or the token is no longer valid.",
    403: "The user has no company, the role lacks the permission, or the API token the scope.",
    404: "The row doesn't exist, belongs to another company, or isn't assigned to the user.",
    406: "The client doesn't accept JSON.",
    409: "The data, as it is now, doesn't allow the request.",
    410: "The cursor has expired, or the contact was merged: `merged_into` is the one that stayed.",
    411: "The body's size is unknown.",
    412: "The row has changed since it was read. `current` is the row as it is now.",
    413: "The body is too large.",
    415: "The body must be application/json.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many requests.",
    500: "A fault of the server.",
    503: "The database is not available. Try again.",
}
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
ETAG = {"ETag": {"description": "Names this state of the row.", "schema": {"type": "string"}}}
HEADERS = {412: ETAG, 429: RETRY_AFTER, 503: RETRY_AFTER}
OTHER_APPOINTMENT = {
    "id": 12,
    "contact": 7,
    "contact_summary": {
        "id": 7,
        "name": "Casey Jones",
        "phone": "+12125550134",
        "flags": [],
        "opted_out": False,
    },
    "address": "12 Oak St, Denver, CO 80202",
    "call": None,
    "lead": None,
    "assigned_rep": 3,
    "assigned_rep_name": "Robin Reed",
    "scheduled_start": "2026-03-02T16:00:00Z",
    "scheduled_end": "2026-03-02T17:00:00Z",
    "date": "2026-03-02",
    "time": "09:00:00",
    "timezone": "America/Denver",
    "series": None,
    "allow_overlap": False,
    "status": "scheduled",
    "notes": "",
    "on_the_way_at": None,
    "created_at": "2026-02-27T18:30:00Z",
    "updated_at": "2026-02-27T18:30:00Z",
}
# What a response with this code has beside `errors`.
FACTS: dict[ErrorCode, Document] = {
    ErrorCode.STALE: {"current": {"id": 7, "first_name": "Robin"}},
    ErrorCode.MERGED: {"merged_into": 7},
    ErrorCode.NEWER_MERGE: {"merge": 5},
    ErrorCode.SLOT_TAKEN: {"appointment": OTHER_APPOINTMENT},
    ErrorCode.SERIES_TAKEN: {
        "conflicts": [{"scheduled_start": "2026-03-02T16:30:00Z", "appointment": OTHER_APPOINTMENT}]
    },
}
for waits in (ErrorCode.LINE_PAUSED, ErrorCode.DAILY_CAP, ErrorCode.QUIET_HOURS):
    FACTS[waits] = {"retry_at": "2026-03-03T15:00:00Z"}

ERROR = {
    "type": "object",
    "required": ["code", "detail", "attr"],
    "properties": {
        "code": {"$ref": "#/components/schemas/ErrorCode", "description": "The reason, for programs."},
        "detail": {"type": "string", "description": "The reason and what to do, for people."},
        "attr": {
            "type": ["string", "null"],
            "description": "The field, parameter or header that the error is about; `objections.1` for the second item "
            "of a list, `non_field_errors` for the body as a whole. Null if it is about none.",
        },
        "existing": {
            "type": "integer",
            "format": "int64",
            "description": "With `unique` and `number_taken`: ID of the row that has the value already. For a phone "
            "number it is the contact, else a row of the same resource. Absent if the user may not see that row, and "
            "if it was written at the same moment.",
        },
    },
}
SERIES_CONFLICT = {
    "type": "object",
    "description": "A time of a series at which the rep has another appointment.",
    "required": ["scheduled_start", "appointment"],
    "properties": {
        "scheduled_start": {"type": "string", "format": "date-time", "description": "The time."},
        "appointment": {
            "oneOf": [{"$ref": "#/components/schemas/Appointment"}, {"type": "null"}],
            "description": "The other appointment. Null if it was deleted in the meantime.",
        },
    },
}

ERROR_RESPONSE = {
    "type": "object",
    "description": "The only shape of error responses. Compare `code`; show `detail` to people.",
    "required": ["type", "errors"],
    "properties": {
        "type": {
            "type": "string",
            "enum": ["validation_error", "client_error", "server_error"],
            "description": "`validation_error` (400): the request's fields. `client_error`: any other refusal. "
            "`server_error` (5xx): send the request again later.",
        },
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/components/schemas/Error"},
            "description": "One for each invalid field; exactly one for any other error.",
        },
        "retry_at": {
            "type": "string",
            "format": "date-time",
            "description": "With a blocked message, if waiting helps: the earliest time to try again.",
        },
        "merged_into": {
            "type": "integer",
            "description": "With `merged`: the contact that stayed.",
        },
        "merge": {
            "type": "integer",
            "description": "With `newer_merge`: the merge to undo first.",
        },
        "current": {
            "type": "object",
            "additionalProperties": True,
            "description": "With `stale`: the row as it is now.",
        },
        "appointment": {
            "oneOf": [{"$ref": "#/components/schemas/Appointment"}, {"type": "null"}],
            "description": "With `slot_taken`: the other appointment. Null if it was deleted in the meantime.",
        },
        "conflicts": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/SeriesConflict"},
            "description": "With `series_taken`: each time of the series at which the rep isn't free.",
        },
    },
}


def error_components() -> Document:
    """Return the document's components: the schemas of errors, and an example of each code."""
    lines = [f"- `{code}` ({code.status}): {code.detail} {code.advice}" for code in PUBLISHED]
    enum = {"type": "string", "enum": [code.value for code in PUBLISHED], "description": "\n".join(lines)}
    return {
        "schemas": {
            "ErrorCode": enum,
            "Error": ERROR,
            "ErrorResponse": ERROR_RESPONSE,
            "SeriesConflict": SERIES_CONFLICT,
        },
        "responses": {name: _response(status, codes) for status, (name, codes) in SHARED.items()},
        "examples": {code.value: _example(code) for code in PUBLISHED},
    }


def error_responses(codes: Iterable[ErrorCode]) -> Document:
    """Return the error responses of an operation, by status, with a reference to the example of each code."""
    by_status = defaultdict(set)
    for code in codes:
        by_status[code.status].add(code)
    responses = {}
    for status, its_codes in sorted(by_status.items()):
        name, shared_codes = SHARED.get(status, ("", set()))
        same = its_codes == shared_codes
        responses[str(status)] = {"$ref": f"#/components/responses/{name}"} if same else _response(status, its_codes)
    return responses


def _response(status: int, codes: set[ErrorCode]) -> Document:
    in_order = sorted(codes, key=list(ErrorCode).index)
    content = {
        "schema": {"$ref": "#/components/schemas/ErrorResponse"},
        "examples": {code.value: {"$ref": f"#/components/examples/{code}"} for code in in_order},
    }
    headers = {"headers": HEADERS[status]} if status in HEADERS else {}
    return {"description": DESCRIPTIONS[status], "content": {"application/json": content}, **headers}


def _example(code: ErrorCode) -> Document:
    attr = "phone" if code.status == 400 and code not in WITHOUT_FIELD else None
    body = code.body(attr=attr) | FACTS.get(code, {})
    if code in OF_EXISTING_ROWS:
        body["errors"][0]["existing"] = 7
    return {"summary": code.advice, "value": body}
