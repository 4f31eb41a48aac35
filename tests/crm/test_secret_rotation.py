"""Secrets at rest: unreadable in the database, and brought under a new key while the product runs."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection

from crm.db.tenancy import all_tenants, tenant
from crm.services import secret_rotation
from messaging.models import ProviderAccount, WebhookSecret
from tests.factories import ProviderAccountFactory, WebhookSecretFactory
from tests.messaging.payloads import SECRET, deliver, text_v4

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def old_key(settings):
    settings.SECRETS_KEYS = [OLD]


def stored():
    """Every column of every secret, as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM webhook_secrets ORDER BY id")
        return [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor.fetchall()]


def readable():
    with all_tenants():
        return list(WebhookSecret.objects.order_by("id").values_list("secret", flat=True))


def rotate(capsys):
    call_command("rotate_secrets")
    return capsys.readouterr().out


def test_the_database_never_sees_a_secret():
    WebhookSecretFactory(secret=SECRET)
    [row] = stored()
    assert SECRET not in str(row)
    assert SECRET.encode().hex() not in str(row)
    assert readable() == [SECRET]


def test_the_same_secret_is_another_text_each_time(acme, globex):
    WebhookSecretFactory(company=acme, secret=SECRET)
    WebhookSecretFactory(company=globex, secret=SECRET)
    first, second = stored()
    assert first["secret"] != second["secret"]


def test_nothing_can_be_looked_up_by_a_secret():
    WebhookSecretFactory(secret=SECRET)
    with pytest.raises(FieldError), all_tenants():
        WebhookSecret.objects.filter(secret=SECRET)


def test_rotation_leaves_nothing_under_the_old_key(old_key, settings, capsys, acme, globex, client):
    for company in (acme, globex):
        WebhookSecretFactory(company=company, secret=SECRET)
    settings.SECRETS_KEYS = [NEW, OLD]
    assert deliver(client, text_v4()).status_code == 200
    assert "2 secrets re-encrypted" in rotate(capsys)
    settings.SECRETS_KEYS = [NEW]
    assert readable() == [SECRET, SECRET]
    assert deliver(client, text_v4()).status_code == 200


def test_rotation_takes_the_keys_of_accounts_along(old_key, settings, capsys, acme):
    ProviderAccountFactory(company=acme, api_key="a-key")
    settings.SECRETS_KEYS = [NEW, OLD]
    assert "1 secrets re-encrypted" in rotate(capsys)
    settings.SECRETS_KEYS = [NEW]
    with tenant(acme.pk):
        assert ProviderAccount.objects.get().api_key == "a-key"


def test_rotating_again_changes_nothing(old_key, settings, capsys):
    WebhookSecretFactory()
    settings.SECRETS_KEYS = [NEW, OLD]
    rotate(capsys)
    before = stored()
    assert "0 secrets re-encrypted" in rotate(capsys)
    assert stored() == before


def test_a_rotation_that_broke_off_goes_on(old_key, settings, capsys, monkeypatch):
    monkeypatch.setattr(secret_rotation, "BATCH", 1)
    WebhookSecretFactory()
    settings.SECRETS_KEYS = [NEW]
    WebhookSecretFactory()
    settings.SECRETS_KEYS = [NEW, OLD]
    assert "1 secrets re-encrypted" in rotate(capsys)


def test_a_missing_key_is_named_and_nothing_is_lost(old_key, settings, capsys):
    WebhookSecretFactory(secret=SECRET)
    before = stored()
    settings.SECRETS_KEYS = [NEW]
    with pytest.raises(CommandError, match="SECRETS_KEYS"):
        rotate(capsys)
    assert stored() == before


def test_rotation_keeps_a_company_s_secrets_unique(old_key, settings, capsys, acme):
    WebhookSecretFactory(company=acme, secret=SECRET)
    settings.SECRETS_KEYS = [NEW, OLD]
    rotate(capsys)
    with pytest.raises(CommandError, match="set already"):
        call_command("webhook_secret", "acme", "openphone", "--add", SECRET)
    with tenant(acme.pk):
        assert WebhookSecret.objects.count() == 1
