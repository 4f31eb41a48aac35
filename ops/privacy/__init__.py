"""Privacy requests: export and erasure of a contact's personal data."""
