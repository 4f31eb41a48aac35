"""What staff see of this app, and what every app's admin is made of."""

from crm.admin import activities, audit, campaigns, companies, contacts, idempotency, invoices, opt_outs, users

__all__ = ["activities", "audit", "campaigns", "companies", "contacts", "idempotency", "invoices", "opt_outs", "users"]
