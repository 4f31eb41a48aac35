"""The clients of one process, and what each has to be told."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import orjson
from django.db.models import Exists, OuterRef

from crm.api.base.roles import grant_for
from crm.api.seen_changes import changes_seen_by
from crm.api.tokens import find_lasting_sessions, lasting_sessions
from crm.changes.cursors import Cursor, Position, read_cursor, write_cursor
from crm.changes.pages import Page, Row, read_pages
from crm.changes.tickets import InvalidTicket, use_ticket
from crm.db.tenancy import all_tenants_autocommit, tenant_autocommit
from crm.models import User

PAGE = 1000
MAX_WAITING = 100  # messages for a client that reads too slowly


@dataclass(eq=False)
class Client:
    """A connected client. `wake` is called after a message was added, or the client was dropped."""

    user: User
    session: str
    position: Position
    history: str
    wake: Callable[[], None]
    messages: deque[bytes] = field(default_factory=deque)
    ending: bytes | None = None
    """The last message, after which the connection is closed."""

    @property
    def company_id(self) -> int:
        return self.user.company_id or 0

    def tell(self, message: bytes) -> None:
        if len(self.messages) >= MAX_WAITING:
            self.messages.clear()  # it reads them from its last cursor when it is back
            self.end("reconnect")
        elif self.ending is None:
            self.messages.append(message)
            self.wake()

    def end(self, event: str) -> None:
        """Tell the client to connect again (`reconnect`), or to load its lists again first (`expired`)."""
        self.ending = self.ending or f"event: {event}\ndata: {{}}\n\n".encode()
        self.wake()

    def cursor(self, page: Page) -> str:
        return write_cursor(Cursor(self.position, page.history, page.at), self.user)


class Hub:
    """All clients of the process. Used by one thread, the only one with a database connection."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.positions: dict[int, Position] = {}  # of the companies with clients

    def connect(self, ticket: str, after: str | None, wake: Callable[[], None]) -> Client:
        """Add a client, with the changes after its cursor.

        Raises:
            InvalidTicket, InvalidCursor, ExpiredCursor: the client is not added.
        """
        with all_tenants_autocommit():
            user_id, session = use_ticket(ticket)
            lasting = Exists(lasting_sessions(session, user=OuterRef("pk")))
            user = User.accounts.filter(lasting, pk=user_id, is_active=True, company__isnull=False).first()
        if user is None or user.company_id is None:
            raise InvalidTicket
        company = user.company_id
        with tenant_autocommit(company):
            if after is None:
                page = read_pages({company: Position()}, limit=0)[company]
            else:
                cursor = read_cursor(after, user)
                page = read_pages({company: cursor.position}, limit=PAGE)[company]
                cursor.check_history(page.history)
            client = Client(user, session, page.end, page.history, wake)
            client.messages.append(_message(client, page, page.rows))
            while not page.is_last and len(client.messages) < MAX_WAITING:
                page = read_pages({company: page.end}, limit=PAGE)[company]
                client.position = page.end
                client.messages.append(_message(client, page, page.rows))
        if page.is_last:
            self.clients.add(client)
            # A position may be of another history, until its clients have left.
            self.positions[company] = min(page.end, self.positions.get(company, page.end))
        else:
            client.end("reconnect")  # so far behind that it goes on in a further connection
        return client

    def leave(self, client: Client) -> None:
        self.clients.discard(client)
        if not any(other.company_id == client.company_id for other in self.clients):
            self.positions.pop(client.company_id, None)

    def end_signed_out(self) -> None:
        """Tell the clients whose session has ended to connect again, for which they need a new ticket."""
        if not self.clients:
            return
        with all_tenants_autocommit():
            lasting = find_lasting_sessions({client.session for client in self.clients})
        for client in self.clients:
            if client.session not in lasting:
                client.end("reconnect")

    def end_all(self) -> None:
        for client in self.clients:
            client.end("reconnect")

    def poll(self) -> bool:
        """Tell the clients what has changed, by one statement for all. Returns whether there is more."""
        if not self.clients:
            return False
        with all_tenants_autocommit():
            pages = read_pages(self.positions, limit=PAGE)
        by_company = groupby(sorted(self.clients, key=_company), key=_company)
        for company, clients in by_company:
            self._tell(pages[company], list(clients))
            self.positions[company] = pages[company].end
        return not all(page.is_last for page in pages.values())

    def _tell(self, page: Page, clients: list[Client]) -> None:
        changed_users = {row.object_id for row in page.rows if row.resource == "users"}
        told: dict[Any, bytes] = {}
        for client in clients:
            if client.history != page.history:
                client.end("expired")
            elif client.user.pk in changed_users:  # perhaps with another role, or signed out
                client.end("reconnect")
            if client.ending:
                continue
            rows = [row for row in page.rows if Position(row.xid, row.id) > client.position]
            client.position = max(client.position, page.end)
            if rows:
                self._tell_of(rows, page, client, told)

    def _tell_of(self, rows: list[Row], page: Page, client: Client, told: dict[Any, bytes]) -> None:
        """Tell a client of these changes. Users of a role that sees all calls are told the same, beside own objects."""
        sees_all = not grant_for(client.user.role, "calls").own and not any(_is_own(row, client.user) for row in rows)
        key = (client.user.role, rows[0]) if sees_all else client
        if key not in told:
            with tenant_autocommit(client.company_id):
                told[key] = _data(changes_seen_by(client.user, rows))
        if told[key]:
            client.tell(f"id: {client.cursor(page)}\n".encode() + told[key])


def _company(client: Client) -> int:
    return client.company_id


def _is_own(row: Row, user: User) -> bool:
    """Return whether the change is of an object that others of the user's role don't see."""
    return row.rep_id == user.pk and grant_for(user.role, row.resource).own


def _message(client: Client, page: Page, rows: Iterable[Row]) -> bytes:
    """Return the cursor, and the changes if the user sees any."""
    data = _data(changes_seen_by(client.user, rows))
    return f"id: {client.cursor(page)}\n".encode() + (data or b"\n")


def _data(changes: list[Any]) -> bytes:
    if not changes:
        return b""
    return b"event: changes\ndata: " + orjson.dumps({"results": changes}, option=orjson.OPT_UTC_Z) + b"\n\n"
