"""Two texts of one membership, as a merge of contacts leaves them: the person gets one, and the member says so."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import CampaignMembership
from crm.services.merging.merge import merge_contacts
from crm.services.merging.undo import undo_merge
from messaging.models import Message
from messaging.providers.errors import Rejected, UnknownOutcome
from messaging.providers.interfaces import SentMessage
from messaging.services.campaigns.recall import recall_messages
from messaging.services.outbound.claims import claim_messages
from messaging.services.outbound.holding import cancel_messages, hold_messages
from messaging.services.outbound.ready_lines import ReadyLine
from messaging.services.outbound.send_results import postpone_message
from messaging.services.outbound.sending import mark_departures
from messaging.services.outbound.settlement import settle
from tests.conftest import postgres_only
from tests.factories import (
    CampaignFactory,
    CampaignMembershipFactory,
    CompanyFactory,
    ContactFactory,
    MessageFactory,
    PhoneLineFactory,
    fictional_number,
)
from tests.messaging.clocks import zone_with_hour

ROUNDS = 4


@pytest.fixture(autouse=True)
def fast_lines(settings):
    settings.SMS_PER_SECOND = 10_000


@pytest.fixture
def running(draft, in_acme):
    draft.status, draft.started_at = "running", timezone.now()
    draft.save()
    return draft


@pytest.fixture
def member(running, add_members):
    [member] = add_members(running)
    return member


def text_of(member, status="queued", **values):
    return MessageFactory(
        contact=member.contact,
        phone_line=member.campaign.phone_line,
        membership=member,
        direction="outgoing",
        kind="campaign",
        to_numbers=[member.contact.phone],
        status=status,
        run_at=timezone.now(),
        **values,
    )


def claim(line):
    line = ReadyLine(line_id=line.pk, company_id=line.company_id, provider=line.provider, priorities=(2,))
    return claim_messages(ready=line).messages


def claimed(member):
    """Return a text of the member that a worker has claimed."""
    text_of(member)
    [message] = claim(member.campaign.phone_line)
    return message


def state(member):
    """Return the member's status, and those of its texts."""
    member.refresh_from_db()
    return member.status, sorted(member.messages.values_list("status", flat=True))


@pytest.mark.parametrize("status", ["sent", "delivered"])
def test_text_of_a_member_who_has_got_another_one_does_not_leave(member, status):
    message = claimed(member)
    text_of(member, status)
    assert mark_departures(messages=[message]) == ([], [])
    assert state(member) == ("sending", sorted(["failed", status]))
    line = member.campaign.phone_line
    line.refresh_from_db()
    assert line.sent_segments == 0


@pytest.mark.parametrize("status", ["sending", "unknown"])
def test_text_of_a_member_who_may_have_got_another_one_waits_for_its_outcome(member, status):
    message, other = claimed(member), text_of(member, status, tries=1)
    assert mark_departures(messages=[message]) == ([], [])
    assert state(member) == ("sending", sorted(["queued", status]))
    assert claim(member.campaign.phone_line) == []  # not at once
    reject(other)
    Message.objects.filter(pk=message.pk).update(run_at=timezone.now())
    messages = claim(member.campaign.phone_line)
    assert mark_departures(messages=messages) == ([message], [])


@pytest.mark.parametrize("status", ["failed", "undelivered", "queued", "held"])
def test_text_of_a_member_who_has_got_no_other_one_leaves(member, status):
    message = claimed(member)
    text_of(member, status)
    assert mark_departures(messages=[message]) == ([message], [])


def test_of_two_texts_in_one_departure_one_leaves(running, add_members):
    members = add_members(running, 2)
    for each in members:
        text_of(each)
    messages = claim(running.phone_line)
    Message.objects.update(membership=members[0])
    leaving, blocked = mark_departures(messages=messages)
    assert (leaving, blocked) == (messages[:1], [])
    assert state(members[0]) == ("sending", ["queued", "sending"])
    settle(outcomes=[(leaving[0], SentMessage(openphone_id="AC1", status="sent"))])
    Message.objects.update(run_at=timezone.now())
    assert mark_departures(messages=claim(running.phone_line)) == ([], [])
    assert state(members[0]) == ("sent", ["failed", "sent"])


def test_text_leaves_although_the_one_of_the_gone_contact_departs_after_it(running, add_members):
    """That one is claimed, and goes to a number that isn't a main number any more."""
    kept, gone = add_members(running, 2)
    for each in (kept, gone):
        text_of(each)
    messages = claim(running.phone_line)
    merge_contacts(kept=kept.contact, gone=gone.contact, user=None)
    for message in messages:
        _, blocked = mark_departures(messages=[message])
        settle(outcomes=blocked)
    assert state(kept) == ("sending", ["failed", "queued"])
    Message.objects.filter(status="queued").update(run_at=timezone.now())
    assert mark_departures(messages=claim(running.phone_line)) == ([messages[0]], [])


