"""A company's campaigns, one in each status at least, and how far each got with whom."""

from collections.abc import Iterator

from crm.choices import CampaignStatus, FlagType, MembershipStatus
from crm.models.campaigns import SENT
from messaging.choices import MessageKind, MessageStatus
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Tables
from ops.demo.calendar import DAY, HOUR, MINUTE, stamp
from ops.demo.company_setup import CompanySetup
from ops.demo.random_data import weighted_cycle

AUDIENCE = 150  # contacts of a campaign at most

REACHED = {
    MembershipStatus.DELIVERED: 84,
    MembershipStatus.REPLIED: 7,
    MembershipStatus.SENT: 3,
    MembershipStatus.FAILED: 3,
    MembershipStatus.UNDELIVERED: 3,
}
# How much of the audience was reached when the campaign stopped where it stands.
PROGRESS = {
    CampaignStatus.COMPLETED: 1.0,
    CampaignStatus.RUNNING: 0.6,
    CampaignStatus.PAUSED: 0.4,
    CampaignStatus.CANCELLED: 0.3,
    CampaignStatus.SCHEDULED: 0.0,
    CampaignStatus.DRAFT: 0.0,
}
NOT_SENT = {
    MembershipStatus.FAILED: "The provider refused the number.",
    MembershipStatus.UNDELIVERED: "The carrier reported it undelivered.",
}


def add_campaigns(tables: Tables, setup: CompanySetup, writer: ActivityWriter) -> None:
    """The company's campaigns, evenly over the history: the oldest are completed, the last ones still to come."""
    reached = weighted_cycle(setup.random, REACHED)
    for n, (name, body, status) in enumerate(phrases.CAMPAIGNS):
        day = (n + 2) * setup.calendar.days // (len(phrases.CAMPAIGNS) + 3)
        body = body.format(company=setup.demo.name, job=setup.random.choice(setup.jobs))
        _add_campaign(tables, setup, writer, reached, name=name, body=body, status=CampaignStatus(status), day=day)


def _add_campaign(
    tables: Tables,
    setup: CompanySetup,
    writer: ActivityWriter,
    reached: Iterator[MembershipStatus],
    *,
    name: str,
    body: str,
    status: CampaignStatus,
    day: int,
) -> None:
    created = setup.calendar.midnights[day] + 10 * HOUR
    sending = {
        CampaignStatus.RUNNING: setup.calendar.end - 12 * HOUR,
        CampaignStatus.SCHEDULED: setup.calendar.end + 3 * DAY + 10 * HOUR,
    }.get(status, created + DAY)
    campaign = tables.campaigns.add(
        company=setup.company,
        name=name,
        status=status,
        body=body,
        created_by=setup.manager,
        scheduled_at=stamp(sending) if status != CampaignStatus.DRAFT else None,
        created_at=stamp(created),
        updated_at=stamp(created),
    )
    audience = min(setup.known(day), AUDIENCE)
    had_their_turn = int(audience * PROGRESS[status])
    for position in range(audience):
        if position < had_their_turn:
            result, reason = _result_of_turn(setup, reached, position)
        elif position == had_their_turn and status == CampaignStatus.RUNNING:
            result, reason = MembershipStatus.SENDING, ""
        elif status == CampaignStatus.CANCELLED:
            result, reason = MembershipStatus.SKIPPED, "The campaign was cancelled."
        else:
            result, reason = MembershipStatus.PENDING, ""
        sent = sending + position * 4
        membership = tables.memberships.add(
            company=setup.company,
            campaign=campaign,
            contact=setup.first_contact + position,
            status=result,
            reason=reason,
            created_at=stamp(created),
            sent_at=stamp(sent) if result in SENT else None,
        )
        if result in SENT:
            text_status = MessageStatus.DELIVERED if result == MembershipStatus.REPLIED else MessageStatus(result)
            writer.send(
                position,
                sent,
                body,
                status=text_status,
                by_hand=False,
                kind=MessageKind.CAMPAIGN,
                membership=membership,
            )
        if result == MembershipStatus.REPLIED:
            writer.receive(position, sent + 20 * MINUTE, setup.random.choice(phrases.CAMPAIGN_ANSWERS))


def _result_of_turn(
    setup: CompanySetup, reached: Iterator[MembershipStatus], position: int
) -> tuple[MembershipStatus, str]:
    """How far the campaign got with a contact whose turn it was, and why no further."""
    flag = setup.flag_of(position)
    if flag == FlagType.OPTED_OUT:
        return MembershipStatus.OPTED_OUT, "Said STOP."
    if flag:
        return MembershipStatus.SKIPPED, f"The contact is flagged {FlagType(flag).label.lower()}."
    result = next(reached)
    return result, NOT_SENT.get(result, "")
