"""Generator of `docs/errors.md`: `.venv/bin/python -m tests.api.error_table > docs/errors.md`."""

HEAD = """# Errors of the API

Every error response below `/api/` has one shape. Generated from `crm/error_codes.py` by
`.venv/bin/python -m tests.api.error_table > docs/errors.md`; a test fails when the two differ.

```json
{
  "type": "validation_error",
  "errors": [
    {"code": "required", "detail": "This field is required.", "attr": "phone"},
    {"code": "max_length", "detail": "Must have at most 100 characters.", "attr": "first_name"}
  ]
}
```

- `type` is `validation_error` if fields or parameters aren't valid, `client_error` for any other error of the request,
  and `server_error` for a failure of the server.
- `code` is for programs. A code keeps its meaning. `detail` is for people, and its text may change.
- `attr` names the field, the query parameter or the header. An item of a list is `objections.1`. Several fields may be
  invalid at once; any other response has one error. `non_field_errors` is the body as a whole.
- An error of a value that another row has (`unique`, `number_taken`) has that row's ID as `existing`, if the user may
  see it: for a phone number the contact, else a row of the same resource. `existing` is absent if the other row was
  written at the same moment.
- Beside `errors` there may be `retry_at` (a blocked message that may be sent later), `current` (`stale`: the row as it
  is now), `appointment` (`slot_taken`: the other one), `merged_into` (`merged`: the contact that stayed) or `merge`
  (`newer_merge`: the one to undo first).
- 429 and 503 have a `Retry-After` header in seconds. 412 has the `ETag` of the current row.

The OpenAPI document lists the codes that each operation can answer, with an example of each. The tests compare each
error response that they get with it.

## Safe repetition

Every `POST` accepts an `Idempotency-Key`, unless its answer has a secret, as those of `auth`, `events`, tokens and
webhooks: secrets aren't stored. The OpenAPI document has the header where it counts. If a response was lost, send the
same request with the same key again: the operation isn't repeated, and the response is the stored one. Each response
that is one row has an `ETag`; send it as `If-Match` with a `PATCH` or `DELETE`, and a row that somebody else has
changed is a 412 instead of lost work.

## Codes
"""


def error_table():
    from crm.error_codes import PUBLISHED

    lines = [f"| `{code}` | {code.status} | {code.detail} | {code.advice} |\n" for code in PUBLISHED]
    return HEAD + "\n| code | status | what it means | what to do |\n|---|---|---|---|\n" + "".join(lines)


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(error_table(), end="")
