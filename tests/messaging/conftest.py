"""Acme takes deliveries from OpenPhone, on one line that has a name."""

import pytest

from tests.factories import PhoneLineFactory, WebhookSecretFactory
from tests.messaging.payloads import OUR_NUMBER


@pytest.fixture
def secret(acme):
    return WebhookSecretFactory(company=acme)


@pytest.fixture
def desk(acme):
    return PhoneLineFactory(company=acme, name="Front desk", number=OUR_NUMBER, provider_id="PNdesk")
