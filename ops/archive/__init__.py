"""What is old and closed leaves the database for Parquet files, and comes back from them."""
