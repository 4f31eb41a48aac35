"""The API's common ground, and the resources of this app."""
