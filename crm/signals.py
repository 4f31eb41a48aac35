"""What this app tells the apps above it, which it may not import."""

from django.dispatch import Signal

# A company's time zone changed: `company`, which has the new one, and `now`, from when on it holds. Sent inside the
# transaction that changes it, so that no visit is left behind on the old clock.
company_timezone_changed = Signal()
