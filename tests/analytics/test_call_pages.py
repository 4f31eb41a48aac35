"""The page of a call in the admin: what was said, and its analysis."""

import re

import pytest
from django.urls import reverse

from tests.count_queries import CountQueries
from tests.factories import (
    ActivityFactory,
    CallAnalysisFactory,
    CallDetailFactory,
    CallFactory,
    ContactFactory,
    ContactFlagFactory,
    ConversationFactory,
    PhoneLineFactory,
)

pytestmark = pytest.mark.usefixtures("staff_client")

CALLER, OURS = "+13035550142", "+13035550100"


@pytest.fixture
def call(acme):
    line = PhoneLineFactory(company=acme, number=OURS, name="Front desk")
    contact = ContactFactory(company=acme, phone=CALLER, first_name="Robin", last_name="Field")
    conversation = ConversationFactory(contact=contact, phone_line=line)
    activity = ActivityFactory(
        contact=contact, conversation=conversation, activity_type="call", direction="incoming", body=""
    )
    return CallFactory(
        contact=contact, phone_line=line, activity=activity, direction="incoming", duration_s=65,
        recording_url="https://files.example.com/1.mp3", voicemail_url="javascript:alert(1)",
    )  # fmt: skip


def show(client, call):
    html = client.get(reverse("admin:calls_call_change", args=[call.pk])).content.decode()
    return html.partition('class="story"')[2].partition("story-form")[0]


def test_page_shows_what_was_said_and_by_whom(client, call):
    transcript = [
        {"speaker": CALLER, "start": 0, "end": 4.5, "text": "My roof <leaks>."},
        {"speaker": OURS, "start": 64.5, "end": 70, "text": "We come today."},
        {"speaker": "", "start": None, "text": "(noise)"},
    ]
    CallDetailFactory(call=call, transcript=transcript, recordings=[{"url": "https://files.example.com/2.mp3"}])
    story = show(client, call)
    said = re.findall(r'bubble-(\w+)"><p class="bubble-head">(.*?)</p><p class="bubble-text">(.*?)</p>', story)
    assert said == [
        ("incoming", "Robin Field · 0:00", "My roof &lt;leaks&gt;."),
        ("outgoing", "Front desk · 1:04", "We come today."),
        ("note", "Unknown speaker", "(noise)"),
    ]
    assert re.findall(r'href="(http[^"]+)"', story) == [
        "https://files.example.com/1.mp3", "https://files.example.com/2.mp3"
    ]  # fmt: skip
    assert "javascript:" not in story
    assert "1:05 minutes" in story
    assert f"?at={call.activity_id}" in story


def test_page_shows_the_latest_analysis_beside_it(client, call):
    CallAnalysisFactory(call=call, objections=["price"], analyzed_at="2026-03-01T00:00Z", summary="The earlier one")
    latest = CallAnalysisFactory(call=call, objections=["timing", "spouse"], analyzed_at="2026-03-02T00:00Z")
    ContactFlagFactory(contact=call.contact, flag_type="opted_out")
    story = show(client, call)
    assert re.findall(r'badge-tag">([^<]+)<', story) == ["timing", "spouse"]
    assert reverse("admin:analytics_callanalysis_change", args=[latest.pk]) in story
    assert "The earlier one" not in story
    assert ">STOP<" in story


def test_call_without_anything_says_so(client, acme):
    story = show(client, CallFactory(contact=None, company=acme, from_number="Anonymous"))
    for sentence in ("no recording", "There is none", "was not analyzed"):
        assert sentence in story


def test_page_takes_at_most_20_queries(client, call):
    CallAnalysisFactory(call=call)
    CallDetailFactory(call=call, transcript=[{"speaker": CALLER, "start": 0, "text": "Hello"}] * 500)
    show(client, call)
    with CountQueries() as asked:
        assert "100 lines more" in show(client, call)
    assert len(asked) <= 20
