"""Steps of a company's set-up that are still missing, for its manager."""

from tests.count_queries import CountQueries
from tests.factories import PhoneLineFactory, ProviderAccountFactory, WebhookEventFactory, WebhookSecretFactory

URL = "/api/v1/setup"


def test_new_company_has_a_manager_and_lacks_the_rest(manager_api):
    setup = manager_api.get(URL).json()
    assert (setup["is_complete"], setup["missing"], setup["last_event_at"]) == (False, 4, None)
    assert {step["name"]: step["is_done"] for step in setup["steps"]} == {
        "phone_line": False,
        "webhook_secret": False,
        "provider_account": False,
        "webhook_event": False,
        "people": True,
    }


def test_step_names_the_providers_that_lack_it_until_it_is_done(manager_api, acme, globex):
    for other in (WebhookSecretFactory, ProviderAccountFactory, WebhookEventFactory):
        other(company=globex)
    PhoneLineFactory(company=acme, provider="openphone")
    PhoneLineFactory(company=acme, provider="twilio")
    WebhookSecretFactory(company=acme, provider="openphone")
    steps = {step["name"]: step for step in manager_api.get(URL).json()["steps"]}
    assert [name for name, step in steps.items() if step["is_done"]] == ["phone_line", "people"]
    assert steps["webhook_secret"]["missing_for"] == ["twilio"]
    assert steps["provider_account"]["missing_for"] == ["openphone", "twilio"]
    for provider in ("openphone", "twilio"):
        ProviderAccountFactory(company=acme, provider=provider, account_id="AC1")
    WebhookSecretFactory(company=acme, provider="twilio")
    event = WebhookEventFactory(company=acme)
    setup = manager_api.get(URL).json()
    assert (setup["is_complete"], setup["missing"]) == (True, 0)
    assert setup["last_event_at"] == event.created_at.isoformat().replace("+00:00", "Z")


def test_set_up_is_for_managers_alone(csr_api, rep_api):
    assert csr_api.get(URL).status_code == rep_api.get(URL).status_code == 403


def test_set_up_takes_as_many_queries_for_many_lines(manager_api, acme):
    PhoneLineFactory(company=acme)
    counts = []
    for _ in range(2):
        with CountQueries() as asked:
            manager_api.get(URL)
        counts.append(len(asked))
        PhoneLineFactory.create_batch(5, company=acme)
    assert counts[0] == counts[1]
