"""Calls, and the visits that are booked from them."""

from calls.models.appointments import Appointment
from calls.models.calls import Call

__all__ = ["Appointment", "Call"]
