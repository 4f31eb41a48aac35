"""Provider accounts: `manage.py provider_account` and the admin."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from crm.db.tenancy import all_tenants, tenant
from messaging.models import ProviderAccount
from tests.factories import ProviderAccountFactory

pytestmark = pytest.mark.django_db
KEY = "a-key-that-nobody-else-has"


@pytest.fixture
def command(acme, capsys, monkeypatch):
    def command(*arguments, key="", provider="openphone"):
        monkeypatch.setattr("sys.stdin", io.StringIO(key))
        call_command("provider_account", "acme", provider, *arguments)
        return capsys.readouterr().out

    return command


def accounts_of(company):
    with tenant(company.pk):
        return list(ProviderAccount.objects.order_by("id").values_list("provider", "account_id", "api_key"))


def test_account_is_set_and_its_key_never_shown(command, acme):
    assert "no account with OpenPhone" in command()
    shown = command("--set-key", "-", key=KEY + "\n") + command()
    assert shown.count("its key is set") == 2
    assert KEY not in shown
    assert accounts_of(acme) == [("openphone", "", KEY)]


def test_new_key_replaces_the_old_one_and_keeps_the_id(command, acme):
    command("--set-key", "-", "--account-id", "AC17", key="old", provider="twilio")
    assert "AC17" in command("--set-key", "-", key=KEY, provider="twilio")
    assert accounts_of(acme) == [("twilio", "AC17", KEY)]


def test_removal_deletes_only_the_given_account(command, acme, globex):
    ProviderAccountFactory(company=globex)
    command("--set-key", "-", key=KEY)
    command("--set-key", "-", "--account-id", "AC17", key=KEY, provider="twilio")
    assert "no account" in command("--remove")
    assert [account[0] for account in accounts_of(acme)] == ["twilio"]
    assert len(accounts_of(globex)) == 1


@pytest.mark.parametrize("provider", ["twilio", "callrail"])
def test_provider_with_account_ids_requires_one(command, acme, provider):
    with pytest.raises(CommandError, match=r"--set-key: .* requires an account ID"):
        command("--set-key", "-", key=KEY, provider=provider)
    assert accounts_of(acme) == []


@pytest.mark.parametrize("key", ["", " \n", "x" * 201])
def test_invalid_key_is_rejected(command, acme, key):
    with pytest.raises(CommandError, match=r"^--set-key: "):
        command("--set-key", "-", key=key)
    assert accounts_of(acme) == []


def test_account_id_without_a_key_is_rejected(command, acme):
    with pytest.raises(CommandError, match="--account-id requires --set-key"):
        command("--account-id", "AC17")
    assert accounts_of(acme) == []


def test_key_as_an_argument_is_rejected_without_repeating_it(command, acme):
    with pytest.raises(CommandError, match="standard input") as refused:
        command("--set-key", KEY)
    assert KEY not in str(refused.value)
    assert accounts_of(acme) == []


def test_key_is_read_from_a_file(command, acme, tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    command("--from-file", str(tmp_path / "key"))
    assert accounts_of(acme) == [("openphone", "", KEY)]


def test_unreadable_file_is_named(command, acme, tmp_path):
    with pytest.raises(CommandError, match=f"--from-file: {tmp_path}/missing can't be read"):
        command("--from-file", str(tmp_path / "missing"))
    assert accounts_of(acme) == []


def test_key_that_is_typed_is_not_shown(command, acme, monkeypatch, capsys):
    monkeypatch.setattr("crm.management.secret_input.getpass", lambda prompt: KEY)
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    call_command("provider_account", "acme", "openphone", "--set-key", "-")
    assert accounts_of(acme) == [("openphone", "", KEY)]


def test_account_id_must_be_safe_in_a_url(command, acme):
    with pytest.raises(CommandError, match="letters and digits"):
        command("--set-key", "-", "--account-id", "../Accounts/AC18", key=KEY, provider="twilio")
    assert accounts_of(acme) == []


def test_staff_change_the_key_without_seeing_it(client, staff, acme):
    client.force_login(staff)
    add = reverse("admin:messaging_provideraccount_add")
    form = {"company": acme.pk, "provider": "twilio", "api_key": KEY}
    answers = [client.post(add, form)]
    assert not answers[0].context["adminform"].form.is_valid()  # its id is missing
    answers.append(client.post(add, form | {"account_id": "AC17"}, follow=True))
    with all_tenants():
        account = ProviderAccount.objects.get()
    change = reverse("admin:messaging_provideraccount_change", args=[account.pk])
    answers.append(client.get(change))
    answers.append(client.post(change, {"account_id": "AC18", "api_key": ""}, follow=True))
    assert accounts_of(acme) == [("twilio", "AC18", KEY)]
    client.post(change, {"account_id": "AC18", "api_key": "a newer one"}, follow=True)
    assert accounts_of(acme) == [("twilio", "AC18", "a newer one")]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert not any(KEY in answer.content.decode() for answer in answers)


def test_account_without_a_key_is_rejected(client, staff, acme):
    client.force_login(staff)
    form = {"company": acme.pk, "provider": "openphone", "api_key": " "}
    response = client.post(reverse("admin:messaging_provideraccount_add"), form)
    assert "api_key" in response.context["adminform"].form.errors
    assert accounts_of(acme) == []
