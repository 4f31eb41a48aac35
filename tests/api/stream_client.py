"""A client of the stream without a network, and its tickets."""

import orjson

from crm.api.tokens import SESSION, SessionToken
from crm.changes.tickets import issue_ticket
from tests.api.feed import settle


def new_ticket(user):
    return issue_ticket(user, session=SessionToken.for_user(user)[SESSION])


class Listener:
    """A client of a hub, without a network."""

    def __init__(self, hub, user, after=None):
        self.woken = 0
        settle()
        self.client = hub.connect(new_ticket(user), after, self.wake)
        [self.after] = [cursor for cursor, _ in self.read()]

    def wake(self):
        self.woken += 1

    def read(self):
        """Return the cursor and the changes of each message, and forget them."""
        messages, self.client.messages = list(self.client.messages), type(self.client.messages)()
        found = []
        for message in messages:
            lines = dict(line.split(": ", 1) for line in message.decode().splitlines() if line)
            changes = orjson.loads(lines.get("data", '{"results":[]}'))["results"]
            found.append((lines["id"], [(each["resource"], each["id"], each["change"]) for each in changes]))
        return found

    def changes(self):
        return [change for _, changes in self.read() for change in changes]
