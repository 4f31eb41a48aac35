"""What Prometheus is told: each figure is asked of the database when it scrapes, and no process keeps any."""
