"""All that happened with one contact, of whatever kind, in one list."""
