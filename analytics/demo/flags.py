"""What must be remembered about some contacts."""

from analytics.demo.cast import Cast
from analytics.demo.chronicle import Chronicle
from analytics.demo.clock import DAY, HOUR, stamp
from analytics.demo.tables import Tables
from crm.choices import FlagType

# Reason, source and evidence.
STORIES = {
    FlagType.OPTED_OUT: ("Said STOP.", "sms", "STOP"),
    FlagType.DO_NOT_CONTACT: ("Asked not to be called for a year.", "manual", "Told the CSR on the phone."),
    FlagType.OFFICE_NUMBER: ("Reception of an office building.", "manual", ""),
    FlagType.INVALID_NUMBER: ("The carrier says that the number is not in service.", "provider", "30005"),
}


def add_flags(tables: Tables, cast: Cast, chronicle: Chronicle) -> None:
    """The flags of the company's contacts, from the evening of the day on which each was met."""
    for position in range(cast.contacts):
        flag = cast.flag_of(position)
        if flag is None:
            continue
        reason, source, evidence = STORIES[FlagType(flag)]
        flagged = cast.calendar.midnights[cast.met_on(position)] + 19 * HOUR
        tables.contact_flags.add(
            company=cast.company,
            contact=cast.first_contact + position,
            flag_type=flag,
            reason=reason,
            source=source,
            evidence=evidence,
            created_by=cast.manager if source == "manual" else None,
            created_at=stamp(flagged),
            expires_at=stamp(flagged + 365 * DAY) if flag == FlagType.DO_NOT_CONTACT else None,
        )
        if flag == FlagType.OPTED_OUT:
            chronicle.receive(position, flagged, evidence)
        tables.write_when_full()
