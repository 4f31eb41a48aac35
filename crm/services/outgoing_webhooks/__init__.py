"""Outgoing webhooks: changes become events (`events`), which are signed (`signing`) and sent (`sending`)."""
