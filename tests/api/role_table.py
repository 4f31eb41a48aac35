"""Writes `docs/roles.md` from the table of roles: `python -m tests.api.role_table > docs/roles.md`."""

HEAD = """# Who may do what

The API's resources by role. Written from the table in `crm/api/base/roles.py` by
`python -m tests.api.role_table > docs/roles.md`; a test fails when the two part ways.

- A resource is named by its URL below `/api/v1/`. What is not in the table, nobody may do; a route without a row here
  fails a test.
- *Own*: rows assigned to the user. For a rep those are the calls and visits assigned to them, the analyses of those
  calls, and the contacts of those calls and visits with what hangs on them. Any other row is not there for them, in
  lists, in counts, by id (404), and in what they write (400).
- A role that has nothing on a resource gets 403 for every method; one that lacks the verb gets 403; a verb that nobody
  has is a 405. A verb beyond list, read, create, change and delete is the end of a route, as in
  `webhook-events/{id}/replay`. A field that a role may not change is a 400 that names it.
- Staff have no company and so no API (403); they work in the admin. Everybody may sign in, and ask `me`.
"""

TABLE_HEAD = """
| resource | manager | csr | rep |
|---|---|---|---|
"""

FOOT = """
The test `tests/api/test_role_matrix.py` asks every route with every method as every kind of caller and holds each
answer to this table: {routes} routes x {methods} methods x {callers} callers = **{cells} cells**. It compares every
row of both companies before and after: what is refused has changed nothing, what is allowed has changed the caller's
company alone.
"""


def role_table():
    from crm.api.base.roles import TABLE
    from tests.api.role_spec import CALLERS, CELLS, METHODS, ROUTES

    lines = "".join(
        f"| `{resource}` | {' | '.join(in_words(grant) for grant in grants)} |\n" for resource, grants in TABLE.items()
    )
    foot = FOOT.format(routes=len(ROUTES), methods=len(METHODS), callers=len(CALLERS), cells=f"{CELLS:,}")
    return HEAD + TABLE_HEAD + lines + foot


def in_words(grant):
    usual = ["list", "read", "create", "change", "delete"]
    words = ", ".join([*filter(grant.verbs.__contains__, usual), *sorted(grant.verbs.difference(usual))]) or "–"
    if grant.fields is not None:
        words = words.replace("change", f"change ({', '.join(f'`{name}`' for name in sorted(grant.fields))})")
    return f"own: {words}" if grant.own else words


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(role_table(), end="")
