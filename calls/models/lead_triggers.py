"""Triggers on `calls` that give the appointments of a call its new lead, whichever program writes it."""

from crm.db.triggers import Triggers

_SHARE_LEAD = "UPDATE appointments SET lead_id = NEW.lead_id WHERE call_id = NEW.id;"

APPOINTMENTS_SHARE_LEAD = Triggers(
    on="calls",
    name="share_lead",
    postgresql=f"""
BEGIN
    {_SHARE_LEAD}
    RETURN NULL;
END
""",
    each_row={"UPDATE": "OLD.lead_id IS DISTINCT FROM NEW.lead_id"},
    each_statement=(),
    sqlite={"update": f"AFTER UPDATE ON calls WHEN OLD.lead_id IS NOT NEW.lead_id BEGIN {_SHARE_LEAD} END"},
)
