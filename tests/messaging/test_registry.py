"""Provider registry: each entry is complete and agrees with the rest of the product."""

from pathlib import Path

import pytest

from crm.choices import Provider
from messaging.opt_out_text.classification import Verdict, classify_text
from messaging.providers.registry import PROVIDERS
from tests.database_errors import refused
from tests.factories import ProviderAccountFactory
from tests.messaging.payloads import EVERY_SHAPE
from tests.provider_server import ProviderServer

EVERY_PROVIDER = pytest.mark.parametrize("provider", Provider)


def test_every_provider_has_an_entry():
    assert set(PROVIDERS) == set(Provider)


@EVERY_PROVIDER
def test_account_id_is_required_by_registry_and_constraint_alike(acme, provider):
    if PROVIDERS[provider].account_id_name:
        with refused("provider_accounts_account_id_given"):
            ProviderAccountFactory(company=acme, provider=provider, account_id="")
    else:
        assert ProviderAccountFactory(company=acme, provider=provider, account_id="").pk


@EVERY_PROVIDER
def test_confirmed_keywords_are_opt_outs_or_opt_ins_here_as_well(provider):
    verdicts = {classify_text(keyword) for keyword in PROVIDERS[provider].confirmed_keywords}
    assert verdicts <= {Verdict.OPT_OUT, Verdict.OPT_IN, Verdict.YES}


def test_every_provider_has_sample_payloads():
    assert {provider for provider, _ in EVERY_SHAPE} == set(Provider)


@EVERY_PROVIDER
def test_provider_server_has_the_api_of_every_provider(provider):
    with ProviderServer() as server:
        assert hasattr(server, provider)


@pytest.mark.parametrize("page", ["messaging.md", "glossary.md"])
@EVERY_PROVIDER
def test_page_names_every_provider(page, provider):
    name = provider.label.partition(" / ")[0]
    assert name in (Path(__file__).parents[2] / "docs" / page).read_text(), f"describe {name} in docs/{page}"
