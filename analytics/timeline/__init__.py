"""A contact's timeline: activities, calls, appointments, flags and campaign messages in one list."""
