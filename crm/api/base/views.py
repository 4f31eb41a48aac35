"""The door of the API: every view enters the company of the user, and refuses parameters that it doesn't know."""

from contextlib import ExitStack
from typing import Any, cast

from django.db import IntegrityError
from django.db.models import Model, QuerySet
from django_filters import FilterSet
from rest_framework import mixins
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from crm.api.base.filters import check_parameters
from crm.api.base.lists import ListRowsMixin
from crm.api.base.pagination import PARAMETERS as PAGE_PARAMETERS
from crm.api.base.pagination import KeysetPagination
from crm.api.base.roles import CHANGE, CREATE, DELETE, LIST, READ, visible
from crm.db.audit_context import acting_as
from crm.db.tenancy import mark_rollback, tenant, tenant_autocommit
from crm.models import User

VERBS = {
    "list": LIST,
    "retrieve": READ,
    "create": CREATE,
    "update": CHANGE,
    "partial_update": CHANGE,
    "destroy": DELETE,
}


class TenantView(APIView):
    """A view whose queries are those of the signed-in user's company. Its role must have the verb on the resource."""

    resource: str
    """A row of the table in crm.api.base.roles."""
    writing = False
    """In a transaction, which is undone where the request is refused."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            with ExitStack() as self.exit_stack:
                return super().dispatch(request, *args, **kwargs)
        except IntegrityError as error:  # foreign keys are checked when the transaction ends, behind DRF's handler
            self.writing = False
            return self.finalize_response(self.request, self.handle_exception(error), *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if self.writing:
            mark_rollback()
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # who it is, and whether they may
        if request.method in SAFE_METHODS:
            self.begin_read()
        else:
            self.begin_write()
        if request.method in self.allowed_methods:  # a method that isn't there is a 405, whatever came with it
            check_parameters(request, self.known_parameters())

    def begin_read(self) -> None:
        self.exit_stack.enter_context(tenant_autocommit(self.company_id))

    def begin_write(self) -> None:
        self.exit_stack.enter_context(tenant(self.company_id))
        self.writing = True
        self.exit_stack.enter_context(acting_as(self.user.pk, self.user.username))

    def known_parameters(self) -> set[str]:
        return set()

    @property
    def verb(self) -> str | None:
        """What the request is about to do with the resource. None for OPTIONS, and for a method that is not there."""
        return READ if self.request.method in ("GET", "HEAD") else None

    @property
    def user(self) -> User:
        """The user signed in, which the permission classes have made sure of."""
        return cast(User, self.request.user)

    @property
    def company_id(self) -> int:
        """The user's company; the permission classes refuse whoever has none."""
        return cast(int, self.user.company_id)


class TenantViewSet(TenantView, GenericViewSet):
    """Rows of one model. Another company's are not found, like those that do not exist."""

    model: type[Model]
    ordering: tuple[str, str] = ("-created_at", "-id")
    filterset_class: type[FilterSet] | None = None
    pagination_class = KeysetPagination
    lookup_value_regex = "[0-9]{1,18}"  # 18 digits always fit the column

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):  # drawing the OpenAPI document: nobody has signed in
            return self.model._default_manager.none()
        return visible(self.get_rows(), self.user, self.resource)

    def get_rows(self) -> Any:
        """The company's rows, before what its role hides from the user."""
        return self.model.objects.all()  # type: ignore[attr-defined]

    @property
    def verb(self) -> str | None:
        # An action of another name is a verb by itself.
        return None if self.action in (None, "metadata") else VERBS.get(self.action, self.action)

    def get_ordering(self) -> tuple[str, str]:
        return self.ordering

    def known_parameters(self) -> set[str]:
        if getattr(self, "action", None) != "list":
            return set()
        return PAGE_PARAMETERS | (set(self.filterset_class.base_filters) if self.filterset_class else set())


class ReadViewSet(ListRowsMixin, mixins.RetrieveModelMixin, TenantViewSet):
    """List and read."""


class CreateReadViewSet(mixins.CreateModelMixin, ReadViewSet):
    """List, read and add."""

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id)


class EditViewSet(mixins.UpdateModelMixin, CreateReadViewSet):
    """List, read, add and change; what has happened is not deleted."""


class FullViewSet(mixins.DestroyModelMixin, EditViewSet):
    """List, read, add, change and delete."""
