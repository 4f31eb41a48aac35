"""Signals of `crm`: to the apps above, which it may not import, and from its querysets to its services."""

from django.dispatch import Signal

# A company's time zone changed. Arguments: `company`, with the new time zone, and `now`, from when it applies. Sent in
# the transaction of the change, so that no appointment keeps the old time zone.
company_timezone_changed = Signal()

# Queries on contact_phones, for whose rows Django sends no signals. Sent in the query's transaction.
numbers_added = Signal()  # argument: `rows`, some of which may have been ignored
number_moved = Signal()  # arguments: the row `before`, and `instance`, the row afterwards
