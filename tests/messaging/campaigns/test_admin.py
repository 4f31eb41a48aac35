"""Campaigns in the admin: each action has a page that says what it would do. What is sent changes only in a draft."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import AuditEntry, Campaign, CampaignMembership, CampaignStep
from messaging.models import Message
from tests.config.test_admin_versions import open_page
from tests.factories import (
    CampaignFactory,
    CampaignMembershipFactory,
    CampaignStepFactory,
    ContactFactory,
    ContactFlagFactory,
    SegmentFactory,
    UserFactory,
)

LIST = reverse("admin:crm_campaign_changelist")
HOUR = timedelta(hours=1)


def url_of(campaign, page="change"):
    return reverse(f"admin:crm_campaign_{page}", args=[campaign.pk])


def act(client, campaign, action):
    """Confirm an action on its page. Returns what the next page says."""
    page = client.post(url_of(campaign, action), follow=True)
    assert page.redirect_chain == [(url_of(campaign), 302)]
    return [str(message) for message in page.context["messages"]]


def text_of(response):
    """Return the page without its tags, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


# --- Actions ----------------------------------------------------------------------------------------------------------


def test_staff_start_pause_resume_and_cancel_a_campaign(draft, add_members, staff_client, staff):
    add_members(draft)
    said, statuses = [], []
    for action in ("start", "pause", "resume", "cancel"):
        said += act(staff_client, draft, action)
        draft.refresh_from_db()
        statuses.append(draft.status)
    assert statuses == ["running", "paused", "running", "cancelled"]
    assert said == [f"{draft.name}: {status}." for status in statuses]
    assert draft.started_by == staff


@pytest.mark.parametrize("action", ["start", "pause", "resume", "cancel", "audience", "test_send"])
@pytest.mark.parametrize("status", ["draft", "scheduled", "running", "paused", "completed", "cancelled"])
def test_page_of_an_action_changes_nothing(status, action, acme, desk, staff_client, in_acme):
    campaign = CampaignFactory(company=acme, status=status, phone_line=desk, scheduled_at=timezone.now() + HOUR)
    CampaignMembershipFactory(campaign=campaign, contact__company=acme)
    entries = AuditEntry.objects.count()
    assert staff_client.get(url_of(campaign, action)).status_code == 200
    assert Campaign.objects.get().status == status
    assert AuditEntry.objects.count() == entries


def test_page_offers_the_actions_of_the_status(acme, desk, staff_client):
    offered = {}
    for status in ("draft", "scheduled", "running", "paused", "completed"):
        campaign = CampaignFactory(company=acme, status=status, phone_line=desk, scheduled_at=timezone.now())
        offered[status] = [label for _, label in staff_client.get(url_of(campaign)).context["panel"].links]
    assert offered == {
        "draft": ["Schedule…", "Add contacts…", "Test send…", "Cancel for good…"],
        "scheduled": ["Back to draft…", "Add contacts…", "Test send…", "Cancel for good…"],
        "running": ["Pause…", "Cancel for good…"],
        "paused": ["Resume…", "Cancel for good…"],
        "completed": [],
    }


@pytest.mark.parametrize(
    ("status", "action", "reason"),
    [
        ("draft", "start", "No contact waits for this campaign."),
        ("running", "start", "The campaign is running. Only a draft can be started."),
        ("draft", "pause", "The campaign is draft. Only a running campaign can be paused."),
        ("running", "resume", "The campaign is running. Only a paused campaign can be resumed."),
        ("cancelled", "cancel", "The campaign is cancelled."),
    ],
)
def test_refused_action_has_no_button_and_the_service_s_reason(status, action, reason, acme, desk, staff_client):
    campaign = CampaignFactory(company=acme, status=status, phone_line=desk)
    for page in (staff_client.get(url_of(campaign, action)), staff_client.post(url_of(campaign, action))):
        assert str(page.context["refusal"]).startswith(reason)
        assert reason in text_of(page)
        assert 'type="submit"' not in page.content.decode().partition('id="content-main"')[2]
    campaign.refresh_from_db()
    assert campaign.status == status


def test_page_of_the_start_says_who_gets_it_when_and_at_what_cost(draft, add_members, staff_client, in_acme):
    in_acme.campaign_interval_days = 30
    in_acme.save()
    opted_out, *_ = add_members(draft, 3)
    ContactFlagFactory(contact=opted_out.contact, flag_type="opted_out")
    Campaign.objects.update(body="Don’t wait!", body_b="Hello.")
    page = staff_client.get(url_of(draft, "start"))
    text = text_of(page)
    assert page.context["refusal"] is None
    assert "2 contacts get it" in text
    assert "Opted out 1" in text
    assert "0.03 USD at most" in text
    assert "It starts at once ." in text
    assert "2 of the contacts have no recorded consent to marketing messages." in text
    assert "The A/B test is too small for a verdict" in text
    assert "’ in body shortens each segment" in text
    [(hour, number)] = page.context["hours"]
    assert (hour[-2:], number) == ("00", "3")


