"""Send policy: a table of contacts, times and lines, with the reasons for blocked messages."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.services.opt_outs import flag_possible_opt_out, record_opt_in, record_opt_out
from messaging.models import Message
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.send_policy import SendBlocked, check_message
from tests.factories import ActivityFactory, ContactFactory, ContactFlagFactory, MessageFactory, PhoneLineFactory
from tests.messaging.clocks import zone_with_hour

NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)  # a Tuesday in New York
NIGHT = datetime(2026, 3, 3, 5, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 13, tzinfo=UTC)
TOO_LATE = "A confirmation must be sent within five minutes of the opt-out or opt-in."
STOP = {"words": "STOP", "source": "sms"}
EVERY_KIND = ["reply", "campaign", "reminder", "missed_call", "confirmation"]
DEFERRABLE = ["campaign", "reminder", "missed_call"]


@pytest.fixture
def line(acme):
    return PhoneLineFactory(company=acme, number="+12125550180", daily_cap=10)


@pytest.fixture
def casey(in_acme):
    return ContactFactory(company=in_acme, phone="+12125550101")


@pytest.fixture
def ask(line, casey):
    """Return None if the message is allowed, else the reason and the retry time."""

    def ask(kind="reply", *, contact=casey, body="On our way.", now=NOON):
        try:
            check_message(contact=contact, phone=contact.phone, line=line, kind=kind, body=body, now=now)
        except SendBlocked as blocked:
            return str(blocked), blocked.retry_at
        return None

    return ask


def opt_out(contact, at=NOON):
    record_opt_out(phone=contact.phone, occurred_at=at, **STOP)


@pytest.mark.parametrize("kind", ["reply", "campaign", "reminder", "missed_call"])
def test_all_kinds_are_allowed_at_noon(ask, kind):
    assert ask(kind) is None


@pytest.mark.parametrize("kind", ["reply", "campaign", "reminder", "missed_call"])
def test_opted_out_number_gets_nothing(ask, casey, kind):
    opt_out(casey)
    assert ask(kind) == ("The contact has opted out.", None)
    record_opt_in(phone=casey.phone, words="START", source="sms", occurred_at=NOON + timedelta(minutes=1))
    assert ask(kind) is None


@pytest.mark.parametrize("kind", ["reply", "campaign", "reminder", "missed_call"])
def test_number_under_review_gets_nothing(ask, casey, kind):
    flag_possible_opt_out(phone=casey.phone, words="take me off your list", source="sms", occurred_at=NOON)
    reason, retry_at = ask(kind)
    assert "review the opt-out" in reason
    assert retry_at is None


def test_flag_alone_blocks(ask, casey):
    ContactFlagFactory(contact=casey, flag_type="opted_out")
    assert ask() == ("The contact has opted out.", None)


def test_opt_out_row_alone_blocks(ask, casey):
    opt_out(casey)
    casey.flags.all().delete()
    assert ask() == ("The contact has opted out.", None)


def test_other_contacts_and_companies_do_not_block(ask, casey, globex):
    opt_out(ContactFactory(company=casey.company, phone="+12125550102"))
    ContactFlagFactory(contact=ContactFactory(company=globex, phone=casey.phone), flag_type="opted_out")
    assert ask() is None


def test_expired_flag_does_not_block(ask, casey):
    for flag_type in ("opted_out", "do_not_contact", "invalid_number"):
        ContactFlagFactory(contact=casey, flag_type=flag_type, expires_at=NOON - timedelta(days=999))
    assert ask() is None


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize(
    ("flag_type", "reason"),
    [
        ("do_not_contact", "The contact is flagged as do not contact."),
        ("invalid_number", "The contact's number is flagged as invalid."),
    ],
)
def test_flags_block_every_kind_of_message(ask, casey, kind, flag_type, reason):
    if kind == "confirmation":
        opt_out(casey)
    ContactFlagFactory(contact=casey, flag_type=flag_type)
    assert ask(kind) == (reason, None)


def test_office_number_is_allowed(ask, casey):
    ContactFlagFactory(contact=casey, flag_type="office_number")
    assert ask() is None


@pytest.mark.parametrize(
    ("minutes", "goes"), [(0, True), (4, True), (5, True), (6, False), (60, False)]
)  # fmt: skip
def test_confirmation_is_allowed_within_five_minutes_of_the_opt_out(ask, casey, minutes, goes):
    opt_out(casey, NOON)
    refused = ask("confirmation", now=NOON + timedelta(minutes=minutes))
    assert refused == (
        None if goes else ("A confirmation must be sent within five minutes of the opt-out or opt-in.", None)
    )


def test_confirmation_without_an_opt_out_is_blocked(ask):
    assert ask("confirmation") == (TOO_LATE, None)


@pytest.mark.parametrize("phone", ["+15555550100", "+12", "22000", "Anonymous", "+11115550100"])
def test_invalid_number_is_blocked(ask, in_acme, phone):
    odd = ContactFactory(company=in_acme, phone=phone)
    assert ask(contact=odd) == (f"{phone} isn't a valid phone number.", None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "The message must not be empty."),
        (" \n\t", "The message must not be empty."),
        ("a" * 1601, "The message has 1601 characters; shorten it to 1600."),
    ],
)
def test_message_must_have_1_to_1600_characters(ask, line, body, reason):
    line.daily_cap = 2000
    assert ask(body=body) == (reason, None)
    assert ask(body="a" * 1600) is None


def test_paused_line_blocks_with_reason_and_time(ask, line):
    line.paused_until, line.pause_reason = NOON + timedelta(hours=1), "Not enough credits"
    assert ask() == ("The phone line is paused: Not enough credits", NOON + timedelta(hours=1))
    assert ask(now=NOON + timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("sent", "body", "goes"),
    [
        (9, "a" * 160, True),
        (9, "a" * 161, False),
        (10, "a", False),
        (8, "’" * 71, True),
        (9, "’" * 71, False),
        (0, "a" * 1600, True),  # 11 segments: it would never go otherwise
    ],
)
def test_daily_cap_limits_segments(ask, line, sent, body, goes):
    line.sent_on, line.sent_segments = NOON.date(), sent
    midnight = datetime(2026, 3, 4, tzinfo=UTC)
    assert ask(body=body) == (None if goes else ("The phone line has reached its daily cap of 10 segments.", midnight))
    assert ask(body=body, now=midnight) is None


@pytest.mark.parametrize("kind", DEFERRABLE)
def test_deferrable_message_waits_for_the_morning(ask, kind):
    opens = MORNING + timedelta(hours=1) if kind == "campaign" else MORNING
    assert ask(kind, now=NIGHT) == ("It is too early or too late in the contact's time zone.", opens)


@pytest.mark.parametrize("kind", DEFERRABLE)
@pytest.mark.parametrize(
    ("hours", "opens"),
    [
        ({}, None),
        ({"quiet_hours_start": 14}, None),
        ({"quiet_hours_end": 14}, datetime(2026, 3, 3, 19, tzinfo=UTC)),
        ({"quiet_hours_start": 13, "quiet_hours_end": 11}, datetime(2026, 3, 4, 16, tzinfo=UTC)),
    ],
)
def test_automatic_message_waits_for_the_hours_of_the_company(ask, line, kind, hours, opens):
    for name, hour in hours.items():
        setattr(line.company, name, hour)
    found = ask(kind, now=datetime(2026, 3, 3, 18, tzinfo=UTC))  # 13:00 in New York
    assert (found and found[1]) == opens


def test_hours_of_the_company_do_not_widen_those_of_a_state(ask, casey, line):
    casey.state = "Kentucky"  # from ten on; it is an hour behind in the west
    early = NOON - timedelta(hours=4)
    for hour, opens in ((8, NOON - timedelta(hours=1)), (11, NOON)):
        line.company.quiet_hours_end = hour
        assert ask("reminder", now=early)[1] == opens


def test_reply_ignores_the_hours_of_the_company(ask, line):
    line.company.quiet_hours_start = 9
    assert ask("reply") is None


def test_response_is_allowed_at_night(ask, casey):
    opt_out(casey, NIGHT)
    assert ask("confirmation", now=NIGHT) is None
    record_opt_in(phone=casey.phone, words="START", source="sms", occurred_at=NIGHT)
    record_opt_in(phone=casey.phone, words="START", source="sms", occurred_at=NIGHT + timedelta(seconds=1))
    assert ask("reply", now=NIGHT) is None


@pytest.mark.parametrize(
    ("fields", "opens"),
    [
        ({"timezone": "America/Los_Angeles"}, 16),  # the contact's zone precedes the number's
        ({"phone": "+12085550100"}, 16),  # Boise and Los Angeles
        ({"phone": "+18005550100"}, 15),  # toll-free: the company's zone, Denver
        ({"phone": "+13055550100"}, 13),
        ({"timezone": "Mars/Olympus"}, 13),
        ({"timezone": "America"}, 13),
        ({"timezone": "../Denver"}, 13),
        ({"state": "TX"}, 16),  # 9:00 in El Paso; the number is from New York
        ({"state": "Kentucky"}, 16),  # 10:00 in its west
        ({"state": " california"}, 16),
        ({"state": "New York"}, 13),
        ({"state": "FL", "phone": "+13055550100"}, 13),  # Miami: the number names the part of the state
        ({"state": "FL", "phone": "+18005550100"}, 14),  # toll-free; 9:00 in the east of Florida
        ({"state": "Ontario"}, 13),
        ({"state": "TX", "timezone": "America/New_York"}, 14),
    ],
)
def test_time_zone_is_the_contacts_else_those_of_number_and_state_else_the_companys(ask, in_acme, fields, opens):
    contact = ContactFactory(company=in_acme, **{"phone": "+12125550102"} | fields)
    assert ask("reminder", contact=contact, now=NIGHT)[1] == datetime(2026, 3, 3, opens, tzinfo=UTC)


def test_florida_hours_apply_to_its_area_codes(ask, in_acme):
    contact = ContactFactory(company=in_acme, phone="+13055550100")
    half_past_eight = datetime(2026, 3, 4, 1, 30, tzinfo=UTC)
    assert ask("reminder", now=half_past_eight) is None
    assert ask("reminder", contact=contact, now=half_past_eight)[1] == datetime(2026, 3, 4, 13, tzinfo=UTC)


def send_campaign_messages(contact, *hours_ago, status="sent"):
    for hours in hours_ago:
        activity = ActivityFactory(contact=contact, activity_type="message", direction="outgoing")
        MessageFactory(
            contact=contact, activity=activity, direction="outgoing", kind="campaign", status=status,
            created_at=NOON - timedelta(hours=hours), run_at=NOON,
        )  # fmt: skip


def test_campaign_messages_are_limited_to_three_in_24_hours(ask, casey):
    send_campaign_messages(casey, 1, 20, 25)
    assert ask("campaign") is None
    send_campaign_messages(casey, 22)
    assert ask("campaign") == ("The contact has had 3 campaign messages within 24 hours.", NOON + timedelta(hours=2))
    assert ask("reminder") is None
    assert ask("campaign", now=NOON + timedelta(hours=2)) is None


@pytest.mark.parametrize(
    ("status", "counts"),
    [("sending", True), ("unknown", True), ("undelivered", True), ("queued", False), ("failed", False)],
)
def test_possibly_sent_messages_count_towards_the_limit(ask, casey, status, counts):
    send_campaign_messages(casey, 1, 2, 3, status=status)
    assert (ask("campaign") is not None) == counts


def test_retry_time_satisfies_all_checks(ask, line, casey):
    line.paused_until = datetime(2026, 3, 4, 3, tzinfo=UTC)  # 22:00 of that day
    assert ask("reply")[1] == line.paused_until
    assert ask("reminder") == (
        "The phone line is paused: the provider rejects messages",
        datetime(2026, 3, 4, 13, tzinfo=UTC),
    )


# --- Outbox ---


def test_blocked_message_is_not_queued(in_acme, line, casey):
    opt_out(casey)
    with pytest.raises(SendBlocked, match="opted out"):
        queue_message(contact=casey, line=line, body="Hello", kind="campaign")
    assert not Message.objects.exists()


def test_deferrable_message_is_queued_for_later(in_acme, line, casey):
    casey.timezone = zone_with_hour(3)
    message = queue_message(contact=casey, line=line, body="Your visit is tomorrow.", kind="reminder")
    assert message.status == "queued"
    assert message.run_at > message.created_at + timedelta(hours=4)
    assert message.error == "It is too early or too late in the contact's time zone."


def test_late_response_is_blocked(in_acme, line, casey):
    line.paused_until = datetime(2999, 1, 1, tzinfo=UTC)
    with pytest.raises(SendBlocked) as refused:
        queue_message(contact=casey, line=line, body="Hello", kind="reply")
    assert refused.value.retry_at == line.paused_until
    assert not Message.objects.exists()


def test_allowed_message_is_due_at_once(in_acme, line, casey):
    casey.timezone = zone_with_hour(14)
    message = queue_message(contact=casey, line=line, body="Spring check?", kind="campaign")
    assert (message.status, message.error, message.run_at) == ("queued", "", message.created_at)
