"""Permission class of the API."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crm.api.base.roles import grant_for

if TYPE_CHECKING:  # the settings name this module, so DRF's views import it before they exist
    from rest_framework.views import APIView


class RolePermission(BasePermission):
    """Allows the verbs that the user's role has on the view's resource; a view without a resource allows none."""

    message = "Your role may not do this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            return False
        if request.method not in view.allowed_methods:  # before the role, which doesn't matter then
            raise MethodNotAllowed(str(request.method))
        if not request.user.company_id:
            self.message = "Only users of a company can use this API; staff use the admin."
            return False
        verbs = grant_for(request.user.role, getattr(view, "resource", "")).verbs
        if not verbs:
            return False
        verb = view.verb  # type: ignore[attr-defined]  # a view with a resource is a TenantView
        return verb is None or verb in verbs