def test_page_of_the_start_counts_who_joins_from_the_segment_and_names_the_next_runs(draft, acme, staff_client):
    ContactFactory.create_batch(2, company=acme, city="Denver")
    segment = SegmentFactory(company=acme, definition={"field": {"name": "city", "is": ["Denver"]}})
    draft.segment, draft.recurrence = segment, "FREQ=WEEKLY"
    draft.scheduled_at = timezone.now() + HOUR
    draft.save()
    page = staff_client.get(url_of(draft, "start"))
    assert page.context["preview"].joining == 2
    assert "It repeats every week. Next runs (America/Denver): " in text_of(page)
    assert act(staff_client, draft, "start") == [f"{draft.name}: scheduled."]


def test_preview_of_a_start_takes_as_many_statements_for_many_members_as_for_few(
    draft, add_members, staff_client, django_assert_max_num_queries
):
    add_members(draft, 30)
    staff_client.get(url_of(draft, "start"))
    with django_assert_max_num_queries(26):
        staff_client.get(url_of(draft, "start"))


def test_two_people_who_start_it_at_once_start_it_once(draft, add_members, staff_client):
    add_members(draft)
    staff_client.post(url_of(draft, "start"))
    again = staff_client.post(url_of(draft, "start"))
    assert str(again.context["refusal"]) == "The campaign is running. Only a draft can be started."


@pytest.mark.parametrize("page", ["start", "cancel", "audience", "test_send", "progress"])
def test_pages_need_the_permission(page, draft, client, in_acme):
    client.force_login(UserFactory(company=None, role="", is_staff=True))
    assert client.get(url_of(draft, page)).status_code == 403
    assert client.post(url_of(draft, page)).status_code == 403
    assert Campaign.objects.get().status == "draft"


@pytest.mark.parametrize("row", ["9" * 30, "x", "0"])
def test_campaign_that_does_not_exist_has_no_pages(row, staff_client):
    for page in ("start", "audience", "test_send", "progress"):
        assert staff_client.get(reverse(f"admin:crm_campaign_{page}", args=[row])).status_code == 404


def test_list_pauses_at_once(draft, add_members, staff_client):
    add_members(draft)
    act(staff_client, draft, "start")
    page = staff_client.post(
        LIST, {"action": "pause", "_selected_action": [draft.pk], "confirmed": draft.pk}, follow=True
    )
    assert [str(message) for message in page.context["messages"]] == [f"{draft.name}: paused."]


def test_progress_is_a_bar_of_the_parts(acme, desk, staff_client):
    campaign = CampaignFactory(company=acme, status="running", phone_line=desk)
    for status in ("replied", "delivered", "failed", "pending"):
        sent_at = timezone.now() if status in ("replied", "delivered") else None
        CampaignMembershipFactory(campaign=campaign, contact__company=acme, status=status, sent_at=sent_at)
    html = staff_client.get(url_of(campaign, "progress")).content.decode()
    assert "75 % of 4 contacts are done" in html
    assert re.findall(r'figure-mark figure-(\w+)" fill="currentColor" x="([^"]+)"', html) == [
        ("good", "0.0%"), ("good", "25.0%"), ("bad", "50.0%"), ("waiting", "75.0%")
    ]  # fmt: skip
    for status in ("replied", "pending"):
        link = f"/admin/crm/campaignmembership/?campaign__id__exact={campaign.pk}&amp;status__exact={status}"
        assert link in html
        assert staff_client.get(link.replace("&amp;", "&")).context["cl"].result_count == 1
    assert "data-refresh-url" in html


# --- Audience and test send -------------------------------------------------------------------------------------------


def test_segment_is_counted_and_then_added_to_the_audience(draft, acme, staff_client, in_acme):
    segment = SegmentFactory(company=acme, definition={"all": []})
    contacts = ContactFactory.create_batch(3, company=acme)
    ContactFlagFactory(contact=contacts[0], flag_type="opted_out")
    url = url_of(draft, "audience")
    counted = staff_client.post(url, {"segment": segment.pk, "_count": "1"})
    assert "2 contacts would be added." in text_of(counted)
    assert "Opted out 1" in text_of(counted)
    assert not CampaignMembership.objects.exists()
    added = staff_client.post(url, {"segment": segment.pk, "_add": "1"}, follow=True)
    assert [str(each) for each in added.context["messages"]] == ["2 contacts were added. Left out: 1 opted out."]
    assert CampaignMembership.objects.count() == 2


