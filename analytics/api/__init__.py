"""API of the dashboard, timelines and call analyses."""
