"""API tokens and calendar feeds of a demo company. Nobody knows their secrets."""

import json

from crm.choices import Role
from crm.services.api_tokens import hash_secret
from ops.demo.calendar import DAY, stamp
from ops.demo.company_setup import CompanySetup

NAMES = {Role.MANAGER: "Accounting", Role.CSR: "Website form", Role.REP: "Old route planner"}
SCOPES = {Role.MANAGER: ["invoices:read"], Role.CSR: ["contacts:write", "leads:write"], Role.REP: ["read"]}


def add_api_tokens(setup: CompanySetup) -> None:
    """Add a token of each role, of which that of a rep is revoked, and the calendar feed of a rep."""
    at = setup.calendar.end - 30 * DAY
    for role, name in NAMES.items():
        setup.tables["api_tokens"].add(
            company=setup.company,
            name=name,
            role=role,
            scopes=json.dumps(SCOPES[role]),
            beginning="demo",
            secret_hash=hash_secret(f"demo {setup.company} {role}"),  # no token has a secret of this form
            created_by=setup.manager,
            created_at=stamp(at),
            last_used_at=stamp(at + DAY),
            revoked_at=stamp(at + DAY) if role == Role.REP else None,
        )
    setup.tables["calendar_feeds"].add(
        company=setup.company,
        user=setup.reps[0],
        beginning="demo",
        secret_hash=hash_secret(f"demo {setup.company} calendar"),
        created_by=setup.reps[0],
        created_at=stamp(at),
        last_used_at=stamp(at + DAY),
    )
