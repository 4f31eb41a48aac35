"""What staff see of this app, and what every app's admin is made of."""

from crm.admin import campaigns, companies, contacts, evidence, history, idempotency, invoices, opt_outs, users

__all__ = ["campaigns", "companies", "contacts", "evidence", "history", "idempotency", "invoices", "opt_outs", "users"]
