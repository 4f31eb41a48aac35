"""Base views: each activates the user's company as tenant and rejects unknown query parameters."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import wraps
from typing import Any, ClassVar, cast

from django.conf import settings
from django.db import Error, IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework import status
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from crm.api.base.errors import WHOLE_BODY, invalid
from crm.api.base.etags import IF_MATCH, check_if_match, tagged_response
from crm.api.base.exports import PARAMETERS as EXPORT_PARAMETERS
from crm.api.base.filters import ListFilterSet, check_parameters
from crm.api.base.idempotency import HEADER, answer_once
from crm.api.base.list_views import LISTS, ListRowsMixin
from crm.api.base.pagination import PARAMETERS as PAGE_PARAMETERS
from crm.api.base.pagination import KeysetPagination, Orders, orders_by
from crm.api.base.roles import CHANGE, CREATE, DELETE, LIST, READ, visible
from crm.db.audit_context import acting_as
from crm.db.prepared import Slot, prepared
from crm.db.replicas import choose_replica, leave_alone
from crm.db.tenancy import mark_rollback, tenant, tenant_autocommit
from crm.error_codes import ErrorCode
from crm.models import Contact, User
from crm.names import name_of_actor
from crm.outages import outage_code
from crm.services.merging.tombstones import AlreadyMerged, find_kept

CONTACT_PARAMETERS = ("contact", "contact_card_id")  # of URLs
VERBS = {
    "list": LIST,
    "export": LIST,
    "retrieve": READ,
    "create": CREATE,
    "partial_update": CHANGE,
    "destroy": DELETE,
}


@prepared
def _contacts(user: Any) -> QuerySet:
    return visible(Contact.objects.filter(pk=Slot("pk")), user, "contacts").values_list("pk")


def without_body(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Let a view's method reject the fields of a body: it would ignore them."""

    @wraps(handler)
    def wrapper(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        if request.data:
            names = request.data if isinstance(request.data, dict) else WHOLE_BODY
            raise invalid(names, "Unknown field: this request takes no body.", code=ErrorCode.UNKNOWN_FIELD)
        return handler(view, request, *args, **kwargs)

    return wrapper


class TenantView(APIView):
    """A view limited to the user's company. The user's role must have the verb on the resource.

    A POST accepts an idempotency key.

    Attributes:
        gives_secret: whether the response to a POST is a secret for one use. It is never stored, so keys are ignored.
        resource: a key of `crm.api.base.roles.PERMISSIONS`.
        has_etag: whether the response of this action is a single row with its tag.
        writing: whether the request runs in a transaction; an error response rolls it back.
        refusals: by action or method, the codes that its services may refuse the request with.
        on_replica: whether a replica may serve the reads of this action.
        replica: the alias of the replica that serves them, if any.
    """

    resource: str
    refusals: Mapping[str, tuple[ErrorCode, ...]] = {}
    post: Callable[..., Response]  # of views with this method; DRF looks it up after `initial`
    gives_secret = False
    writing = False
    has_etag = False
    on_replica = False
    replica: str | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            with ExitStack() as self.exit_stack:
                return super().dispatch(request, *args, **kwargs)
        except IntegrityError as error:  # foreign keys are checked at COMMIT, after DRF's handler
            self.writing = False
            return self.finalize_response(self.request, self.handle_exception(error), *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        exc = self.explain_missing(exc)
        # A slow query wouldn't be faster on the primary. Other errors may be the replica's own: gone, cancelled by
        # recovery, behind a migration.
        if self.replica and isinstance(exc, Error) and outage_code(exc) != ErrorCode.TIMEOUT:
            return self.repeat_on_primary(exc)
        response = super().handle_exception(exc)
        if self.writing:
            mark_rollback()
        return response

    def explain_missing(self, error: Exception) -> Exception:
        """Return the error of a merged contact for that of a missing one, if the user may see the one that stayed."""
        if not isinstance(error, Http404 | Contact.DoesNotExist) or not (pk := self.contact_of_url):
            return error
        stand_for = find_kept([pk])
        if pk in stand_for and visible(Contact.objects.filter(pk=stand_for[pk]), self.user, "contacts").exists():
            return AlreadyMerged(gone_id=pk, kept_id=stand_for[pk])
        return Http404()

    @property
    def contact_of_url(self) -> int | None:
        """The id of the contact that the URL names, if it names one."""
        names = [*CONTACT_PARAMETERS, *(["pk"] if self.resource == "contacts" else [])]
        return next((int(self.kwargs[name]) for name in names if name in self.kwargs), None)

    def find_contact(self) -> int:
        """Return the id of the URL's contact. Raises Http404 for one that the user may not see."""
        for (pk,) in _contacts(self.user, pk=self.contact_of_url):
            return int(pk)
        raise Http404

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # authentication, permission, throttling
        if request.method in SAFE_METHODS:
            self.begin_read()
        else:
            self.begin_write()
        check_parameters(request, self.known_parameters(), repeatable=self.repeatable_parameters())
        if request.method == "POST" and HEADER in request.headers and not self.gives_secret:
            handler = self.post
            self.post = lambda request, **kwargs: answer_once(handler, user=self.user, request=request, **kwargs)

    def begin_read(self) -> None:
        # Only authentication by token reads the position; None means that the user has never written.
        if self.on_replica and settings.REPLICAS and hasattr(self.user, "write_position"):
            self.replica = choose_replica(self.user.write_position or 0)
        self.exit_stack.enter_context(tenant_autocommit(self.company_id, replica=self.replica))

    def repeat_on_primary(self, error: Exception) -> Response:
        leave_alone(cast(str, self.replica), error)
        self.replica = None
        self.exit_stack.close()
        self.exit_stack.enter_context(tenant_autocommit(self.company_id))
        try:
            handler = getattr(self, cast(str, self.request.method).lower())
            return cast(Response, handler(self.request, *self.args, **self.kwargs))
        except Exception as again:
            return self.handle_exception(again)

    def begin_write(self) -> None:
        self.exit_stack.enter_context(tenant(self.company_id))
        self.writing = True
        self.exit_stack.enter_context(acting_as(self.user.pk, name_of_actor(self.user)))

    def known_parameters(self) -> set[str]:
        return set()

    def repeatable_parameters(self) -> set[str]:
        return set()

    @property
    def verb(self) -> str | None:
        """The verb that the request needs on the resource; None for OPTIONS and unsupported methods."""
        return READ if self.request.method in ("GET", "HEAD") else None

    @property
    def user(self) -> User:
        """The signed-in user; the permission class rejects anonymous requests."""
        return cast(User, self.request.user)

    @property
    def company_id(self) -> int:
        """The user's company; the permission class rejects users without one."""
        return cast(int, self.user.company_id)


class TenantViewSet(TenantView, GenericViewSet):
    """Rows of one model. Another company's rows are a 404."""

    model: type[Model]
    orders: ClassVar[Orders] = orders_by()
    filterset_class: type[ListFilterSet] = ListFilterSet
    pagination_class = KeysetPagination
    lookup_value_regex = "[0-9]{1,18}"  # 18 digits always fit the column

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):  # the OpenAPI generator has no user
            return self.model._default_manager.none()
        return self.rows_for(self.user).filter(**self.columns_of_url())

    def rows_for(self, reader: Any) -> Any:
        """Return the rows that a user, or a stand-in with a role, may see."""
        return visible(self.get_rows(), reader, self.resource)

    def columns_of_url(self) -> dict[str, int]:
        """Return the columns whose value the URL names. Raises Http404 if there is no such row."""
        return {}

    def get_rows(self) -> Any:
        """Return the company's rows, before the role's restriction to own rows.

        A list reads them by a prepared query, so the user and the URL must not matter here.
        """
        return self.model.objects.all()  # type: ignore[attr-defined]

    @property
    def verb(self) -> str | None:
        # The name of any other action, as its URL has it, is its verb.
        return None if self.action in (None, "metadata") else VERBS.get(self.action, self.action.replace("_", "-"))

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return self.action not in LISTS and hasattr(self, "retrieve")

    @property
    def on_replica(self) -> bool:  # type: ignore[override]
        return self.action == "list"  # a single row has a tag, which a change must match; a file is read afterwards

    def row_response(self, pk: int, *, status: int = status.HTTP_200_OK) -> Response:
        """Return a row that was written, as the next GET does, with its tag."""
        row = self.get_rows().get(pk=pk)  # read again: the instance has the values that were sent
        return tagged_response(self.request, self.get_serializer(row).data, status=status)

    def known_parameters(self) -> set[str]:
        if not self.is_list:
            return set()
        parameters = EXPORT_PARAMETERS if self.action == "export" else PAGE_PARAMETERS
        return parameters | set(self.filterset_class.base_filters)

    def repeatable_parameters(self) -> set[str]:
        return self.filterset_class.repeatable() if self.is_list else set()

    @property
    def is_list(self) -> bool:
        """Tell whether the request is for the rows of a list: a page of them, or a file."""
        return getattr(self, "action", None) in LISTS


class RetrieveMixin:
    """The `retrieve` action of a `TenantViewSet`."""

    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        return tagged_response(request, self.get_serializer(self.get_object()).data)


class ReadViewSet(ListRowsMixin, RetrieveMixin, TenantViewSet):
    """List and read."""


class CreateReadViewSet(ReadViewSet):
    """List, read and create."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.perform_create(serializer)
        return self.row_response(cast(Model, serializer.instance).pk, status=status.HTTP_201_CREATED)

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id)


class LockMixin:
    """Changes of a row under its lock: of two requests with the same `If-Match`, one is refused."""

    def get_locked_object(self: Any) -> Any:
        """Return the row for a change. Raises Stale if it isn't the one that `If-Match` names."""
        self.lock_row()
        row = self.get_object()  # a statement of its own sees what the lock has waited for
        if IF_MATCH in self.request.headers:
            check_if_match(self.request, self.get_serializer(row).data)
        return row

    def lock_row(self: Any) -> None:
        rows = self.model.objects.select_for_update(no_key=True).filter(pk=self.kwargs["pk"])
        rows.values_list("pk").first()


class ChangeMixin(LockMixin):
    """The `partial_update` action of a `TenantViewSet`.

    There is no PUT: it would undo other people's changes.
    """

    def partial_update(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():  # SQLite has no transaction yet
            row = self.get_locked_object()
            serializer = self.get_serializer(row, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            serializer.save()
            response: Response = self.row_response(row.pk)
        return response


class DeleteMixin(LockMixin):
    """The `destroy` action of a `TenantViewSet`."""

    def destroy(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            self.perform_destroy(self.get_locked_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def perform_destroy(self, instance: Any) -> None:
        instance.delete()


class EditViewSet(ChangeMixin, CreateReadViewSet):
    """List, read, create and change."""


class FullViewSet(DeleteMixin, EditViewSet):
    """List, read, create, change and delete."""
