"""API resources of messaging."""