def test_text_leaves_whose_twin_of_the_same_departure_is_blocked(running, add_members):
    """The claimed text of the gone contact goes to a number that isn't a main number any more."""
    gone, kept = add_members(running, 2)
    for each in (gone, kept):
        text_of(each)
    messages = claim(running.phone_line)
    merge_contacts(kept=kept.contact, gone=gone.contact, user=None)
    leaving, blocked = mark_departures(messages=messages)
    assert [message.to_numbers for message in leaving] == [[kept.contact.phone]]
    settle(outcomes=blocked)
    assert state(kept) == ("sending", ["failed", "sending"])
    settle(outcomes=[(leaving[0], SentMessage(openphone_id="AC1", status="sent"))])
    assert state(kept) == ("sent", ["failed", "sent"])


def reject(message):
    settle(outcomes=[(message, Rejected("No such number."))])


def opt_out(message):
    settle(outcomes=[(message, Rejected("The contact has opted out.", code="21610"))])


def give_up(message):
    Message.objects.filter(pk=message.pk).update(status="queued", tries=10)
    postpone_message(message=message, error=ValueError())


def cancel(message):
    Message.objects.filter(pk=message.pk).update(status="queued")
    own = Message.objects.filter(pk=message.pk)
    hold_messages(messages=own, reason="A person decides.")
    cancel_messages(messages=own)


@pytest.mark.parametrize("fail", [reject, opt_out, give_up, cancel])
def test_member_ends_with_the_text_that_left_and_not_with_the_one_that_did_not(member, fail):
    message, other = claimed(member), text_of(member, "sending")
    fail(message)
    assert state(member) == ("sending", ["failed", "sending"])
    settle(outcomes=[(other, SentMessage(openphone_id="AC1", status="sent"))])
    assert state(member) == ("sent", ["failed", "sent"])


def test_member_ends_with_the_last_of_the_texts_that_did_not_leave(member):
    message, other = claimed(member), text_of(member, "unknown", tries=1)
    reject(message)
    reject(other)
    assert state(member) == ("failed", ["failed", "failed"])


def test_member_does_not_wait_again_while_another_text_may_have_left(member):
    message = claimed(member)
    text_of(member, "unknown")
    Message.objects.filter(pk=message.pk).update(status="queued")
    assert recall_messages(messages=Message.objects.filter(pk=message.pk)) == 0
    assert state(member) == ("sending", ["unknown"])


@pytest.mark.parametrize("outcome", [SentMessage(openphone_id="AC1", status="sent"), UnknownOutcome("No answer.")])
def test_text_of_a_member_that_a_merge_replaced_ends_the_one_that_stands_for_it(running, add_members, outcome):
    gone, kept = add_members(running, 2)
    for each in (gone, kept):
        text_of(each)
    messages = claim(running.phone_line)
    mark_departures(messages=messages)
    merge_contacts(kept=kept.contact, gone=gone.contact, user=None)
    settle(outcomes=[(messages[1], Rejected("No such number."))])
    settle(outcomes=[(messages[0], outcome)])
    ended = isinstance(outcome, SentMessage)
    assert state(kept) == (("sent", ["failed", "sent"]) if ended else ("sending", ["failed", "unknown"]))


def test_text_that_leaves_after_a_merge_with_a_failed_member_is_the_member_s(running, add_members):
    gone, kept = add_members(running, 2)
    CampaignMembership.objects.filter(pk=kept.pk).update(status="failed")
    text_of(kept, "failed")
    message = claimed(gone)
    merge_contacts(kept=kept.contact, gone=gone.contact, user=None)
    settle(outcomes=[(message, SentMessage(openphone_id="AC1", status="sent"))])
    assert state(gone) == ("sent", ["failed", "sent"])


def test_members_of_an_undone_merge_are_where_their_texts_are(running, add_members):
    gone, kept = add_members(running, 2)
    for each in (gone, kept):
        text_of(each)
    messages = claim(running.phone_line)
    mark_departures(messages=messages)
    merge = merge_contacts(kept=kept.contact, gone=gone.contact, user=None)
    settle(outcomes=[(message, SentMessage(openphone_id=f"AC{message.pk}", status="sent")) for message in messages])
    undo_merge(merge=merge, user=None)
    assert [state(member) for member in (gone, kept)] == [("sent", ["sent"])] * 2


@postgres_only
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_texts_that_depart_at_the_same_moment_one_leaves():
    company = CompanyFactory()
    line = PhoneLineFactory(company=company)
    campaign = CampaignFactory(
        company=company, phone_line=line, status="running", started_at=timezone.now(), body="Roof check?"
    )
    for number in range(ROUNDS):
        contacts = [
            ContactFactory(company=company, phone=fictional_number(1000 + 2 * number + n), timezone=zone_with_hour(14))
            for n in range(2)
        ]
        members = [CampaignMembershipFactory(campaign=campaign, contact=contact) for contact in contacts]
        with tenant(company.pk):
            for each in members:
                text_of(each)
        messages = claim(line)
        with tenant(company.pk):
            Message.objects.filter(membership__in=members).update(membership=members[0])
        start = threading.Barrier(2)

        def depart(message, start=start):
            try:
                start.wait()
                return mark_departures(messages=[message])[0]
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            left = list(pool.map(depart, messages))
        assert sorted(map(len, left)) == [0, 1]
