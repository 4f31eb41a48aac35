"""The API's `campaigns/{id}/texts`, `estimate`, `test-send` and `report`."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.choices import MembershipStatus
from crm.models import CampaignMembership, Contact
from messaging.models import Message
from tests.count_queries import CountQueries
from tests.errors import code_of, detail_of, errors_of
from tests.factories import (
    CampaignFactory,
    CampaignMembershipFactory,
    CampaignStepFactory,
    ContactFactory,
    ContactFlagFactory,
    MessageFactory,
    OptOutFactory,
)

pytestmark = pytest.mark.usefixtures("in_acme")
NOON = datetime(2026, 3, 2, 19, tzinfo=UTC)  # in Denver


@pytest.fixture
def campaign(acme, desk):
    return CampaignFactory(company=acme, phone_line=desk, body="Hi {first_name|there}!")


@pytest.fixture
def ann(acme):
    return ContactFactory(company=acme, first_name="Ann", phone="+13035550142")


@pytest.fixture
def noon(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)


def url(campaign, action):
    return f"/api/v1/campaigns/{campaign.pk}/{action}"


# --- Texts ------------------------------------------------------------------------------------------------------------


def test_texts_are_shown_as_each_contact_gets_them(csr_api, campaign, ann):
    bob = ContactFactory(company=ann.company, first_name="")
    MessageFactory(contact=bob, direction="outgoing", status="sent", kind="reply")
    for contact in (ann, bob):
        CampaignMembershipFactory(campaign=campaign, contact=contact)
    body = csr_api.get(url(campaign, "texts")).json()
    assert body["faults"] == []
    first, second = body["results"]
    assert first == {
        "contact": ann.pk,
        "contact_summary": {
            "id": ann.pk, "name": f"Ann {ann.last_name}", "phone": ann.phone, "flags": [], "opted_out": False,
        },
        "step": 1,
        "variant": "a",
        "body": "Acme Roofing: Hi Ann!\nReply STOP to opt out.",
        "sms_segments": 1,
        "encoding": "GSM-7",
        "ucs_2_characters": [],
        "is_first_contact": True,
        "problem": None,
    }  # fmt: skip
    assert (second["body"], second["is_first_contact"]) == ("Hi there!", False)


def test_texts_of_any_number_of_contacts_take_four_statements(csr_api, campaign, acme):
    costs = []
    for limit in (1, 5):
        CampaignMembershipFactory.create_batch(limit, campaign=campaign, contact__company=acme)
        with CountQueries() as queries:
            assert len(csr_api.get(url(campaign, "texts"), {"limit": limit}).json()["results"]) == limit
        costs.append(len(queries))
    assert costs == [5, 5]  # the campaign, its members, its steps twice, the contacts' companion


def test_text_of_one_contact_is_that_of_its_variant(csr_api, campaign, ann):
    campaign.body_b = "It’s time, {first_name}!"
    campaign.save()
    CampaignStepFactory(company=campaign.company, campaign=campaign, body="Still there?")
    of_ann = {"contact": ann.pk}
    texts = csr_api.get(url(campaign, "texts"), of_ann).json()["results"]
    assert [(text["variant"], text["step"]) for text in texts] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    CampaignMembershipFactory(campaign=campaign, contact=ann, variant="b")
    first, second = csr_api.get(url(campaign, "texts"), of_ann).json()["results"]
    assert (first["encoding"], first["ucs_2_characters"], first["variant"]) == ("UCS-2", ["’"], "b")
    assert (second["body"], second["is_first_contact"]) == ("Still there?", False)


def test_faults_and_problems_say_what_to_do(csr_api, campaign, ann):
    campaign.body = "Hi {nickname}!"
    campaign.save()
    CampaignMembershipFactory(campaign=campaign, contact=ann)
    body = csr_api.get(url(campaign, "texts")).json()
    [fault] = body["faults"]
    assert (fault["attr"], fault["position"]) == ("body", 4)
    assert body["results"][0]["problem"] == {"code": "unresolved_placeholder", "detail": fault["detail"]}
    assert body["results"][0]["body"] == ""


@pytest.mark.parametrize("parameters", [{"limit": 0}, {"limit": 101}, {"contact": 0}, {"contacts": 1}])
def test_odd_parameters_of_texts_are_refused(csr_api, campaign, parameters):
    assert list(errors_of(csr_api.get(url(campaign, "texts"), parameters))) == list(parameters)


def test_contact_of_another_company_has_no_text(csr_api, campaign, globex):
    foreign = ContactFactory(company=globex)
    assert csr_api.get(url(campaign, "texts"), {"contact": foreign.pk}).status_code == 404


# --- Estimate ---------------------------------------------------------------------------------------------------------


def test_estimate_tells_segments_cost_and_what_keeps_the_campaign_from_starting(csr_api, campaign, ann):
    campaign.body = "Hi {first_name}, it’s time!"
    campaign.body_b = "Hello!"
    campaign.save()
    CampaignMembershipFactory(campaign=campaign, contact=ann)
    CampaignMembershipFactory(campaign=campaign, contact=ContactFactory(company=ann.company, first_name=""))
    with CountQueries() as queries:
        body = csr_api.get(url(campaign, "estimate")).json()
    assert len(queries) == 3
    [problem] = body.pop("problems")
    assert body == {
        "members": 2,
        "first_contacts": 2,
        "sms_segments": 1,
        "segment_price": "0.011000",
        "cost": "0.01",
        "currency": "USD",
        "parts": [{"step": 1, "variant": "a", "members": 1, "sms_segments": 1}],
        "ab_test": {"members_per_variant": 0, "needed_per_variant": 842, "is_enough": False},
    }
    assert (problem["attr"], problem["code"], problem["members"]) == ("body", "unresolved_placeholder", 1)


# --- Test send --------------------------------------------------------------------------------------------------------


def test_test_send_queues_the_text_to_ones_own_number(manager_api, campaign, ann, noon):
    response = manager_api.post(url(campaign, "test-send"), {"phone": "(303) 555-0142"})
    assert response.status_code == 202
    body = response.json()
    assert (body["contact"], body["kind"], body["status"]) == (ann.pk, "campaign", "queued")
    assert body["body"] == "Acme Roofing: Hi Ann!\nReply STOP to opt out."
    [message] = Message.objects.filter(company=ann.company)
    assert (message.run_at, message.membership) == (NOON, None)


def test_test_send_changes_no_member(manager_api, campaign, ann, noon):
    CampaignMembershipFactory(campaign=campaign, contact=ann)
    manager_api.post(url(campaign, "test-send"), {"phone": ann.phone})
    assert CampaignMembership.objects.get().status == "pending"
    progress = manager_api.get(f"/api/v1/campaigns/{campaign.pk}").json()["progress"]
    assert progress == {**dict.fromkeys(MembershipStatus.values, 0), "pending": 1}


def test_test_send_of_the_night_waits_until_the_morning(manager_api, campaign, ann, monkeypatch):
    night = datetime(2026, 3, 2, 9, tzinfo=UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: night)
    body = manager_api.post(url(campaign, "test-send"), {"phone": ann.phone}).json()
    assert "too early or too late" in body["error"]
    assert Message.objects.get().run_at > night + timedelta(hours=5)


def test_test_send_sends_each_variant_and_step(manager_api, campaign, ann, noon):
    campaign.body_b = "Hello, {first_name}!"
    campaign.save()
    CampaignStepFactory(company=campaign.company, campaign=campaign, body="Still there?")
    for choice, text in (({"variant": "b"}, "Hello, Ann!"), ({"step": 2}, "Still there?")):
        body = manager_api.post(url(campaign, "test-send"), {"phone": ann.phone, **choice}).json()["body"]
        assert body == f"Acme Roofing: {text}\nReply STOP to opt out."


def opt_out(contact):
    OptOutFactory(company=contact.company, phone=contact.phone, state="opted_out", decided_at=NOON)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda campaign, ann: opt_out(ann), "opted_out"),
        (lambda campaign, ann: ContactFlagFactory(contact=ann, flag_type="do_not_contact"), "do_not_contact"),
        (lambda campaign, ann: type(campaign).objects.update(phone_line=None), "no_phone_line"),
        (lambda campaign, ann: type(campaign).objects.update(body=""), "no_body"),
        (lambda campaign, ann: type(campaign).objects.update(body="{nickname}"), "unresolved_placeholder"),
        (lambda campaign, ann: type(campaign).objects.update(body="x" * 1600), "message_too_long"),
        (lambda campaign, ann: Contact.objects.update(phone="+13035550143"), "does_not_exist"),
    ],
    ids=["opt-out", "flag", "line", "body", "placeholder", "length", "contact"],
)
def test_test_send_is_refused_with_its_reason(manager_api, campaign, ann, noon, change, code):
    change(campaign, ann)
    response = manager_api.post(url(campaign, "test-send"), {"phone": ann.phone})
    assert code_of(response) == code
    assert not Message.objects.exists()


def test_number_without_a_contact_says_what_to_do(manager_api, campaign, noon):
    response = manager_api.post(url(campaign, "test-send"), {"phone": "+13035550142"})
    assert response.status_code == 400
    assert "Add yourself as a contact" in errors_of(response)["phone"][0]


def test_user_has_five_test_sends_an_hour(manager_api, campaign, acme, noon):
    contacts = [ContactFactory(company=acme, phone=f"+1303555014{n}") for n in range(6)]
    phones = [contact.phone for contact in contacts]
    codes = [manager_api.post(url(campaign, "test-send"), {"phone": phone}).status_code for phone in phones]
    assert codes == [202] * 5 + [429]
    refused = manager_api.post(url(campaign, "test-send"), {"phone": phones[0]})
    assert refused.headers["Retry-After"] == "3600"
    assert "At most 5 test sends an hour" in detail_of(refused)
    assert Message.objects.count() == 5


def test_repeated_test_send_with_its_key_is_one_message(manager_api, campaign, ann, noon):
    for _ in range(2):
        answer = manager_api.post(url(campaign, "test-send"), {"phone": ann.phone}, headers={"Idempotency-Key": "t1"})
        assert answer.status_code == 202
    assert Message.objects.count() == 1


# --- Report -----------------------------------------------------------------------------------------------------------


def test_report_shows_results_with_intervals(csr_api, acme, campaign):
    for n, status in enumerate(["replied", "delivered", "delivered", "opted_out"]):
        CampaignMembershipFactory(
            campaign=campaign, contact=ContactFactory(company=acme), status=status, sms_segments=2,
            sent_at=NOON + timedelta(minutes=n),
        )  # fmt: skip
    with CountQueries() as queries:
        body = csr_api.get(url(campaign, "report")).json()
    assert len(queries) == 2
    assert body["total"]["replies"] == {"count": 1, "of": 4, "rate": 25.0, "low": 4.56, "high": 69.94}
    assert (body["total"]["sms_segments"], body["total"]["cost"], body["currency"]) == (8, "0.09", "USD")
    assert [(each["hour"], each["recipients"]) for each in body["by_hour"]] == [("2026-03-02T12:00:00-07:00", 4)]
    assert [each["step"] for each in body["by_step"]] == [1]
    assert body["by_status"]["delivered"] == 2
    assert body["ab_test"] is None


def test_report_of_an_empty_campaign_divides_by_nothing(csr_api, campaign):
    body = csr_api.get(url(campaign, "report")).json()
    assert body["total"]["replies"] == {"count": 0, "of": 0, "rate": None, "low": None, "high": None}
    assert (body["by_variant"], body["by_step"], body["by_hour"]) == ([], [], [])


def test_report_tells_the_state_of_an_ab_test(csr_api, campaign, acme):
    campaign.body_b = "Hello!"
    campaign.save()
    for variant in "ab":
        CampaignMembershipFactory(
            campaign=campaign, contact=ContactFactory(company=acme), variant=variant, status="sent", sent_at=NOON
        )
    test = csr_api.get(url(campaign, "report")).json()["ab_test"]
    assert (test["verdict"], test["winner"], test["planned"], test["needed"]) == ("too_small", None, 1, 842)
    assert test["message"].startswith("The test is too small for a verdict: 1 of the 842 recipients")
    assert test["difference"]["points"] == 0.0


@pytest.mark.parametrize("action", ["texts", "estimate", "report"])
def test_campaign_of_another_company_is_not_found(csr_api, globex, action):
    assert csr_api.get(url(CampaignFactory(company=globex), action)).status_code == 404
