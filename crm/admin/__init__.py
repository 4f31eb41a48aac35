"""Admin framework (`base`) and the admin of this app's models."""

from crm.admin import (
    activities,
    audit,
    companies,
    consents,
    contact_labels,
    contacts,
    idempotency,
    invoices,
    opt_outs,
    users,
    workers,
)

__all__ = [
    "activities",
    "audit",
    "companies",
    "consents",
    "contact_labels",
    "contacts",
    "idempotency",
    "invoices",
    "opt_outs",
    "users",
    "workers",
]
