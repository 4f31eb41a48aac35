"""Who may do what."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crm.choices import Role

if TYPE_CHECKING:  # the settings name this module, so DRF's views import it before they exist
    from rest_framework.views import APIView


class WorksForACompany(BasePermission):
    """Signed in, and of a company: staff have none, and work in the admin."""

    message = "Only users of a company have this API; staff work in the admin."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return bool(request.user.is_authenticated and request.user.company_id)


class IsManager(WorksForACompany):
    message = "Only managers may do this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return super().has_permission(request, view) and getattr(request.user, "role", "") == Role.MANAGER


class IsManagerOrReads(IsManager):
    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method in SAFE_METHODS:
            return WorksForACompany.has_permission(self, request, view)
        return super().has_permission(request, view)