def test_contacts_are_added_to_the_audience(draft, acme, staff_client, in_acme):
    contacts = ContactFactory.create_batch(2, company=acme)
    staff_client.post(url_of(draft, "audience"), {"contacts": [each.pk for each in contacts], "_add": "1"})
    assert set(CampaignMembership.objects.values_list("contact", flat=True)) == {each.pk for each in contacts}


def test_audience_takes_one_source_of_its_own_company(draft, acme, globex, staff_client, in_acme):
    url = url_of(draft, "audience")
    own, other = ContactFactory(company=acme), ContactFactory(company=globex)
    segments = [SegmentFactory(company=company, definition={"all": []}).pk for company in (acme, globex)]
    for form in ({}, {"segment": segments[0], "contacts": [own.pk]}):
        assert staff_client.post(url, form).context["form"].non_field_errors() == ["Choose a segment, or contacts."]
    assert "contacts" in staff_client.post(url, {"contacts": [other.pk]}).context["form"].errors
    assert "segment" in staff_client.post(url, {"segment": segments[1]}).context["form"].errors
    assert "segment" in staff_client.post(url, {"segment": "x"}).context["form"].errors
    assert not CampaignMembership.objects.exists()


def test_audience_of_a_started_campaign_is_closed(draft, add_members, acme, staff_client, in_acme):
    add_members(draft)
    act(staff_client, draft, "start")
    contact = ContactFactory(company=acme)
    page = staff_client.post(url_of(draft, "audience"), {"contacts": [contact.pk], "_add": "1"})
    assert page.context["refusal"].code == "audience_closed"


def test_staff_send_a_test_to_a_number_of_a_contact(draft, acme, staff_client, awake, in_acme):
    ContactFactory(company=acme, phone="+13035550142", first_name="Stella", timezone=awake)
    CampaignStepFactory(company=acme, campaign=draft, body="Still there?")
    page = staff_client.post(url_of(draft, "test_send"), {"phone": "(303) 555-0142", "text": "1 a"}, follow=True)
    assert [str(each) for each in page.context["messages"]] == ["The text to +13035550142 is in the outbox."]
    assert Message.objects.get().body == "Acme Roofing: Hi Stella, is your roof ready?\nReply STOP to opt out."
    staff_client.post(url_of(draft, "test_send"), {"phone": "+13035550142", "text": "2 a"})
    assert Message.objects.latest("pk").body.startswith("Acme Roofing: Still there?")
    assert not CampaignMembership.objects.exists()


def test_test_send_that_is_refused_says_why(draft, staff_client, acme):
    url = url_of(draft, "test_send")
    page = staff_client.post(url, {"phone": "+13035550142", "text": "1 a"})
    assert page.context["form"].errors["phone"][0].startswith("No contact has this main number.")
    assert "text" in staff_client.post(url, {"phone": "+13035550142", "text": "7 b"}).context["form"].errors
    contact = ContactFactory(company=acme, phone="+13035550142")
    ContactFlagFactory(contact=contact, flag_type="do_not_contact")
    page = staff_client.post(url, {"phone": "+13035550142", "text": "1 a"})
    assert "do not contact" in page.context["form"].non_field_errors()[0]


# --- The form ---------------------------------------------------------------------------------------------------------


def save(client, campaign, **changes):
    url = url_of(campaign)
    return client.post(url, open_page(client, url) | changes)


def errors_of(response):
    return response.context["adminform"].form.errors


def test_text_and_status_of_a_started_campaign_are_read_only(draft, add_members, staff_client):
    add_members(draft)
    fields = staff_client.get(url_of(draft)).context["adminform"].form.fields
    assert {"body", "phone_line", "name", "recurrence", "purpose"} <= set(fields)
    assert "status" not in fields
    act(staff_client, draft, "start")
    page = staff_client.get(url_of(draft))
    assert set(page.context["adminform"].form.fields) == {"name", "daily_limit", "row_version"}
    [steps] = page.context["inline_admin_formsets"]
    assert (steps.has_add_permission, steps.has_change_permission) == (False, False)


