"""What every caller must be answered on every route, read from the table of roles and nothing else of the product."""

from dataclasses import dataclass

from django.contrib.admindocs.views import simplify_regex
from django.urls import get_resolver

from crm.api.base.roles import CHANGE, CREATE, DELETE, LIST, READ, ROLES, TABLE

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
STAFF, NOBODY = "staff", "nobody"
# The idle rep has no call and no visit; the outsider is the manager of another company.
ROLE_OF = {"manager": "manager", "csr": "csr", "rep": "rep", "idle_rep": "rep", "outsider": "manager"}
CALLERS = [*ROLE_OF, STAFF, NOBODY]

# Open to whoever has the right body.
SIGN_IN = {"auth/token": 200, "auth/token/refresh": 200, "auth/sign-out": 204}
ME = "me"

ON_LIST = {"GET": LIST, "HEAD": LIST, "POST": CREATE}
ON_ROW = {"GET": READ, "HEAD": READ, "PUT": CHANGE, "PATCH": CHANGE, "DELETE": DELETE}
ON_FIGURES = {"GET": READ, "HEAD": READ, "PATCH": CHANGE}  # or on settings
SUCCESS = {LIST: 200, READ: 200, CREATE: 201, CHANGE: 200, DELETE: 204}
# What else may be done with a row, at contacts/<pk>/NAME: the method, and what it answers. The name is the verb.
ACTIONS = {
    "confirm": ("POST", 200),
    "dismiss": ("POST", 200),
    "read": ("POST", 200),
    "recover": ("POST", 200),
    "replay": ("POST", 202),
    "resume": ("POST", 200),
    "timeline": ("GET", 200),
}
TAKEN = {"message-threads"}  # what is created there leaves later: 202


@dataclass(frozen=True)
class Route:
    path: str  # contacts/<pk>

    def __str__(self):
        return self.path

    @property
    def resource(self):
        return self.path.partition("/<")[0]

    @property
    def action(self):
        """What is done with a row beside reading, changing and deleting it; mostly ""."""
        return self.path.partition(">/")[2]

    @property
    def verbs(self):
        """The verb of each method that may be there."""
        if self.action:
            method = ACTIONS[self.action][0]
            return {method: self.action} | ({"HEAD": self.action} if method == "GET" else {})
        if "<pk>" in self.path:
            return ON_ROW
        return ON_LIST if any(LIST in grant.verbs for grant in TABLE[self.resource]) else ON_FIGURES

    @property
    def names_a_row(self):
        return "<" in self.path


def all_routes():
    """Every route below /api/v1/ that the URL resolver knows."""
    below = [part for part in get_resolver().url_patterns if str(part.pattern) == "api/v1/"]
    return sorted(
        {Route(simplify_regex(str(entry.pattern)).strip("/")) for part in below for entry in part.url_patterns},
        key=str,
    )


ROUTES = all_routes()
CELLS = len(ROUTES) * len(CALLERS) * len(METHODS)


def expected(caller, route, method, *, body_names_a_row):
    """The status that this caller must get; `body_names_a_row` says whether what is sent refers to a row of ours."""
    if route.path in SIGN_IN:
        return {"POST": SIGN_IN[route.path], "OPTIONS": 200}.get(method, 405)
    if caller == NOBODY:
        return 401
    if route.path == ME:
        return 200 if method in ("GET", "HEAD", "OPTIONS") else 405
    if caller == STAFF:
        return 403
    grants = dict(zip(ROLES, TABLE[route.resource], strict=True))
    grant, verb = grants[ROLE_OF[caller]], route.verbs.get(method)
    if not grant.verbs:
        return 403
    if method == "OPTIONS":
        return 200
    if not any(verb in somebodys.verbs for somebodys in grants.values()):
        return 405
    if verb not in grant.verbs:
        return 403
    if caller == "outsider" or (caller == "idle_rep" and grant.own):
        if route.names_a_row:
            return 404
        if verb == CREATE and body_names_a_row:
            return 400
    if route.action:
        return ACTIONS[route.action][1]
    return 202 if verb == CREATE and route.resource in TAKEN else SUCCESS[verb]
