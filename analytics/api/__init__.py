"""The API's resources of this app."""
