"""Prometheus metrics, read from the database at each scrape."""
