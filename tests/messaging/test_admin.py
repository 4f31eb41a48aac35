"""Admin for messages, webhook events and secrets."""

import pytest
from django.urls import reverse

from crm.db.tenancy import all_tenants
from messaging.models import Message, WebhookEvent, WebhookSecret
from tests import factories

pytestmark = pytest.mark.usefixtures("staff_client")

SECRET = "c2VjcmV0LW9mLWFjbWUtcm9vZmluZy0wMTIz"


def event_page(client, **fields):
    event = factories.WebhookEventFactory(**fields)
    return client.get(reverse("admin:messaging_webhookevent_change", args=[event.pk])).content.decode()


def test_body_is_shown_readable_and_escaped(client):
    html = event_page(client, body=b'{"text":"<script>alert(1)</script> caf\xc3\xa9"}', headers={"x": "<b>"})
    assert "&lt;script&gt;alert(1)&lt;/script&gt; café" in html
    assert "<script>alert(1)" not in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"\xff\xfe\x00",
        b'{"text": "\\ud800"}',
        b'{"text": "\\u0000"}',
        b"[" * 100_000,
        b'"' + b"x" * 300_000 + b'"',
    ],
    ids=["text", "bytes", "surrogate", "nul", "deep", "long"],
)
def test_unreadable_event_has_a_page(client, body):
    assert 'class="source"' in event_page(client, body=body)


def test_event_list_defers_bodies(client, acme):
    factories.WebhookEventFactory(company=acme, body=b"telltale body")
    response = client.get(reverse("admin:messaging_webhookevent_changelist"))
    (event,) = response.context["cl"].result_list
    assert {"body", "headers"} <= event.get_deferred_fields()


def test_dead_events_are_filtered_by_the_indexed_column(client, acme):
    dead = factories.WebhookEventFactory(company=acme, status="dead")
    factories.WebhookEventFactory(company=acme)
    factories.WebhookEventFactory(company=acme, status="processed", processed=True)
    response = client.get(reverse("admin:messaging_webhookevent_changelist"), {"status__exact": "dead"})
    assert list(response.context["cl"].result_list) == [dead]
    assert '"processed" IN' in str(response.context["cl"].queryset.query)


def test_event_is_found_by_its_id_in_any_company(client, acme, globex):
    sought = factories.WebhookEventFactory(company=globex, event_id="EV17")
    factories.WebhookEventFactory(company=acme, event_id="EV170")
    response = client.get(reverse("admin:messaging_webhookevent_changelist"), {"q": "EV17"})
    assert list(response.context["cl"].result_list) == [sought]


@pytest.mark.parametrize(
    ("model", "factory"), [(Message, factories.MessageFactory), (WebhookEvent, factories.WebhookEventFactory)]
)
def test_evidence_is_read_only(client, model, factory):
    row = factory()
    name = model._meta.model_name
    before = model._base_manager.values().get()
    assert client.get(reverse(f"admin:messaging_{name}_change", args=[row.pk])).status_code == 200
    changes = {"status": "failed", "body": "other", "_save": "Save"}
    assert client.post(reverse(f"admin:messaging_{name}_change", args=[row.pk]), changes).status_code == 403
    assert client.post(reverse(f"admin:messaging_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert client.post(reverse(f"admin:messaging_{name}_add"), changes).status_code == 403
    assert model._base_manager.values().get() == before


def test_secret_is_added_and_never_shown_again(client, acme):
    form = {"company": acme.pk, "provider": "openphone", "secret": SECRET}
    answers = [client.post(reverse("admin:messaging_webhooksecret_add"), form | {"provider": "none"})]
    answers.append(client.post(reverse("admin:messaging_webhooksecret_add"), form, follow=True))
    with all_tenants():
        secret = WebhookSecret.objects.get()
    assert secret.secret == SECRET
    answers.append(client.post(reverse("admin:messaging_webhooksecret_add"), form))  # set already
    for view in ("change", "history", "delete"):
        answers.append(client.get(reverse(f"admin:messaging_webhooksecret_{view}", args=[secret.pk])))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert not any(SECRET in answer.content.decode() for answer in answers)


@pytest.mark.parametrize(
    ("provider", "secret"), [("openphone", "not base64!"), ("callrail", "two words"), ("twilio", "é")]
)
def test_invalid_secret_is_rejected_by_field(client, acme, provider, secret):
    form = {"company": acme.pk, "provider": provider, "secret": secret}
    response = client.post(reverse("admin:messaging_webhooksecret_add"), form)
    assert "secret" in response.context["adminform"].form.errors
    assert not WebhookSecret._base_manager.exists()


def test_secret_is_deleted_but_never_changed(client):
    secret = factories.WebhookSecretFactory()
    change = reverse("admin:messaging_webhooksecret_change", args=[secret.pk])
    assert client.post(change, {"secret": SECRET}).status_code == 403
    client.post(reverse("admin:messaging_webhooksecret_delete", args=[secret.pk]), {"post": "yes"})
    assert not WebhookSecret._base_manager.exists()
