"""Generator of `docs/roles.md`: `.venv/bin/python -m tests.api.role_table > docs/roles.md`."""

HEAD = """# Roles and permissions

The API's resources by role. Generated from the table in `crm/api/base/roles.py` by
`.venv/bin/python -m tests.api.role_table > docs/roles.md`; a test fails when the two differ.

- A resource is named by its URL below `/api/v1/`. A role may do only the actions in its column. A route without a row
  here fails a test.
- *Own*: rows assigned to the user. A rep's own rows are the calls and appointments assigned to them, and the
  analyses of those calls. The contacts of those calls and appointments, with their rows, belong to the rep, too; of
  their calls and appointments only the rep's own, also in timelines and activities. Own background tasks are those that
  the user asked for.
  Other rows don't exist for a rep: in lists, in counts, by ID (404), and in references that they send (400).
- What a row shows of others (`contact_summary`, names, `last_message`) follows the same rules: what the user may not
  see is null. Names of users and phone lines are for every role (`colleagues`, `phone-lines`).
- A verb that no role has, such as PUT, is a 405 for every user. A role without permissions on a resource gets 403 for
  every other method. A role without the verb gets 403. A verb beyond list, read, create, change and delete is the end
  of a route, as in `webhook-events/{id}/replay`. A field that a role may not change is a 400 that names it. In a new
  row the role may set it, but can't name a colleague there: the user or nobody.
- A note is changed by its author alone, and deleted by its author or a manager (else 403). Other activities can't be
  changed (409).
- Staff have no company and can't use the API (403); they work in the admin. Every user may sign in and read `me`.
"""

STAFF = """
## Staff groups

Staff are users without a company who sign in to the admin (`is_staff`). A superuser may do everything there. Others may
do what their groups allow. `migrate` creates three groups and sets their permissions to this table, from
`ops/staff_groups.py`; for other needs, make a group of another name. Some rows, such as activities, can't be added,
changed or deleted in the admin by anybody. To *change* a webhook event is to process it again; to *change* a message is
to release or cancel it while it is held; to *change* a campaign is also to start, pause, resume or cancel it, and to
send a test; to *change* an attachment is to fetch it again, and to add and remove files on contacts and appointments.

"""

FOOT = """
The test `tests/api/test_role_matrix.py` sends every method to every route as every kind of caller. It compares each
response with this table: {routes} routes x {methods} methods x {callers} callers = **{cells} cells**. It compares every
row of both companies before and after. A rejected request has changed nothing; an allowed one has changed the caller's
company alone.
"""


def role_table():
    from crm.api.base.roles import PERMISSIONS, grant_for
    from crm.choices import Role
    from tests.api.role_spec import CALLERS, CELLS, METHODS, ROUTES

    head = f"\n| resource | {' | '.join(Role.values)} |\n|---|{'---|' * len(Role)}\n"
    rows = "".join(
        f"| `{resource}` | {' | '.join(in_words(grant_for(role, resource)) for role in Role)} |\n"
        for resource in PERMISSIONS
    )
    foot = FOOT.format(routes=len(ROUTES), methods=len(METHODS), callers=len(CALLERS), cells=f"{CELLS:,}")
    return HEAD + head + rows + foot + staff_table()


def staff_table():
    from ops.staff_groups import ALL_MODELS, CREDENTIALS, STAFF_GROUPS

    short = {ALL_MODELS: "everything", ALL_MODELS - CREDENTIALS: f"everything but {in_code(CREDENTIALS)}"}
    verbs = ("view", "add", "change", "delete")
    rows = "".join(
        f"| {name} | {' | '.join(short.get(models.get(verb), in_code(models.get(verb, ()))) for verb in verbs)} |\n"
        for name, models in STAFF_GROUPS.items()
    )
    return f"{STAFF}| group | {' | '.join(verbs)} |\n|---|---|---|---|---|\n{rows}"


def in_code(models):
    return ", ".join(f"`{model}`" for model in sorted(models)) or "–"


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
