"""Webhook endpoints of the providers."""
