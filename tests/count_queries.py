"""Counting what a piece of the product asks of the database."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

# What a transaction and the tenant entered for it cost, whatever is asked in it: the same few each time.
HOUSEKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "SELECT set_config", "SELECT coalesce(curr")


class CountQueries(CaptureQueriesContext):
    """`with CountQueries() as asked:`, and `len(asked)` statements were about rows."""

    def __init__(self):
        super().__init__(connection)

    def __len__(self):
        return len([query for query in self.captured_queries if not query["sql"].startswith(HOUSEKEEPING)])
