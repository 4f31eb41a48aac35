"""Writes that span several rows: keyword-only functions with their exceptions."""
