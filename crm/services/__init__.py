"""Use cases: all writes of the app's rows that keep several rows consistent."""
