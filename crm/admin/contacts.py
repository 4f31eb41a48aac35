"""Admin for contacts, their numbers and flags."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from crm.admin.base.columns import badge, moment
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import RowAdmin, refusal_of
from crm.admin.base.prefilled import ContactPrefilled
from crm.admin.base.search import ExactSearch
from crm.admin.base.versions import VersionedForm
from crm.admin.contact_labels import PREFIX, LabelsFormMixin, ValueFormField, custom_fields_of, initial_labels
from crm.admin.merging import merge_view
from crm.admin.notes import note_page
from crm.choices import FlagType
from crm.db.tenancy import tenant
from crm.form_fields import PhoneFormField
from crm.models import Company, Contact, ContactField, ContactFlag, ContactPhone, User
from crm.services.contacts import NumberRefused, PhoneTaken, check_number_is_outside, delete_contact, save_contact
from crm.services.flags import FlagRefused, check_flag, save_flag
from crm.services.opt_outs import lock_opt_outs_of, opt_in_contact, sync_opt_out_flags


class ContactForm(LabelsFormMixin, RowForm):
    phone = PhoneFormField(help_text="The main number, in any format. A former main number stays in the list below.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        phone, company = cleaned.get("phone"), self.company
        if phone and company and "phone" in self.changed_data:
            try:
                check_number(phone, company_id=company.pk, contact=self.instance)
            except NumberRefused as error:
                self.add_error("phone", str(error))
        return cleaned


class ContactPhoneForm(VersionedForm):
    """A number of `contact`. Uniqueness is checked here, since the company comes from the contact."""

    phone = PhoneFormField()

    def __init__(self, *args: Any, contact: Contact, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.contact = contact
        if self.instance.pk:
            self.fields["phone"].disabled = True

    def clean_phone(self) -> str:
        phone, company_id = self.cleaned_data["phone"], self.contact.company_id
        self.instance.company_id = company_id
        if self.instance.pk is None and phone == self.contact.phone:
            raise ValidationError("The main number is in this list automatically.")
        if company_id and self.instance.pk is None:
            try:
                check_number(phone, company_id=company_id, contact=self.contact)
            except NumberRefused as error:
                raise ValidationError(str(error)) from error
        return phone


class ContactPhoneFormSet(forms.BaseInlineFormSet):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "contact": self.instance}

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name the fields of each row: in a table, Django's have a heading and no label."""
        super().add_fields(form, index)
        names = {"phone": "Number", "label": "Label of the number", "DELETE": "Remove the number"}
        for name in names.keys() & form.fields.keys():
            form.fields[name].widget.attrs["aria-label"] = names[name]

    def clean(self) -> None:
        super().clean()
        if any(form.instance.phone == self.instance.phone for form in self.deleted_forms):
            raise ValidationError("The main number can't be removed; choose another main number first.")
        kept = [form.cleaned_data.get("phone") for form in self.forms if form not in self.deleted_forms]
        numbers = [phone for phone in kept if phone]
        if len(numbers) != len(set(numbers)):
            raise ValidationError("The contact has this number already.")


class ContactPhoneInline(admin.TabularInline):
    model = ContactPhone
    form = ContactPhoneForm
    formset = ContactPhoneFormSet
    fields = ("phone", "label", "row_version")
    extra = 0
    verbose_name = "number"


