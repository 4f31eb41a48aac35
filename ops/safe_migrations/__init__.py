"""Migrations on a database in use: what each step locks, for how long, and how to run it so that nobody waits."""
