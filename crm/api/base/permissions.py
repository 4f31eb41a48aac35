"""Asks the table of roles."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crm.api.base.roles import grant_for

if TYPE_CHECKING:  # the settings name this module, so DRF's views import it before they exist
    from rest_framework.views import APIView


class RolePermission(BasePermission):
    """The user's role has the view's verb on the view's resource. A view that names no resource is open to nobody."""

    message = "Your role may not do this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            return False
        if not request.user.company_id:
            self.message = "Only users of a company have this API; staff work in the admin."
            return False
        verbs = grant_for(request.user.role, getattr(view, "resource", "")).verbs
        if not verbs:
            return False
        verb = view.verb  # type: ignore[attr-defined]  # who names a resource is a TenantView
        return verb is None or verb in verbs