class ContactAdmin(ExactSearch, RowAdmin):
    """The form of contacts. A higher app registers it with their timeline."""

    form = ContactForm
    inlines = (ContactPhoneInline,)
    list_display = ("__str__", "phone", "email", "city", "company", moment("created_at"))
    list_select_related = ("company",)
    list_filter = ("created_at", "company")
    deletion_help = (
        "A contact with a history stays, because its calls and messages are evidence. To remove the person's data,"
        " ask an operator to run manage.py erase_contact with the number; the rows then stay without the person."
    )
    search_text_fields = ("first_name", "last_name", "email")
    search_contact = "pk"
    search_help_text = (
        "The beginnings of names or of the email address, a phone number in any format or its last digits, "
        "or # and the ID, such as #12."
    )
    autocomplete_fields = ("company",)
    readonly_fields = ("created_at", "updated_at", "related_rows")
    fieldsets = (
        (None, {"fields": ("related_rows", "company", ("first_name", "last_name"), "phone", "email")}),
        ("Address", {"fields": ("address", ("city", "state", "postal_code"), "timezone")}),
        ("Tags and custom fields", {"fields": ("tags",)}),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the company's custom fields, or for staff who can't change the contact, one text of all labels."""
        may_change = self.has_change_permission(request, obj) if obj else True
        custom = [f"{PREFIX}{field.key}" for field in self.custom_fields(request, obj)]
        labels = ("tags", *custom) if may_change else ("labels",)
        return [
            (title, {**options, "fields": labels} if "tags" in options["fields"] else options)
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "labels")

    def get_form(self, request: HttpRequest, obj: Contact | None = None, *args: Any, **kwargs: Any) -> Any:
        fields = {f"{PREFIX}{field.key}": ValueFormField(field) for field in self.custom_fields(request, obj)}
        form = type("ContactForm", (ContactForm,), fields)
        return super().get_form(request, obj, *args, **{"form": form, **kwargs})

    def custom_fields(self, request: HttpRequest, contact: Contact | None) -> list[ContactField]:
        """Return the custom fields of the contact's company, read once for a page."""
        if contact is None:
            return []
        if not hasattr(request, "custom_fields"):
            request.custom_fields = custom_fields_of(contact)  # type: ignore[attr-defined]
        fields: list[ContactField] = request.custom_fields  # type: ignore[attr-defined]
        return fields

    @admin.display(description="Tags and custom fields")
    def labels(self, contact: Contact) -> str:
        shown = initial_labels(contact)
        names = {f"{PREFIX}{field.key}": field.label for field in custom_fields_of(contact)}
        tags = shown.pop("tags")
        return " · ".join(filter(None, [tags, *(f"{names[key]}: {value}" for key, value in shown.items())]))

    def get_urls(self) -> list[URLPattern]:
        merge = self.admin_site.admin_view(self.merge_view)
        note = self.admin_site.admin_view(self.note_view)
        return [
            path("<int:pk>/merge/", merge, name="crm_contact_merge"),
            path("<int:pk>/note/", note, name="crm_contact_note"),
            *super().get_urls(),
        ]

    def note_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return note_page(self.admin_site, request, pk)

    def merge_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return merge_view(self.admin_site, request, pk)

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        delete_contact(contact=obj)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet, bool]:
        company = request.GET.get("company__id__exact", "")
        term = search_term.strip()
        if not term or term.startswith("#") or not company.isdecimal():
            return super().get_search_results(request, queryset, search_term)
        # Within one company there may be more than MAX_CONTACTS.
        return queryset.search(search_term, companies=Company.objects.filter(pk=int(company))), False

    def save_model(self, request: HttpRequest, obj: Contact, form: forms.ModelForm, change: bool) -> None:
        with refusal_of(PhoneTaken):  # another contact took it after the form's check
            save_contact(contact=obj)
        form.save_labels(obj, cast(User, request.user))  # type: ignore[attr-defined]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.deleted_objects:
            sync_opt_out_flags(contact=form.instance)


class ContactFlagForm(RowForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.errors:
            return cleaned
        before = ContactFlag.objects.filter(pk=self.instance.pk).first()
        after = ContactFlag(**{name: cleaned.get(name) for name in ("contact", "flag_type", "expires_at")})
        try:
            check_flag(before=before, after=after)
        except FlagRefused as error:
            self.add_error(error.attr, str(error))
        return cleaned


@admin.register(ContactFlag)
class ContactFlagAdmin(ContactPrefilled, ExactSearch, RowAdmin):
    form = ContactFlagForm
    list_display = (
        moment("created_at"), "contact", badge("flag_type"), badge("review_state"), "source", "company",
        moment("expires_at"),
    )  # fmt: skip
    list_select_related = ("contact", "company")
    list_filter = ("flag_type", "created_at", "company", "contact")
    search_help_text = "The contact's name or phone number, or # and the flag's ID, such as #12."
    autocomplete_fields = ("company", "contact")
    fields = (
        "company",
        "contact",
        "flag_type",
        "review_state",
        "reason",
        "source",
        "evidence",
        "expires_at",
        "created_by",
        "created_at",
    )
    readonly_fields = ("review_state", "created_by", "created_at")

    def lock_row(self, row: ContactFlag) -> None:
        """Keep to the order of locks: opt-outs, then the contact, then its flag. Another order could deadlock."""
        if row.flag_type == FlagType.OPTED_OUT:
            with tenant(row.company_id):
                lock_opt_outs_of(contact=row.contact)
        super().lock_row(row)

    def save_model(self, request: HttpRequest, obj: ContactFlag, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        with tenant(obj.company_id):
            obj.pk = save_flag(flag=obj, user=cast(User, request.user)).pk

    def delete_model(self, request: HttpRequest, obj: ContactFlag) -> None:
        """End an opt-out before its flag is deleted, so that both agree."""
        if obj.flag_type == FlagType.OPTED_OUT:
            with tenant(obj.company_id):
                opt_in_contact(contact=obj.contact, user=cast(User, request.user), words="The flag was deleted.")
        super().delete_model(request, obj)


def check_number(phone: str, *, company_id: int, contact: Contact) -> None:
    """Raise NumberRefused for the number of another contact, or of a phone line of the company."""
    if ContactPhone.objects.filter(company=company_id, phone=phone).exclude(contact=contact.pk).exists():
        raise PhoneTaken(phone)
    check_number_is_outside(company_id=company_id, phone=phone)
