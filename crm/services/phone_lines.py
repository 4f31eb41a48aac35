"""Phone lines."""

from crm.models import PhoneLine


def resume_line(*, line: PhoneLine) -> PhoneLine:
    """End the pause of a line that its provider refused, so that messages are sent again."""
    line.paused_until, line.pause_reason = None, ""
    line.save(update_fields=["paused_until", "pause_reason"])
    return line
