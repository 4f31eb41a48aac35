"""The page of a call in the admin: what was said, and its analysis."""

import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from analytics.models import CallAnalysis, CallObjection
from crm.db.tenancy import all_tenants
from crm.models import AuditEntry
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
    UserFactory,
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
    assert set(re.findall(r'value="([^"]+)"[^>]* checked', story)) == {"timing", "spouse"}
    assert reverse("admin:analytics_callanalysis_change", args=[latest.pk]) in story
    assert "The earlier one" not in story
    assert ">STOP<" in story


def test_call_without_anything_says_so(client, acme):
    story = show(client, CallFactory(contact=None, company=acme, from_number="Anonymous"))
    for sentence in ("no recording", "There is none", "was not analyzed"):
        assert sentence in story


def save(client, call, *labels, other=""):
    url = reverse("admin:calls_call_objections", args=[call.pk])
    return client.post(url, {"objections": labels, "other_objection": other})


def test_objections_are_chosen_on_the_page_and_counted(client, call):
    CallAnalysisFactory(call=call, objections=["price"], analyzed_at="2026-03-01T00:00Z")
    latest = CallAnalysisFactory(call=call, objections=["Timing"], analyzed_at="2026-03-02T00:00Z", outcome="lost")
    assert save(client, call, "timing", "spouse", other=" Warranty ").status_code == 302
    latest.refresh_from_db()
    assert (latest.objections, latest.outcome) == (["Timing", "spouse", "warranty"], "lost")
    with all_tenants():
        counted = CallObjection.objects.filter(call=call).values_list("label", flat=True)
        assert set(counted) == {"timing", "spouse", "warranty"}
        assert AuditEntry.objects.filter(table_name="call_analysis", actor="stella").exists()
    assert 'value="warranty"' in show(client, call)


def test_first_objections_of_a_call_begin_an_analysis(client, call):
    assert f"?call={call.pk}" in show(client, call)
    save(client, call, "price")
    with all_tenants():
        assert CallAnalysis.objects.get().objections == ["price"]


def test_unknown_objection_changes_nothing(client, call):
    analysis = CallAnalysisFactory(call=call, objections=["price"])
    answer = client.post(reverse("admin:calls_call_objections", args=[call.pk]), {"objections": ["x"]}, follow=True)
    assert "Select a valid choice" in answer.content.decode()
    analysis.refresh_from_db()
    assert analysis.objections == ["price"]
    for odd in (0, 10**30):
        assert client.post(reverse("admin:calls_call_objections", args=[odd])).status_code == 404


def test_support_corrects_objections_and_read_only_sees_them(client, call):
    analysis = CallAnalysisFactory(call=call, objections=["price"])
    for group, status in (("Set-up", 403), ("Read-only", 403), ("Support", 302)):
        user = UserFactory(company=None, role="", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        if group == "Read-only":
            assert re.findall(r'badge-tag">([^<]+)<', show(client, call)) == ["price"]
        assert save(client, call, "spouse").status_code == status
    analysis.refresh_from_db()
    assert analysis.objections == ["spouse"]
    assert (
        client.get(reverse("admin:analytics_callanalysis_add"), {"call": call.pk})
        .context["adminform"]
        .form.initial["call"]
        == call.pk
    )


def test_page_takes_at_most_20_queries(client, call):
    CallAnalysisFactory(call=call)
    CallDetailFactory(call=call, transcript=[{"speaker": CALLER, "start": 0, "text": "Hello"}] * 500)
    show(client, call)
    with CountQueries() as asked:
        assert "100 lines more" in show(client, call)
    assert len(asked) <= 20
