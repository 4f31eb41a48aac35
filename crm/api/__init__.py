"""API framework (`base`) and the resources of this app."""
