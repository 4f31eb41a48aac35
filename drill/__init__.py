"""A drill of operation on throw-away servers: backup, restore, failover, outages (`make drill`, docs/drill.md)."""