@pytest.mark.parametrize(
    ("choice", "rule", "saved"),
    [
        ("FREQ=WEEKLY", "", "FREQ=WEEKLY"),
        ("FREQ=WEEKLY", "FREQ=DAILY", "FREQ=WEEKLY"),
        ("rule", " freq=monthly;byday=1mo ", "FREQ=MONTHLY;BYDAY=1MO"),
        ("", "FREQ=DAILY", ""),
    ],
)
def test_recurrence_is_a_choice_in_words_or_a_rule(choice, rule, saved, draft, acme, staff_client):
    segment = SegmentFactory(company=acme)
    answer = save(
        staff_client, draft, segment=segment.pk, recurrence_choice=choice, recurrence_rule=rule, name="Weekly"
    )
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (draft.recurrence, draft.name) == (saved, "Weekly")
    bound = staff_client.get(url_of(draft)).context["adminform"].form["recurrence"]
    assert bound.field.widget.decompress(bound.value())[0] == choice


@pytest.mark.parametrize(
    ("choice", "rule", "problem"),
    [
        ("rule", "", "Write the rule, or choose another answer."),
        ("rule", "FREQ=HOURLY", "It recurs once a day at most"),
        ("FREQ=SECONDLY", "", "Select a valid choice."),
        ("FREQ=DAILY", "", "A recurring campaign needs a segment"),
    ],
)
def test_recurrence_that_can_not_be_used_is_refused(choice, rule, problem, draft, staff_client):
    errors = errors_of(save(staff_client, draft, recurrence_choice=choice, recurrence_rule=rule))
    assert problem in str(errors)
    draft.refresh_from_db()
    assert draft.recurrence == ""


def test_text_that_can_never_be_sent_is_refused(draft, staff_client, in_acme):
    assert "body" in errors_of(save(staff_client, draft, body="x" * 1601))
    answer = save(staff_client, draft, **new_step(0, body="x" * 1601), **{"steps-TOTAL_FORMS": 1})
    assert "body" in answer.context["inline_admin_formsets"][0].formset.errors[0]


def new_step(number, *, delay=2, unit="days", body="Still there?"):
    prefix = f"steps-{number}"
    return {f"{prefix}-delay_minutes_number": delay, f"{prefix}-delay_minutes_unit": unit, f"{prefix}-body": body}


def steps_of(campaign):
    return list(
        CampaignStep.objects.filter(campaign=campaign).order_by("step").values_list("step", "delay_minutes", "body")
    )


def test_further_messages_are_added_changed_and_removed_without_gaps(draft, staff_client, in_acme):
    save(
        staff_client,
        draft,
        **new_step(0),
        **new_step(1, delay=3, unit="hours", body="Last call."),
        **{"steps-TOTAL_FORMS": 2},
    )
    assert steps_of(draft) == [(2, 2880, "Still there?"), (3, 180, "Last call.")]
    assert save(staff_client, draft, **{"steps-0-body": "Hello?"}).status_code == 302
    assert steps_of(draft) == [(2, 2880, "Hello?"), (3, 180, "Last call.")]
    save(staff_client, draft, **{"steps-0-DELETE": "on"})
    assert steps_of(draft) == [(2, 180, "Last call.")]


def test_more_further_messages_than_the_api_allows_are_refused(draft, staff_client, in_acme):
    steps = {name: value for number in range(21) for name, value in new_step(number).items()}
    answer = save(staff_client, draft, **steps, **{"steps-TOTAL_FORMS": 21})
    assert "at most 20" in str(answer.context["inline_admin_formsets"][0].formset.non_form_errors())
    assert steps_of(draft) == []


def test_unchanged_messages_are_not_written_again(draft, staff_client, in_acme):
    step = CampaignStepFactory(company=in_acme, campaign=draft)
    save(staff_client, draft, name="Other")
    assert CampaignStep.objects.get().pk == step.pk


@pytest.mark.parametrize(("delay", "unit"), [(0, "days"), (400, "days"), ("x", "hours"), ("", "hours"), (1, "weeks")])
def test_delay_out_of_range_is_refused(delay, unit, draft, staff_client, in_acme):
    answer = save(staff_client, draft, **new_step(0, delay=delay, unit=unit), **{"steps-TOTAL_FORMS": 1})
    assert "delay_minutes" in answer.context["inline_admin_formsets"][0].formset.errors[0]
    assert steps_of(draft) == []


def test_campaign_is_added_with_its_further_messages(acme, desk, staff_client, staff, in_acme):
    form = open_page(staff_client, reverse("admin:crm_campaign_add"))
    answer = staff_client.post(
        reverse("admin:crm_campaign_add"),
        form
        | {"company": acme.pk, "name": "Spring", "body": "Hi!", "phone_line": desk.pk, "steps-TOTAL_FORMS": 1}
        | new_step(0),
    )
    assert answer.status_code == 302, errors_of(answer)
    campaign = Campaign.objects.get(name="Spring")
    assert (campaign.created_by, campaign.purpose, campaign.status) == (staff, "marketing", "draft")
    assert steps_of(campaign) == [(2, 2880, "Still there?")]
