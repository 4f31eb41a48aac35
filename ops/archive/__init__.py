"""Archive of old, closed rows in Parquet files, from which they can be restored."""
