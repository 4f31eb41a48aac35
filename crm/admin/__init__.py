"""Admin framework (`base`) and the admin of this app's models."""

from crm.admin import (
    activities,
    audit,
    background_tasks,
    companies,
    consents,
    contact_labels,
    contacts,
    duplicates,
    idempotency,
    imports,
    invoices,
    merges,
    opt_outs,
    stored_files,
    users,
    workers,
)

__all__ = [
    "activities",
    "audit",
    "background_tasks",
    "companies",
    "consents",
    "contact_labels",
    "contacts",
    "duplicates",
    "idempotency",
    "imports",
    "invoices",
    "merges",
    "opt_outs",
    "stored_files",
    "users",
    "workers",
]
