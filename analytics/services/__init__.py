"""Writes over more than one row: keyword-only functions, their exceptions beside them."""
