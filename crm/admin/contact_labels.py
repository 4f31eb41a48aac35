"""Admin for tags, custom fields and static lists, and the fields by which a contact's page shows them."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from crm.admin.base.columns import badge, moment
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.pagination import count_up_to
from crm.choices import FieldType
from crm.contact_labels import (
    MAX_OPTION_LENGTH,
    MAX_OPTIONS,
    SEPARATOR,
    InvalidValue,
    clean_label,
    key_from_label,
    text_key,
)
from crm.db.tenancy import tenant
from crm.models import Contact, ContactField, ContactFieldValue, ContactList, ContactListEntry, ContactTag, Tag, User
from crm.refused_writes import explain
from crm.services.contact_fields import (
    OptionInUse,
    change_field,
    check_options,
    delete_field,
    parse_value,
    restore_field,
    set_field_values,
    shown_value,
)
from crm.services.contact_lists import delete_list
from crm.services.exports.headers import is_reserved
from crm.services.label_deletion import NamedBySegment, check_no_segment_names
from crm.services.tags import delete_tag, names_of_tags, parse_tag, replace_tags

MAX_COUNTED = 100_000
PREFIX = "field_"  # of the form fields of custom fields


class TagsFormField(forms.CharField):
    """Names of tags, separated by commas."""

    def __init__(self) -> None:
        help_text = "Separated by commas. New names make new tags."
        super().__init__(required=False, help_text=help_text, widget=AdminTextInputWidget)

    def clean(self, value: Any) -> list[str]:
        try:
            return [parse_tag(name) for name in super().clean(value).split(SEPARATOR) if name.strip()]
        except InvalidValue as error:
            raise ValidationError(str(error), "invalid") from error


class ValueFormField(forms.CharField):
    """A value of a custom field."""

    def __init__(self, field: ContactField) -> None:
        self.field = field
        options = {FieldType.CHOICE: field.options, FieldType.YES_NO: ["yes", "no"]}.get(FieldType(field.field_type))
        widget = forms.Select(choices=[("", "–"), *((option, option) for option in options)]) if options else None
        help_text = "A day such as 2026-03-02." if field.field_type == FieldType.DATE else ""
        super().__init__(
            required=False, label=field.label, help_text=help_text, widget=widget or AdminTextInputWidget()
        )

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return parse_value(self.field, text) if text else None
        except InvalidValue as error:
            raise ValidationError(str(error), "invalid") from error


class LabelsFormMixin(forms.ModelForm):
    """The tags and custom fields of a contact in the form of its other fields."""

    tags = TagsFormField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.update(initial_labels(self.instance))

    def save_labels(self, contact: Contact, user: User) -> None:
        """Write the tags and the values that were changed."""
        changed = set(self.changed_data)
        with tenant(contact.company_id), transaction.atomic():
            if "tags" in changed:
                replace_tags(contact=contact, names=self.cleaned_data["tags"], user=user)
            values = {
                name.removeprefix(PREFIX): self.cleaned_data[name]
                for name, field in self.fields.items()
                if isinstance(field, ValueFormField) and name in changed
            }
            set_field_values(company_id=contact.company_id, values={contact.pk: values}, user=user)


def initial_labels(contact: Contact) -> dict[str, str]:
    """Return the tags and values of a contact, as the form shows them."""
    rows = ContactFieldValue.objects.filter(contact=contact.pk, field__deleted_at__isnull=True).select_related("field")
    values = {f"{PREFIX}{row.field.key}": _as_text(row.value) for row in rows}
    return {"tags": ", ".join(names_of_tags([contact.pk]).get(contact.pk, [])), **values}


def _as_text(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(shown_value(value))


def custom_fields_of(contact: Contact) -> list[ContactField]:
    return list(ContactField.objects.live().filter(company=contact.company_id))


class LabelAdmin(RowAdmin):
    """Admin for rows whose deletion takes something from contacts: it says from how many.

    Attributes:
        of_contacts: the model of the rows that contacts have, and its reference to this one.
        in_segments: the kind of condition that names this row, its part, and the attribute with the value.
    """

    of_contacts: ClassVar[tuple[Any, str]]
    in_segments: ClassVar[tuple[str, str, str]]
    list_select_related: ClassVar[Any] = ("company",)
    list_filter: ClassVar[Any] = ("company",)
    sortable_by = None
    autocomplete_fields = ("company",)
    deletion_help = "Change these segments first."

    @admin.display(description="Contacts")
    def contacts(self, row: Model) -> str:
        model, reference = self.of_contacts
        return f"{count_up_to(model.objects.filter(**{reference: row.pk}), MAX_COUNTED):,}"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say how many contacts have the rows, and which segments keep them."""
        node, part, attribute = self.in_segments
        protected = []
        for row in objs:
            try:
                check_no_segment_names(row, node=node, part=part, value=getattr(row, attribute))
            except NamedBySegment as error:
                protected.append(str(error))
        deleted = [f"{row}: {self.contacts(row)} contacts" for row in objs]
        return deleted, {}, set(), protected


