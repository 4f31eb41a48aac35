"""`manage.py webhook_secret`."""

import io

import pytest
from django.core.management import CommandError, call_command

from crm.db.tenancy import tenant
from messaging.models import WebhookSecret
from messaging.providers.registry import PROVIDERS
from tests.factories import WebhookSecretFactory
from tests.messaging.payloads import SECRET, callrail_call, message_2026, message_v4, post_event, twilio_message

pytestmark = pytest.mark.django_db
CURRENT_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def command(acme, capsys):
    def command(*arguments):
        call_command("webhook_secret", "acme", "openphone", *arguments)
        return capsys.readouterr().out

    return command


def secrets_of(company):
    with tenant(company.pk):
        return list(WebhookSecret.objects.order_by("id").values_list("secret", flat=True))


def test_command_shows_the_url_and_missing_secrets(command, settings):
    settings.PUBLIC_URL = "https://crm.example.com"
    shown = command()
    assert "https://crm.example.com/webhooks/openphone/acme\n" in shown
    assert "No secret is set" in shown


def test_secrets_are_listed_by_number_date_and_kind_without_their_text(command, acme):
    command("--add", SECRET)
    shown = command("--add", CURRENT_SECRET)
    first, second = shown.splitlines()[-2:]
    assert first.startswith("  1. set on 20")
    assert first.endswith("legacy (plain base64)")
    assert second.endswith("current (whsec_)")
    assert SECRET not in shown
    assert CURRENT_SECRET.removeprefix("whsec_") not in shown
    assert secrets_of(acme) == [SECRET, CURRENT_SECRET]


def test_several_secrets_are_valid_at_once(command, client):
    command("--add", SECRET)
    command("--add", CURRENT_SECRET)
    for secret in (SECRET, CURRENT_SECRET):
        assert post_event(client, message_v4(), secret=secret).status_code == 200
        assert post_event(client, message_2026(), secret=secret).status_code == 200


def test_removed_secret_is_refused(command, client, acme):
    command("--add", SECRET)
    command("--add", CURRENT_SECRET)
    command("--remove", "1")
    assert secrets_of(acme) == [CURRENT_SECRET]
    assert post_event(client, message_v4(), secret=SECRET).status_code == 401


def test_generated_secret_is_printed_once_and_valid(command, client, acme):
    shown = command("--generate")
    [secret] = secrets_of(acme)
    assert shown.count(secret) == 1
    assert secret not in command()
    assert post_event(client, message_2026(), secret=secret).status_code == 200


@pytest.mark.parametrize("secret", ["", "not base64!", "whsec_", "x" * 300])
def test_invalid_secret_is_rejected(command, acme, secret):
    with pytest.raises(CommandError, match=r"^--add: "):
        command("--add", secret)
    assert secrets_of(acme) == []


def test_same_secret_is_rejected_the_second_time(command, acme):
    command("--add", SECRET)
    with pytest.raises(CommandError, match="already has this secret"):
        command("--add", SECRET)
    assert secrets_of(acme) == [SECRET]


@pytest.mark.parametrize(("provider", "build"), [("callrail", callrail_call), ("twilio", twilio_message)])
def test_each_provider_has_its_own_url_and_secrets(client, acme, capsys, settings, provider, build):
    settings.PUBLIC_URL = "https://crm.example.com"
    call_command("webhook_secret", "acme", provider)
    shown = capsys.readouterr().out
    assert f"https://crm.example.com/webhooks/{provider}/acme\n" in shown
    assert PROVIDERS[provider].signature.SECRET_NAME in shown
    call_command("webhook_secret", "acme", provider, "--add", "not-base64!")
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1].startswith("  1. set on 20")
    assert "not-base64!" not in shown
    assert post_event(client, build(), provider=provider, secret="not-base64!").status_code == 200
    with pytest.raises(CommandError, match=r"^--add: The secret must be one word"):
        call_command("webhook_secret", "acme", provider, "--add", "two words")


def test_secret_is_generated_for_callrail(client, acme):
    call_command("webhook_secret", "acme", "callrail", "--generate")
    [secret] = secrets_of(acme)
    assert post_event(client, callrail_call(), provider="callrail", secret=secret).status_code == 200


def test_twilios_secret_cannot_be_generated(acme):
    with pytest.raises(CommandError, match=r"^--generate: Twilio signs with the account's auth token"):
        call_command("webhook_secret", "acme", "twilio", "--generate")
    assert secrets_of(acme) == []


def test_two_companies_may_have_the_same_secret(command, acme, globex):
    WebhookSecretFactory(company=globex, secret=SECRET)
    command("--add", SECRET)
    assert secrets_of(acme) == [SECRET]


@pytest.mark.parametrize("number", ["0", "2", "-1"])
def test_removing_an_unlisted_number_is_rejected(command, acme, globex, number):
    WebhookSecretFactory(company=globex)
    command("--add", SECRET)
    with pytest.raises(CommandError, match="--remove"):
        command("--remove", number)
    assert secrets_of(acme) == [SECRET]


def test_unknown_company_or_provider_is_named(acme):
    with pytest.raises(CommandError, match="nobody"):
        call_command("webhook_secret", "nobody", "openphone")
    with pytest.raises(CommandError, match="invalid choice: 'nobody'"):
        call_command("webhook_secret", "acme", "nobody")


def test_only_one_change_at_a_time_is_allowed(command):
    with pytest.raises(CommandError, match="not allowed with"):
        command("--generate", "--add", SECRET)


def test_secret_is_read_from_standard_input_without_a_warning(acme, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    call_command("webhook_secret", "acme", "openphone", "--add", "-")
    assert secrets_of(acme) == [SECRET]
    assert capsys.readouterr().err == ""


def test_secret_is_read_from_a_file(command, acme, tmp_path):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    command("--from-file", str(tmp_path / "secret"))
    assert secrets_of(acme) == [SECRET]


def test_secret_as_an_argument_is_added_with_a_warning(acme, capsys):
    call_command("webhook_secret", "acme", "openphone", "--add", SECRET)
    assert secrets_of(acme) == [SECRET]
    warning = capsys.readouterr().err
    assert "--from-file FILE" in warning
    assert SECRET not in warning
