"""Expected status of every caller on every route, derived from the permissions alone."""

from dataclasses import dataclass

from django.contrib.admindocs.views import simplify_regex
from django.urls import get_resolver

from crm.api.base.roles import CHANGE, CREATE, DELETE, LIST, PERMISSIONS, READ

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
STAFF, NOBODY = "staff", "nobody"
# The idle rep has no call and no appointment; the outsider is the manager of another company.
ROLE_OF = {"manager": "manager", "csr": "csr", "rep": "rep", "idle_rep": "rep", "outsider": "manager"}
CALLERS = [*ROLE_OF, STAFF, NOBODY]

# Open to every client with a valid body.
SIGN_IN = {
    "auth/token": 200, "auth/token/refresh": 200, "auth/sign-out": 204, "auth/password-reset": 202,
    "auth/set-password": 204,
}  # fmt: skip
# Every user's own account, for staff as well, by method. The users have no second factor, and the session isn't theirs.
OWN = {
    "me": {"GET": 200},
    "me/password": {"POST": 200},
    "me/second-factor": {"GET": 200, "POST": 201},
    "me/second-factor/confirm": {"POST": 409},
    "me/second-factor/recovery-codes": {"POST": 409},
    "me/second-factor/remove": {"POST": 409},
    "me/sessions": {"GET": 200},
    "me/sessions/end-others": {"POST": 204},
    "me/sessions/<pk>": {"DELETE": 404},
}

ON_LIST = {"GET": LIST, "HEAD": LIST, "POST": CREATE}
ON_ROW = {"GET": READ, "HEAD": READ, "PATCH": CHANGE, "DELETE": DELETE}
ON_SINGLE = {"GET": READ, "HEAD": READ, "PATCH": CHANGE}  # metrics and settings
SUCCESS = {LIST: 200, READ: 200, CREATE: 201, CHANGE: 200, DELETE: 204}
# Actions on a row, at contacts/<pk>/NAME: the method and the status of success. The name is the verb.
ACTIONS = {
    "accept": ("POST", 200),
    "add": ("POST", 200),
    "attachments": ("GET", 200),
    "audience": ("POST", 200),
    "cancel": ("POST", 200),
    "card": ("GET", 200),
    "change-series": ("POST", 200),
    "claim": ("POST", 200),
    "confirm": ("POST", 200),
    "decline": ("POST", 200),
    "dismiss": ("POST", 200),
    "estimate": ("GET", 200),
    "file": ("GET", 200),
    "invite": ("POST", 202),
    "merge": ("POST", 200),
    "on-the-way": ("POST", 200),
    "pause": ("POST", 200),
    "read": ("POST", 200),
    "done": ("POST", 200),
    "reopen": ("POST", 200),
    "recordings": ("GET", 200),
    "recover": ("POST", 200),
    "rejected": ("GET", 200),
    "release": ("POST", 200),
    "remove": ("POST", 200),
    "replay": ("POST", 202),
    "report": ("GET", 200),
    "reset-second-factor": ("POST", 200),
    "restore": ("POST", 200),
    "resume": ("POST", 200),
    "revoke": ("POST", 200),
    "test-send": ("POST", 202),
    "texts": ("GET", 200),
    "rotate-secret": ("POST", 200),
    "stages": ("GET", 200),
    "start": ("POST", 200),
    "steps": ("POST", 200),
    "timeline": ("GET", 200),
    "undo": ("POST", 200),
    "unread": ("POST", 200),
    "vcard": ("GET", 200),
    "withdraw": ("POST", 200),
}
# Rows whose author alone has a verb, or with others. The author of the tests' note is the CSR.
BY_AUTHOR = {("activities", CHANGE): {"csr"}, ("activities", DELETE): {"csr", "manager"}}
WRITES_NOTHING = {  # a created ticket is signed, not stored; a test event is undone
    "events/ticket", "provider-connections/test", "segments/preview",
}  # fmt: skip
ANSWERED = {"provider-connections/test", "segments/preview"}  # a POST that asks: 200
QUEUED = {"duplicates/search", "imports", "message-threads"}  # a created row is sent later: 202


@dataclass(frozen=True)
class Route:
    path: str  # contacts/<pk>

    def __str__(self):
        return self.path

    @property
    def is_export(self):
        """Return True for the file of a list: contacts/export."""
        return self.path.endswith("/export")

    @property
    def own_path(self):
        """The path without the contact that the rows belong to: contacts/phones/<pk>."""
        return self.path.replace("<contact>/", "").removesuffix("/export")

    @property
    def resource(self):
        return self.own_path.partition("/<")[0]

    @property
    def action(self):
        """The name of an action on a row; "" for the usual verbs."""
        return self.own_path.partition(">/")[2]

    @property
    def verbs(self):
        """The verb of each method that the route may have."""
        if self.is_export:
            return {"GET": LIST, "HEAD": LIST}
        if self.action:
            method = ACTIONS[self.action][0]
            return {method: self.action} | ({"HEAD": self.action} if method == "GET" else {})
        if "<pk>" in self.path:
            return ON_ROW
        if self.path == "attachments":
            return {"POST": CREATE}
        verbs = {verb for grant in PERMISSIONS[self.resource].values() for verb in grant.verbs}
        return ON_LIST if LIST in verbs else {"POST": CREATE} if verbs == {CREATE} else ON_SINGLE

    @property
    def names_a_row(self):
        return "<" in self.path


def all_routes():
    """Return every route below /api/v1/."""
    below = [part for part in get_resolver().url_patterns if str(part.pattern) == "api/v1/"]
    return sorted(
        {Route(simplify_regex(str(entry.pattern)).strip("/")) for part in below for entry in part.url_patterns},
        key=str,
    )


ROUTES = all_routes()
CELLS = len(ROUTES) * len(CALLERS) * len(METHODS)


def expected(caller, route, method, *, body_names_a_row):
    """Return the expected status. `body_names_a_row`: the body refers to a row of the company under test."""
    if route.path in SIGN_IN:
        return {"POST": SIGN_IN[route.path], "OPTIONS": 200}.get(method, 405)
    if caller == NOBODY:
        return 401
    if route.path in OWN:
        statuses = OWN[route.path]
        return {"OPTIONS": 200, "HEAD": statuses.get("GET", 405), **statuses}.get(method, 405)
    grants, verb = PERMISSIONS[route.resource], route.verbs.get(method)
    if method != "OPTIONS" and not any(verb in grant.verbs for grant in grants.values()):
        return 405
    if caller == STAFF:
        return 403
    grant = grants.get(ROLE_OF[caller])
    if grant is None:
        return 403
    if method == "OPTIONS":
        return 200
    if verb not in grant.verbs:
        return 403
    if caller == "outsider" or (caller in ("idle_rep", "csr") and grant.own):  # the own rows are the rep's
        if route.names_a_row:
            return 404
        if verb == CREATE and body_names_a_row:
            return 400
    if caller not in BY_AUTHOR.get((route.resource, verb), {caller}):
        return 403
    if route.action:
        return ACTIONS[route.action][1]
    if verb == CREATE and route.resource in ANSWERED:
        return 200
    return 202 if verb == CREATE and route.resource in QUEUED else SUCCESS[verb]
