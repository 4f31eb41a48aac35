"""Index health: drift, redundancy, usage, bloat, plans and size of the database's indexes."""
