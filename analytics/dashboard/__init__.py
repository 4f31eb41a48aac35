"""The dashboard's numbers, each counted by the database in one statement."""
