"""Base admin classes."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten
from django.contrib.admin.views.main import ChangeList
from django.db import IntegrityError
from django.db.models import (
    CASCADE,
    PROTECT,
    BinaryField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    Model,
    OneToOneField,
    QuerySet,
    TimeField,
)
from django.forms import Field as FormField
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from crm.admin.base.audited_writes import AuditedWrites
from crm.admin.base.columns import links_to_rows
from crm.admin.base.confirmed_actions import ConfirmedActions
from crm.admin.base.exports import ExportedList
from crm.admin.base.forms import AmountFormField, RowForm
from crm.admin.base.pagination import BoundedPaginator, count_up_to
from crm.admin.base.range_filters import RangeFilter
from crm.admin.base.relation_filters import RelationFilter
from crm.admin.base.saved_views import SavedViews
from crm.admin.base.served import fixed_columns, is_served, sorts_well
from crm.admin.base.suggestions import SuggestedRow
from crm.admin.base.work_filters import WorkFilter
from crm.form_fields import (
    DayFormField,
    InstantFormField,
    RowFormField,
    RowsFormField,
    TimeFormField,
    WholeNumberFormField,
    is_id,
)
from crm.refusals import Refusal
from crm.refused_writes import explain

MAX_DIGITS = 1_000  # of a number in a list's URL: far more than any column has
MAX_SHOWN = 20
MAX_CASCADED = 1000
LINKED_LOOKUPS = ("exact", "isnull", "gte", "lt", "from", "to")


class RowList(ChangeList):
    """A page of a list, whose rows are completed together."""

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return None for a column that the list isn't sorted by: Django would sort by any column named in the URL."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """Read the rows that columns show with the list: Django doesn't if a page of a row reads others with it."""
        rows, names = super().get_queryset(request, exclude_parameters), self.list_select_related
        return rows.select_related(*names) if isinstance(names, tuple) else rows

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = rows = list(self.result_list)
        cast(ExportedList, self.model_admin).complete_rows(rows)


