"""API resources of this app."""
