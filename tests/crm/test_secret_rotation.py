"""Encryption of secrets at rest, and rotation of keys."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection

from crm.db.tenancy import all_tenants, tenant
from crm.services import secret_rotation
from messaging.models import ProviderAccount, WebhookSecret
from tests.factories import ProviderAccountFactory, WebhookSecretFactory
from tests.messaging.payloads import SECRET, message_v4, post_event

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def old_key(settings):
    settings.SECRETS_KEYS = [OLD]


def stored():
    """Return every column of every webhook secret, as the database stores it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM webhook_secrets ORDER BY id")
        return [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor.fetchall()]


def decrypted():
    with all_tenants():
        return list(WebhookSecret.objects.order_by("id").values_list("secret", flat=True))


def rotate(capsys):
    call_command("rotate_secrets")
    printed = capsys.readouterr()
    assert printed.err == ""  # no progress bar where stderr is no terminal
    return printed.out


def test_database_stores_no_plain_secret():
    WebhookSecretFactory(secret=SECRET)
    [row] = stored()
    assert SECRET not in str(row)
    assert SECRET.encode().hex() not in str(row)
    assert decrypted() == [SECRET]


def test_equal_secrets_are_encrypted_differently(acme, globex):
    WebhookSecretFactory(company=acme, secret=SECRET)
    WebhookSecretFactory(company=globex, secret=SECRET)
    first, second = stored()
    assert first["secret"] != second["secret"]


def test_secret_cannot_be_filtered_by():
    WebhookSecretFactory(secret=SECRET)
    with pytest.raises(FieldError), all_tenants():
        WebhookSecret.objects.filter(secret=SECRET)


def test_rotation_makes_the_old_key_unnecessary(old_key, settings, capsys, acme, globex, client):
    for company in (acme, globex):
        WebhookSecretFactory(company=company, secret=SECRET)
    settings.SECRETS_KEYS = [NEW, OLD]
    assert post_event(client, message_v4()).status_code == 200
    assert "2 secrets re-encrypted" in rotate(capsys)
    settings.SECRETS_KEYS = [NEW]
    assert decrypted() == [SECRET, SECRET]
    assert post_event(client, message_v4()).status_code == 200


def test_rotation_includes_api_keys_of_accounts(old_key, settings, capsys, acme):
    ProviderAccountFactory(company=acme, api_key="a-key")
    settings.SECRETS_KEYS = [NEW, OLD]
    assert "1 secrets re-encrypted" in rotate(capsys)
    settings.SECRETS_KEYS = [NEW]
    with tenant(acme.pk):
        assert ProviderAccount.objects.get().api_key == "a-key"


def test_second_rotation_changes_nothing(old_key, settings, capsys):
    WebhookSecretFactory()
    settings.SECRETS_KEYS = [NEW, OLD]
    rotate(capsys)
    before = stored()
    assert "0 secrets re-encrypted" in rotate(capsys)
    assert stored() == before


def test_interrupted_rotation_is_continued(old_key, settings, capsys, monkeypatch):
    monkeypatch.setattr(secret_rotation, "BATCH", 1)
    WebhookSecretFactory()
    settings.SECRETS_KEYS = [NEW]
    WebhookSecretFactory()
    settings.SECRETS_KEYS = [NEW, OLD]
    assert "1 secrets re-encrypted" in rotate(capsys)


def test_secret_without_the_id_of_its_key_is_read_and_rotated(settings, capsys, acme):
    settings.SECRETS_KEYS = [NEW, OLD]
    secret = WebhookSecretFactory(company=acme, secret=SECRET)
    with connection.cursor() as cursor, tenant(acme.pk):
        token = Fernet(OLD).encrypt(SECRET.encode()).decode()
        cursor.execute("UPDATE webhook_secrets SET secret = %s WHERE id = %s", [token, secret.pk])
    assert decrypted() == [SECRET]
    assert "1 secrets re-encrypted" in rotate(capsys)
    settings.SECRETS_KEYS = [NEW]
    assert decrypted() == [SECRET]


def test_missing_key_is_reported_and_secrets_are_kept(old_key, settings, capsys):
    WebhookSecretFactory(secret=SECRET)
    before = stored()
    settings.SECRETS_KEYS = [NEW]
    with pytest.raises(CommandError, match="SECRETS_KEYS"):
        rotate(capsys)
    assert stored() == before


def test_rotation_keeps_secrets_unique_within_a_company(old_key, settings, capsys, acme):
    WebhookSecretFactory(company=acme, secret=SECRET)
    settings.SECRETS_KEYS = [NEW, OLD]
    rotate(capsys)
    with pytest.raises(CommandError, match="already has this secret"):
        call_command("webhook_secret", "acme", "openphone", "--add", SECRET)
    with tenant(acme.pk):
        assert WebhookSecret.objects.count() == 1
