"""A message that a CSR has scheduled."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.models import Message
from tests.factories import ContactFactory, ProviderAccountFactory
from tests.messaging.clocks import zone_with_hour


@pytest.fixture
def casey(in_acme):
    return ContactFactory(company=in_acme, phone="+12125550101", timezone=zone_with_hour(14))


@pytest.fixture
def line(in_acme, desk, provider_server):
    ProviderAccountFactory(company=in_acme)
    return desk


@pytest.fixture
def schedule(csr_api, casey, line):
    """Schedule a message, in an hour unless told otherwise. Returns the response."""

    def schedule(moment=None, **body):
        body = {"body": "See you.", "send_at": moment or (timezone.now() + timedelta(hours=1)).isoformat()} | body
        return csr_api.post(f"/api/v1/message-threads/{casey.pk}", body)

    return schedule


@pytest.fixture
def message(schedule):
    return Message.objects.get(pk=schedule(hold_if_reply=True).json()["id"])
