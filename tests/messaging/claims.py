"""The steps of sending one message, for tests in which something happens in between."""

import math

from django.utils import timezone

from crm.db.tenancy import tenant
from messaging.providers.registry import client_for_sending
from messaging.services.outbound import sending
from messaging.services.outbound.claims import claim_messages
from messaging.services.outbound.ready_lines import find_ready_lines


def claim(line):
    """Return the messages that the line's next claim marks as `sending`."""
    [ready] = [ready for ready in find_ready_lines(timezone.now()) if ready.line_id == line.pk]
    return claim_messages(ready=ready).messages


def depart_and_call(message):
    """Return what `settle` records. It is empty if the claim was lost."""
    with tenant(message.company_id):
        client = client_for_sending(line=message.phone_line)
    leaving, blocked = sending.mark_departures(messages=[message])
    return blocked + sending._call_provider(client, message.phone_line, leaving, [], math.inf)
