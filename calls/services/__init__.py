"""Writes to more than one row: keyword-only functions with their exceptions."""