@admin.register(Tag)
class TagAdmin(LabelAdmin):
    list_display = ("name", "company", moment("created_at"))
    search_fields = ("name",)
    fields = ("company", "name", "contacts", "created_at")
    readonly_fields = ("contacts", "created_at")
    of_contacts = (ContactTag, "tag")
    in_segments = ("tag", "ids", "pk")

    def delete_model(self, request: HttpRequest, obj: Tag) -> None:
        with tenant(obj.company_id):
            delete_tag(tag=obj, confirmed=True)


class OptionsFormField(forms.CharField):
    """The options of a choice, one a line."""

    def __init__(self) -> None:
        help_text = "Of a choice: one a line. An option that contacts have can't be removed."
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 6}), help_text=help_text)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), "\n".join(str(data or "").splitlines()))

    def clean(self, value: Any) -> list[str]:
        options = [clean_label(line) for line in super().clean(value).splitlines() if line.strip()]
        if len(options) > MAX_OPTIONS or any(len(option) > MAX_OPTION_LENGTH for option in options):
            raise ValidationError(f"At most {MAX_OPTIONS} options of {MAX_OPTION_LENGTH} characters are allowed.")
        if len({text_key(option) for option in options}) < len(options):
            raise ValidationError("An option is there twice.")
        return options


class ContactFieldForm(RowForm):
    options = OptionsFormField()

    def clean_label(self) -> str:
        label = clean_label(self.cleaned_data["label"])
        if is_reserved(label):
            raise ValidationError("Every contact has this field already.")
        return label

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        field_type = cleaned.get("field_type") or self.instance.field_type
        if "options" in cleaned and bool(cleaned["options"]) is not (field_type == FieldType.CHOICE):
            self.add_error("options", "A choice, and nothing else, needs options.")
        elif self.instance.pk and "options" in cleaned:
            try:
                check_options(field=ContactField.objects.get(pk=self.instance.pk), options=cleaned["options"])
            except OptionInUse as error:
                self.add_error("options", str(error))
        if self.instance.pk is None and "label" in cleaned:
            self.instance.key = key_from_label(cleaned["label"])
            if not self.instance.key:
                self.add_error("label", "Must have a Latin letter, from which the key is made.")
        return cleaned


@admin.register(ContactField)
class ContactFieldAdmin(LabelAdmin):
    """A deletion can be undone for 30 days, by the action on the list."""

    form = ContactFieldForm
    list_display = ("label", "key", badge("field_type"), "position", "company", moment("deleted_at"))
    list_filter = ("field_type", "company")
    search_fields = ("label", "key")
    fields = ("company", "label", "key", "field_type", "options", "position", "contacts", "created_at", "deleted_at")
    readonly_fields = ("key", "contacts", "created_at", "deleted_at")
    of_contacts = (ContactFieldValue, "field")
    in_segments = ("custom_field", "key", "key")
    actions = ("restore",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Make the type read-only: values are stored by it."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "field_type") if obj else fields

    def save_model(self, request: HttpRequest, obj: ContactField, form: forms.ModelForm, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        with tenant(obj.company_id):
            before = ContactField.objects.get(pk=obj.pk)
            change_field(field=before, **{name: form.cleaned_data[name] for name in form.changed_data})

    def delete_model(self, request: HttpRequest, obj: ContactField) -> None:
        with tenant(obj.company_id):
            delete_field(field=obj, confirmed=True)

    @admin.action(description="Restore deleted fields", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet) -> None:
        for field in queryset:
            try:
                with transaction.atomic(), tenant(field.company_id):
                    restore_field(field=field)
            except IntegrityError as error:
                refused = explain(error)
                if refused is None:
                    raise
                self.message_user(request, f"{field}: {refused.sentence}", messages.ERROR)


@admin.register(ContactList)
class ContactListAdmin(LabelAdmin):
    list_display = ("name", "company", "created_by", moment("created_at"), moment("entries_changed_at"))
    list_select_related = ("company", "created_by")
    search_fields = ("name",)
    fields = ("company", "name", "contacts", "created_by", "created_at", "entries_changed_at")
    readonly_fields = ("contacts", "created_by", "created_at", "entries_changed_at")
    of_contacts = (ContactListEntry, "list")
    in_segments = ("list", "id", "pk")

    def delete_model(self, request: HttpRequest, obj: ContactList) -> None:
        with tenant(obj.company_id):
            delete_list(contact_list=obj, confirmed=True)
