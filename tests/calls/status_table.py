"""Generator of `docs/statuses.md`: `python -m tests.calls.status_table > docs/statuses.md`."""

import os

import django

INTRODUCTION = """# Statuses of calls and appointments

What follows from a status, whether a person, a booking or the admin sets it. Generated from the tables in
`calls/choices.py` by `python -m tests.calls.status_table > docs/statuses.md`; a test fails when the two differ.

## Calls

| status | booked | the call's lead | after a booking | after its last appointment was cancelled |
|---|---|---|---|---|"""

RULES = """
- A booked call of a known contact has a lead: it gets one with its status, or with a contact that it gets later. So
  the dashboard's booked calls are qualified. Such a call keeps a lead: `lead: null` is a 400, and a DELETE of the lead
  a 409. Another status first, such as `unbooked`, allows both.
- A booked call that gets another lead gives it the status of the table. The former lead, if it was booked, won or lost
  and no other booked call has it, becomes qualified.
- The appointments of a call have its lead, at every change of the lead. A trigger on `calls` holds this.
- A call, its lead and its appointments are of one contact: any other is a 400. A lead keeps its contact.
- *unless new* takes an outcome back: a lead that was booked, won or lost becomes qualified; any other stays as it is.
  A lead that belongs to several calls follows the call that changed last.
- `reason_for_lost_sale` belongs to `lost` alone. Any other status empties it, and a reason sent with another status
  is a 400. `quoted_price` stays.
- `missed` is a 400 for an outgoing call, and for a call with `answered_at` or talk time. Every other change of status
  is allowed.
- Webhook events only advance `in_progress` to `missed` to `unbooked`, and never touch a lead. One that tells the
  contact of a booked call brings the call its lead, because a person has booked it.

## Appointments

| from \\ to | """


def page() -> str:
    from calls.choices import AppointmentStatus, CallStatus
    from crm.choices import LeadStatus

    lines = [INTRODUCTION]
    for status in CallStatus:
        lead = "qualified, unless new" if status.lead == LeadStatus.QUALIFIED else status.lead.value
        lines.append(
            f"| `{status.value}` | {'yes' if status.booked else 'no'} | {lead}"
            f" | `{status.when_booked}` | `{status.when_cancelled}` |"
        )
    names = [f"`{status.value}`" for status in AppointmentStatus]
    lines += [RULES + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for old in AppointmentStatus:
        cells = [_effect(old, new) for new in AppointmentStatus]
        lines.append(f"| `{old.value}` | " + " | ".join(cells) + " |")
    lines.append(
        "\nA *booking* and a *cancellation* do to the call what its table says; a cancellation only if no other\n"
        "appointment of the call is left that isn't cancelled. A cancelled appointment doesn't keep its rep busy.\n"
        "An appointment that gets another call, in the admin, is a booking of that call. The former call keeps its\n"
        "status."
    )
    return "\n".join(lines) + "\n"


def _effect(old: str, new: str) -> str:
    from calls.choices import AppointmentStatus

    if (old == AppointmentStatus.CANCELLED) == (new == AppointmentStatus.CANCELLED):
        return "–"
    return "booking" if old == AppointmentStatus.CANCELLED else "cancellation"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(page(), end="")
