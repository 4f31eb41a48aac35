"""A company's own lines."""

from crm.models import PhoneLine


def resume_line(*, line: PhoneLine) -> PhoneLine:
    """Let texts leave over the line again, however long the provider's refusal was to pause it."""
    line.paused_until, line.pause_reason = None, ""
    line.save(update_fields=["paused_until", "pause_reason"])
    return line
