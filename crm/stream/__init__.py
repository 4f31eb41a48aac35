"""The stream of changes as server-sent events: one process, one database connection, many clients."""
