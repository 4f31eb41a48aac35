"""Signals to the apps above `crm`, which `crm` may not import."""

from django.dispatch import Signal

# A company's time zone changed. Arguments: `company`, with the new time zone, and `now`, from when it applies. Sent in
# the transaction of the change, so that no appointment keeps the old time zone.
company_timezone_changed = Signal()

# A note names colleagues. Arguments: `note`, and `colleagues`, users of its company. Sent in the note's transaction.
colleagues_mentioned = Signal()

# A contact has an appointment. Arguments: `contact_id`, and `at`, the time of booking. Sent in the transaction of the
# booking.
appointment_booked = Signal()
