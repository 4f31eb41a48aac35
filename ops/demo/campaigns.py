"""Campaigns of a company, at least one in each status, and their memberships."""

import json
from collections.abc import Iterator

from crm.choices import CampaignStatus, FlagType, MembershipStatus, Variant
from crm.models.campaigns import SENT
from messaging.choices import MessageKind, MessageStatus
from messaging.sms_segments import count_segments
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.calendar import DAY, HOUR, MINUTE, stamp
from ops.demo.random_data import weighted_cycle

MAX_CONTACTS = 150  # of a campaign

Result = tuple[MembershipStatus, str]  # with its reason
# Of the contacts that the campaign has reached.
RESULTS: dict[Result, int] = {
    (MembershipStatus.DELIVERED, ""): 84,
    (MembershipStatus.REPLIED, ""): 7,
    (MembershipStatus.SENT, ""): 3,
    (MembershipStatus.FAILED, "The provider rejected the number."): 3,
    (MembershipStatus.UNDELIVERED, "The carrier reported it undelivered."): 3,
}
PAUSED_BECAUSE = "The phone line was paused: the provider rejects messages."
SEGMENTS = {
    "All contacts": {"all": []},
    "Not called for a quarter": {
        "all": [
            {"not": {"call": {"within_days": 90}}},
            {"not": {"appointment": {"within_days": 90}}},
        ]
    },
}
SHARE_REACHED = {"completed": 1.0, "running": 0.6, "paused": 0.4, "cancelled": 0.3}


def add_campaigns(writer: ActivityWriter) -> None:
    """Add the campaigns evenly over the history: the oldest are completed, the last ones upcoming."""
    setup, results = writer.setup, weighted_cycle(writer.random, RESULTS)
    _add_segments(writer)
    starts = {"running": setup.calendar.end - 12 * HOUR, "scheduled": setup.calendar.end + 3 * DAY + 10 * HOUR}
    for n, (name, text, text_b, purpose, status) in enumerate(phrases.CAMPAIGNS):
        day = (n + 2) * setup.calendar.days // (len(phrases.CAMPAIGNS) + 3)
        created = setup.calendar.midnights[day] + 10 * HOUR
        start = starts.get(status, created + DAY)
        body = writer.phrase(text)
        campaign = setup.tables["campaigns"].add(
            company=setup.company,
            name=name,
            purpose=purpose,
            status=status,
            status_reason=PAUSED_BECAUSE if status == CampaignStatus.PAUSED else "",
            body=body,
            body_b=writer.phrase(text_b),
            phone_line=setup.lines[1].id,
            created_by=setup.manager,
            scheduled_at=stamp(start) if status != CampaignStatus.DRAFT else None,
            created_at=stamp(created),
            feed_at=stamp(setup.calendar.end if status == CampaignStatus.RUNNING else created),
            started_at=stamp(start) if status in SHARE_REACHED else None,
            started_by=setup.manager if status in SHARE_REACHED else None,
            ended_at=stamp(start + DAY) if status in ("completed", "cancelled") else None,
        )
        if status == CampaignStatus.DRAFT:
            setup.tables["campaign_steps"].add(
                company=setup.company,
                campaign=campaign,
                step=2,
                delay_minutes=3 * 24 * 60,
                body=writer.phrase(phrases.SECOND_STEP),
                created_at=stamp(created),
            )
        contacts = min(setup.contacts_on(day), MAX_CONTACTS)
        reached = int(contacts * SHARE_REACHED.get(status, 0))
        for position in range(contacts):
            if position < reached:
                result, reason = _result(setup.flag_of(position), results)
            elif position == reached and status == CampaignStatus.RUNNING:
                result, reason = MembershipStatus.SENDING, ""
            elif status == CampaignStatus.CANCELLED:
                result, reason = MembershipStatus.SKIPPED, "The campaign was cancelled."
            else:
                result, reason = MembershipStatus.PENDING, ""
            sent_at = start + position * 4
            variant = Variant.B if text_b and position % 2 else Variant.A
            sent_body = writer.phrase(text_b) if variant == Variant.B else body
            membership = setup.tables["campaign_memberships"].add(
                **setup.about(position, created),
                campaign=campaign,
                variant=variant,
                sms_segments=count_segments(sent_body) if result in SENT else 0,
                status=result,
                reason=reason,
                sent_at=stamp(sent_at) if result in SENT else None,
            )
            if result in SENT:
                replied = result == MembershipStatus.REPLIED
                message_status = MessageStatus.DELIVERED if replied else MessageStatus(result)
                kind = MessageKind.CAMPAIGN
                writer.send(position, sent_at, sent_body, kind=kind, status=message_status, membership=membership)
                if replied:
                    writer.receive(position, sent_at + 20 * MINUTE, writer.phrase(*phrases.CAMPAIGN_ANSWERS))


def _add_segments(writer: ActivityWriter) -> None:
    setup = writer.setup
    for name, definition in SEGMENTS.items():
        setup.tables["segments"].add(
            company=setup.company,
            name=name,
            definition=json.dumps(definition),
            created_by=setup.manager,
            created_at=stamp(setup.calendar.start),
        )


def _result(flag: FlagType | None, results: Iterator[Result]) -> Result:
    """Return the result for a contact that the campaign has reached."""
    if flag == FlagType.OPTED_OUT:
        return MembershipStatus.OPTED_OUT, "Said STOP."
    if flag:
        return MembershipStatus.SKIPPED, f"The contact is flagged {flag.label.lower()}."
    return next(results)