class RowAdmin(AuditedWrites, ConfirmedActions, SavedViews, ExportedList, admin.ModelAdmin):
    """Admin for tables of up to 100 million rows: every query uses an index or is bounded.

    So a list is sorted and filtered by days only where an index has that order, and there is no exact count.
    """

    form: type[ModelForm] = RowForm
    formfield_overrides: ClassVar[Any] = {
        DecimalField: {"form_class": AmountFormField},
        IntegerField: {"form_class": WholeNumberFormField},
        DateField: {"form_class": DayFormField},
        DateTimeField: {"form_class": InstantFormField},
        TimeField: {"form_class": TimeFormField},
        ForeignKey: {"form_class": RowFormField},
        OneToOneField: {"form_class": RowFormField},
        ManyToManyField: {"form_class": RowsFormField},
    }
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: ClassVar[Any] = ()
    actions: Any = None
    list_per_page = 50
    ordering: ClassVar[Any] = ("-id",)
    time_field = "created_at"
    deletion_help = ""
    """Advice to staff if other rows prevent a deletion. Empty: a general answer."""

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Return filters by rows and by days in the place of Django's, which list every row, and years of days."""
        return [self._filter_of(each) for each in self.list_filter]

    def _filter_of(self, name: Any) -> Any:
        field = self.opts.get_field(name) if isinstance(name, str) else None
        if isinstance(field, ForeignKey):
            return name, RelationFilter
        return (name, RangeFilter) if isinstance(field, DateField) else name

    def _order_of_days(self, request: HttpRequest) -> str:
        """Return the order that a filter by days gives the list; empty without one."""
        for each in self.get_list_filter(request):
            if (
                isinstance(each, tuple)
                and issubclass(each[1], RangeFilter)
                and (order := each[1].order(*each, request))
            ):
                return str(order)
        return ""

    def get_ordering(self, request: HttpRequest) -> Any:
        """Return the order of the chosen days or of the work; newest first where an index has it, else by id."""
        if order := self._order_of_days(request):
            return (order,)
        for each in self.list_filter:
            if isinstance(each, type) and issubclass(each, WorkFilter) and each.is_on(request):
                return (each.order,)
        has_time = any(field.name == self.time_field for field in self.opts.fields)
        fixed = fixed_columns(request)
        by_time = has_time and fixed and is_served(self.model, self.time_field, fixed)
        return (f"-{self.time_field}",) if by_time else self.ordering

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Return the columns whose order an index has, with the list's filters; in a small table, every column."""
        columns = self.get_list_display(request)
        if self.sortable_by is None:
            return columns
        ranged = self._order_of_days(request).lstrip("-")
        fixed = fixed_columns(request)
        return [
            column
            for column in columns
            if (field := self._field_of(column)) is not None
            and sorts_well(field)
            and (field.name == ranged if ranged else is_served(self.model, field.name, fixed))
        ]

    def _field_of(self, column: Any) -> Any:
        """Return the field that a column is sorted by."""
        shown = column if callable(column) else getattr(self, column, None)
        name = getattr(shown, "admin_order_field", column)
        return next((field for field in self.opts.fields if field.name == name), None)

    @admin.display(description="See also")
    def related_rows(self, row: Model) -> str:
        return links_to_rows(row, self.admin_site)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow the lookups that links and filters use. Others, such as `id__range`, fail later for odd values."""
        name, _, last = lookup.rpartition("__")
        filtered = [each[0] for each in self.list_filter if isinstance(each, tuple)]
        is_used = last in LINKED_LOOKUPS or "__" not in lookup or lookup in filtered
        field = next((each for each in self.opts.fields if each.name == (name or lookup)), None)
        # The database driver refuses a text for a binary field, the database a number of too many digits.
        is_refused = isinstance(field, BinaryField) or (isinstance(field, DecimalField) and _is_too_large(value))
        return is_used and not is_refused and super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return RowList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        try:
            return super().get_changelist_instance(request)
        except ArithmeticError as error:  # a number or a time that no column can hold
            raise IncorrectLookupParameters(error) from error

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Do nothing with a selection that no row's id can be: the database would refuse the query."""
        if all(is_id(row_id) for row_id in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return super().response_action(request, *args, **kwargs)
        self.message_user(request, "No row has this ID. Select rows of the list.", messages.WARNING)
        return None

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form again if a constraint refuses its row, with the reason at the field."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except IntegrityError as error:
            refused = explain(error)
            if refused is None:
                raise
            request.refused = refused  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill in the company, as links of a company's page ask for. Other values of a URL are unchecked texts."""
        company = request.GET.get("company", "")
        has_company = any(field.name == "company" for field in self.opts.fields)
        return {"company": company.strip()} if has_company and is_id(company) else {}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row; for a change under its lock, so that of two people with the same version one is refused."""
        row = super().get_object(request, object_id, from_field)
        if row is None or request.method != "POST":
            return row
        self.lock_row(row)
        return super().get_object(request, object_id, from_field)  # sees what the lock has waited for

    def lock_row(self, row: Any) -> None:
        rows = self.model._base_manager.select_for_update(no_key=True).filter(pk=row.pk)
        rows.values_list("pk").first()

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[ModelForm]:
        form = super().get_form(request, *args, **kwargs)
        form.refused = getattr(request, "refused", None)  # type: ignore[attr-defined]  # a new class for each request
        return form

    def formfield_for_dbfield(self, db_field: Field, request: Any, **kwargs: Any) -> FormField | None:
        """Show only the view icon beside a reference, not Django's add, change and delete icons."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, DateTimeField) and field:
            field.help_text = f"{field.help_text} In UTC.".strip()
        if field:
            for icon in ("can_add_related", "can_change_related", "can_delete_related"):
                setattr(field.widget, icon, False)
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Make the company read-only: a row can't move to another company."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "company") if getattr(obj, "company_id", None) else fields

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Leave read-only fields out of the add page."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj:
            return fieldsets
        unknown = set(self.get_readonly_fields(request, obj))
        return [
            (title, {**options, "fields": kept})
            for title, options in fieldsets
            if (kept := [field for field in options["fields"] if not unknown.issuperset(flatten([field]))])
        ]

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Suggest rows of the form's company, in the place of Django's box, which suggests those of all companies."""
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = SuggestedRow(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        if not change and hasattr(obj, "created_by"):
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Check for protected and cascaded rows first: Django's method loads all of them.

        Rows that staff only read, such as a call's details, go with the row that they belong to.
        """
        blocking = [
            text
            for relation in self.opts.related_objects
            for text in blocking_rows(relation, list(objs), request, self.admin_site)
        ]
        if blocking:
            return [], {}, set(), blocking
        deleted, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        read_only = {
            model._meta.verbose_name
            for model, model_admin in self.admin_site._registry.items()
            if isinstance(model_admin, ReadOnlyAdmin)
        }
        return deleted, counts, forbidden - read_only, protected

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        name = self.opts.verbose_name
        general = f"Open each row: delete it, or choose another {name} there. Then delete this {name}."
        context = {"deletion_help": self.deletion_help or general, **(extra_context or {})}
        try:
            return super().delete_view(request, object_id, context)
        except IntegrityError as error:
            refused = explain(error)
            if refused is None:
                raise
            self.message_user(request, refused.sentence, messages.ERROR)
        except Refusal as refusal:  # of a service, because of what has happened since the page was opened
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(request.path)


@contextmanager
def refusal_of(service_error: type[Exception]) -> Iterator[None]:
    """Turn a service's exception back into the database's refusal, which `RowAdmin` shows at its field."""
    refused: BaseException | None = None
    try:
        yield
    except service_error as error:
        refused = error.__cause__
    if refused:  # outside of the handler, which would replace the cause that names the constraint
        raise refused


class ReadOnlyAdmin(RowAdmin):
    """Admin for rows that staff can't add, change or delete."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def blocking_rows(relation: Any, objs: list[Model], request: HttpRequest, site: admin.AdminSite) -> list[str]:
    """Return links to the first rows that prevent deleting `objs`, or a note that too many would be deleted too."""
    rows: QuerySet = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": objs})
    names = relation.related_model._meta
    if relation.on_delete is PROTECT:
        related = site._registry.get(relation.related_model)
        if related is None or not related.has_view_permission(request):
            return [f"{capfirst(names.verbose_name)}: {row}" for row in rows[:MAX_SHOWN]]
        page = f"admin:{names.app_label}_{names.model_name}_change"
        return [
            format_html('{}: <a href="{}">{}</a>', capfirst(names.verbose_name), reverse(page, args=[row.pk]), row)
            for row in rows[:MAX_SHOWN]
        ]
    if relation.on_delete is CASCADE and count_up_to(rows, MAX_CASCADED + 1) > MAX_CASCADED:
        return [f"More than {MAX_CASCADED:,} {names.verbose_name_plural}"]
    return []


def _is_too_large(text: Any) -> bool:
    """Return whether a number has more digits before the point than PostgreSQL compares."""
    try:
        return Decimal(str(text)).adjusted() > MAX_DIGITS
    except InvalidOperation:  # the filter answers it
        return False
