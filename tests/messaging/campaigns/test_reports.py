"""Reports of campaigns and their A/B tests."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.models import CampaignCount, CampaignMembership
from messaging.services.campaigns.count_rows import CountRow, read_counts
from messaging.services.campaigns.reports import read_report
from messaging.services.campaigns.statistics import Proportion
from messaging.services.campaigns.variant_tests import NEEDED_PER_VARIANT, Verdict, read_test
from tests.factories import CampaignFactory, CampaignMembershipFactory, ContactFactory

NINE = datetime(2026, 3, 2, 16, tzinfo=UTC)  # 9:00 in Denver
TEN = NINE + timedelta(hours=1)
LATER = NINE + timedelta(days=30)


@pytest.fixture
def campaign(in_acme):
    return CampaignFactory(company=in_acme, status="running")


def add(campaign, status, *, number=1, contacts=None, **values):
    contacts = contacts or [ContactFactory(company=campaign.company) for _ in range(number)]
    for contact in contacts:
        CampaignMembershipFactory(campaign=campaign, contact=contact, status=status, **values)
    return contacts


def test_results_have_their_denominators(campaign):
    add(campaign, "pending", number=2)
    add(campaign, "skipped", reason="Landline.")
    add(campaign, "opted_out", reason="Opted out before.")  # never sent: no opt-out of this campaign
    add(campaign, "delivered", number=6, sent_at=NINE, sms_segments=2)
    add(campaign, "replied", number=2, sent_at=NINE, sms_segments=2, booked_at=LATER)
    add(campaign, "opted_out", sent_at=NINE, sms_segments=2)
    add(campaign, "undelivered", sent_at=NINE, sms_segments=2)
    add(campaign, "failed")
    report = read_report(campaign=campaign)
    assert report.by_status == {
        "pending": 2, "sending": 0, "sent": 0, "delivered": 6, "failed": 1, "undelivered": 1, "replied": 2,
        "opted_out": 2, "skipped": 1,
    }  # fmt: skip
    total = report.total
    assert (total.members, total.recipients, total.sms_segments) == (15, 10, 20)
    assert (total.replies, total.bookings, total.opt_outs) == (Proportion(2, 10), Proportion(2, 10), Proportion(1, 10))
    assert total.failures == Proportion(2, 11)
    assert report.test is None


def test_results_follow_each_change_of_a_membership(campaign):
    add(campaign, "sent", number=3, sent_at=NINE, sms_segments=1)
    assert read_report(campaign=campaign).total.replies == Proportion(0, 3)
    CampaignMembership.objects.update(status="replied")
    assert read_report(campaign=campaign).total.replies == Proportion(3, 3)
    assert sum(row.members for row in read_counts(campaign)) == 3


def test_hours_are_those_of_the_company(campaign):
    add(campaign, "sent", sent_at=NINE)
    add(campaign, "replied", number=2, sent_at=NINE + timedelta(minutes=59))
    add(campaign, "sent", sent_at=TEN)
    by_hour = read_report(campaign=campaign).by_hour
    assert {f"{hour:%H:%M %Z}": each.replies for hour, each in by_hour.items()} == {
        "09:00 MST": Proportion(2, 3),
        "10:00 MST": Proportion(0, 1),
    }


def test_contact_of_several_steps_is_one_recipient(campaign):
    both = add(campaign, "delivered", number=2, sent_at=NINE, sms_segments=1)
    add(campaign, "replied", sent_at=NINE, sms_segments=1)
    add(campaign, "replied", contacts=both[:1], step=2, sent_at=TEN, sms_segments=1)
    add(campaign, "pending", contacts=both[1:], step=2)
    report = read_report(campaign=campaign)
    assert (report.total.members, report.total.replies, report.total.sms_segments) == (3, Proportion(2, 3), 4)
    assert {step: (each.members, each.replies) for step, each in report.by_step.items()} == {
        1: (3, Proportion(1, 3)),
        2: (2, Proportion(1, 1)),
    }


def test_contact_who_replies_to_two_steps_is_one_who_replied(campaign):
    """As when the second step left while the reply to the first one came in."""
    contacts = add(campaign, "replied", sent_at=NINE, booked_at=TEN)
    add(campaign, "replied", contacts=contacts, step=2, sent_at=TEN, booked_at=LATER)
    total = read_report(campaign=campaign).total
    assert (total.replies, total.bookings) == (Proportion(1, 1), Proportion(1, 1))
    assert total.replies.interval[1] == 1


def test_other_campaigns_do_not_count(campaign):
    add(CampaignFactory(company=campaign.company, status="running"), "sent", sent_at=NINE)
    assert read_report(campaign=campaign).total.members == 0


def test_variants_are_told_apart(campaign):
    campaign.body_b = "Hello?"
    add(campaign, "sent", number=3, sent_at=NINE)
    add(campaign, "replied", number=2, variant="b", sent_at=NINE)
    report = read_report(campaign=campaign)
    assert {variant: each.replies for variant, each in report.by_variant.items()} == {
        "a": Proportion(0, 3),
        "b": Proportion(2, 2),
    }
    assert report.test.verdict == Verdict.TOO_SMALL


# --- A/B tests --------------------------------------------------------------------------------------------------------


def rows_of(*hours, pending=0):
    """Return the counts of hours with `(recipients, replies to A, replies to B)` of each variant."""
    rows = [CountRow(1, variant, "pending", False, None, pending, 0) for variant in "ab" if pending]
    for number, (recipients, *replies) in enumerate(hours):
        hour = NINE + timedelta(hours=number)
        for variant, count in zip("ab", replies, strict=True):
            rows.append(CountRow(1, variant, "replied", False, hour, count, count))
            rows.append(CountRow(1, variant, "delivered", False, hour, recipients - count, recipients - count))
    return rows


def test_small_test_has_no_verdict_however_large_the_difference():
    test = read_test(rows_of((300, 30, 90)), at=LATER)
    assert (test.verdict, test.winner, test.look) == (Verdict.TOO_SMALL, "", 5)
    assert "300 of the 842 recipients" in test.sentence
    assert test.comparison.difference == pytest.approx(0.2)


def test_replies_count_after_their_72_hours():
    rows = rows_of((1000, 100, 180), pending=0)
    early = read_test(rows, at=NINE + timedelta(hours=72, minutes=59))
    assert (early.verdict, early.recipients, early.look, early.comparison) == (Verdict.NOT_ENOUGH_YET, 0, 0, None)
    assert early.sentence.startswith("Not enough yet: 0 of 1,000 recipients")
    closed = read_test(rows, at=NINE + timedelta(hours=73))
    assert (closed.verdict, closed.winner) == (Verdict.WINNER, "b")


def test_first_look_that_shows_a_winner_is_final():
    rows = rows_of((200, 10, 40), (800, 200, 80))  # later B loses
    test = read_test(rows, at=LATER)
    assert (test.verdict, test.winner, test.look) == (Verdict.WINNER, "b", 1)
    assert test.replies == {"a": Proportion(10, 200), "b": Proportion(40, 200)}
    assert test.comparison.p_value < 0.0158
    assert test.sentence == "Text B gets more replies."


def test_no_look_lies_between_the_planned_numbers():
    rows = rows_of((199, 5, 60), pending=801)
    test = read_test(rows, at=LATER)
    assert (test.verdict, test.recipients, test.planned, test.look) == (Verdict.NOT_ENOUGH_YET, 199, 1000, 0)
    assert test.replies == {}


def test_looks_without_a_difference_wait_for_the_next():
    rows = rows_of((450, 45, 46), pending=550)
    test = read_test(rows, at=LATER)
    assert (test.verdict, test.look) == (Verdict.NOT_ENOUGH_YET, 2)
    assert "450 of 1,000" in test.sentence
    assert "Look 2 of 5" in test.sentence


def test_last_look_without_a_difference_ends_the_test():
    test = read_test(rows_of((1000, 100, 105)), at=LATER)
    assert (test.verdict, test.winner, test.look) == (Verdict.NO_DIFFERENCE, "", 5)


def test_plan_is_the_smaller_variant_without_contacts_who_cannot_get_the_text():
    rows = [*rows_of((1000, 100, 100)), CountRow(1, "a", "skipped", False, None, 500, 0)]
    rows.append(CountRow(1, "b", "pending", False, None, 300, 0))
    assert read_test(rows, at=LATER).planned == 1000


def test_test_without_recipients_is_too_small():
    assert read_test([], at=LATER).verdict == Verdict.TOO_SMALL
    assert NEEDED_PER_VARIANT == 842


def test_counts_are_summed_up(campaign):
    """The job that folds the counts may be late."""
    add(campaign, "sent", sent_at=NINE)
    first = CampaignCount.objects.filter(campaign=campaign).first()
    for members in (5, -2):
        first.pk, first.members, first.sms_segments = None, members, 0
        first.save()
    assert read_report(campaign=campaign).by_status["sent"] == 4
