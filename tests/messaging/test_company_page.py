"""The page of a company in the admin: what is set up, and what is to do."""

import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests.count_queries import CountQueries
from tests.factories import (
    PhoneLineFactory,
    ProviderAccountFactory,
    UserFactory,
    WebhookEventFactory,
    WebhookSecretFactory,
)

pytestmark = pytest.mark.usefixtures("staff_client")


def show(client, company):
    html = client.get(reverse("admin:crm_company_change", args=[company.pk])).content.decode()
    return html.partition("company-setup")[2].partition('class="story-form"')[0]


def steps(html):
    """Return each step with whether it is done."""
    found = re.findall(r'badge-(good|waiting)">[^<]*</span> <strong>([^<]+)<', html)
    return [(title, state == "good") for state, title in found]


def test_new_company_has_everything_to_do_and_links_that_know_it(client, acme):
    html = show(client, acme)
    assert "5 of 5 steps to go" in html
    assert not any(done for _, done in steps(html))
    for page in ("crm_phoneline", "messaging_webhooksecret", "messaging_provideraccount", "crm_user"):
        url = f"{reverse(f'admin:{page}_add')}?company={acme.pk}"
        assert url in html
        assert client.get(url).context["adminform"].form.initial["company"] == str(acme.pk)


def test_steps_are_done_one_by_one(client, acme, globex):
    for other in (WebhookSecretFactory, ProviderAccountFactory, WebhookEventFactory):
        other(company=globex)
    PhoneLineFactory(company=acme, provider="openphone", name="Front desk")
    html = show(client, acme)
    assert [title for title, done in steps(html) if done] == ["A phone line"]
    assert "Missing: OpenPhone / Quo. All its webhook events are refused." in html
    WebhookSecretFactory(company=acme, provider="openphone")
    ProviderAccountFactory(company=acme, provider="openphone")
    WebhookEventFactory(company=acme)
    UserFactory(company=acme, role="manager", first_name="Mona", last_name="Reed")
    html = show(client, acme)
    assert "Set-up: complete" in html
    assert "Front desk" in html
    assert "Mona Reed" in html


def test_webhook_urls_are_there_to_copy_those_in_use_first(client, acme, settings):
    settings.PUBLIC_URL = "https://crm.example.com"
    PhoneLineFactory(company=acme, provider="twilio")
    urls = re.findall(r'readonly id="[^"]+" value="([^"]+)"', show(client, acme))
    assert urls[0] == f"https://crm.example.com/webhooks/twilio/{acme.slug}"
    assert len(urls) == 3


def test_groups_see_what_they_may(client, acme):
    PhoneLineFactory(company=acme)
    for group, hidden in (("Set-up", False), ("Read-only", False), ("Support", True)):
        user = UserFactory(company=None, role="", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        html = show(client, acme)
        assert ("A signing secret" not in html) == hidden
        assert ("Add a secret" in html) == (group == "Set-up")
        assert "Set-up: complete" not in html


def test_set_up_is_not_called_complete_by_those_who_see_a_part_of_it(client, acme):
    PhoneLineFactory(company=acme, provider="openphone")
    WebhookEventFactory(company=acme)
    UserFactory(company=acme, role="manager")
    user = UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name="Support"))
    client.force_login(user)
    assert "Set-up: what you may see is done" in show(client, acme)


def test_page_takes_at_most_20_queries(client, acme):
    PhoneLineFactory.create_batch(5, company=acme)
    show(client, acme)
    with CountQueries() as asked:
        show(client, acme)
    assert len(asked) <= 20
