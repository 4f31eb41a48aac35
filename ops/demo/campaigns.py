"""Campaigns of a company, at least one in each status, and their memberships."""

from crm.choices import CampaignStatus, FlagType, MembershipStatus
from crm.models.campaigns import SENT
from messaging.choices import MessageKind, MessageStatus
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.calendar import DAY, HOUR, MINUTE, stamp
from ops.demo.random_data import weighted_cycle

MAX_CONTACTS = 150  # of a campaign

SENT_STATUSES = {
    MembershipStatus.DELIVERED: 84,
    MembershipStatus.REPLIED: 7,
    MembershipStatus.SENT: 3,
    MembershipStatus.FAILED: 3,
    MembershipStatus.UNDELIVERED: 3,
}
# Share of the contacts that the campaign has reached.
PROGRESS = {
    CampaignStatus.COMPLETED: 1.0,
    CampaignStatus.RUNNING: 0.6,
    CampaignStatus.PAUSED: 0.4,
    CampaignStatus.CANCELLED: 0.3,
    CampaignStatus.SCHEDULED: 0.0,
    CampaignStatus.DRAFT: 0.0,
}
REASONS = {
    MembershipStatus.FAILED: "The provider rejected the number.",
    MembershipStatus.UNDELIVERED: "The carrier reported it undelivered.",
}


class Campaigns:
    """Writes one company's campaigns, evenly over the history: the oldest are completed, the last ones upcoming."""

    def __init__(self, writer: ActivityWriter) -> None:
        self.writer, self.setup = writer, writer.setup
        self.results = weighted_cycle(writer.random, SENT_STATUSES)

    def add_all(self) -> None:
        setup, days = self.setup, self.setup.calendar.days
        for n, (name, body, status) in enumerate(phrases.CAMPAIGNS):
            body = body.format(company=setup.demo.name, job=setup.random.choice(setup.jobs))
            self._add(name, body, CampaignStatus(status), day=(n + 2) * days // (len(phrases.CAMPAIGNS) + 3))

    def _add(self, name: str, body: str, status: CampaignStatus, *, day: int) -> None:
        setup = self.setup
        created = setup.calendar.midnights[day] + 10 * HOUR
        start = {
            CampaignStatus.RUNNING: setup.calendar.end - 12 * HOUR,
            CampaignStatus.SCHEDULED: setup.calendar.end + 3 * DAY + 10 * HOUR,
        }.get(status, created + DAY)
        campaign = setup.tables["campaigns"].add(
            company=setup.company,
            name=name,
            status=status,
            body=body,
            created_by=setup.manager,
            scheduled_at=stamp(start) if status != CampaignStatus.DRAFT else None,
            created_at=stamp(created),
            updated_at=stamp(created),
        )
        contacts = min(setup.contacts_on(day), MAX_CONTACTS)
        reached = int(contacts * PROGRESS[status])
        for position in range(contacts):
            result, reason = self._result(status, position, reached)
            sent_at = start + position * 4
            membership = setup.tables["campaign_memberships"].add(
                **setup.ids(position),
                campaign=campaign,
                status=result,
                reason=reason,
                created_at=stamp(created),
                sent_at=stamp(sent_at) if result in SENT else None,
            )
            if result in SENT:
                replied = result == MembershipStatus.REPLIED
                message_status = MessageStatus.DELIVERED if replied else MessageStatus(result)
                self.writer.send(
                    position,
                    sent_at,
                    body,
                    status=message_status,
                    by_hand=False,
                    kind=MessageKind.CAMPAIGN,
                    membership=membership,
                )
                if replied:
                    answer = setup.random.choice(phrases.CAMPAIGN_ANSWERS)
                    self.writer.receive(position, sent_at + 20 * MINUTE, answer)

    def _result(self, status: CampaignStatus, position: int, reached: int) -> tuple[MembershipStatus, str]:
        """Return the status of a membership, and its reason."""
        if position < reached:
            flag = self.setup.flag_of(position)
            if flag == FlagType.OPTED_OUT:
                return MembershipStatus.OPTED_OUT, "Said STOP."
            if flag:
                return MembershipStatus.SKIPPED, f"The contact is flagged {flag.label.lower()}."
            result = next(self.results)
            return result, REASONS.get(result, "")
        if position == reached and status == CampaignStatus.RUNNING:
            return MembershipStatus.SENDING, ""
        if status == CampaignStatus.CANCELLED:
            return MembershipStatus.SKIPPED, "The campaign was cancelled."
        return MembershipStatus.PENDING, ""
