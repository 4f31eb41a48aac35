"""Forms that don't overwrite what somebody else has saved since they were opened."""

from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils.text import Truncator

from crm.models import AuditEntry
from crm.versions import version_of

MAX_SHOWN = 200


class VersionField(forms.CharField):
    """The version of the row when the page was opened. A page that is shown again has the present one."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class VersionedForm(forms.ModelForm):
    """Form of a row that two people may have open.

    The version covers the fields of the form: these are what a save overwrites. Other columns change all the time,
    such as the pace of a phone line. The row is locked before its present version is read: see `RowAdmin.get_object`.
    """

    row_version = VersionField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["row_version"] = self.present_version  # called late: a form may still change its initial values

    def present_version(self) -> str:
        return version_of(
            {
                name: field.prepare_value(self.get_initial_for_field(field, name))
                for name, field in self._versioned_fields()
            }
        )

    def _versioned_fields(self) -> list[tuple[str, forms.Field]]:
        """Return the fields with a saved value. A secret isn't shown, and an empty one keeps the saved one."""
        return [
            (name, field)
            for name, field in self.fields.items()
            if not (field.disabled or isinstance(field, VersionField) or isinstance(field.widget, forms.PasswordInput))
        ]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # the stubs leave it out
        opened = self.data.get(self.add_prefix("row_version"))
        if self.instance.pk and opened and opened != self.present_version():
            self._refuse_stale_page()

    def _refuse_stale_page(self) -> None:
        """Say who has saved the row, and the present value of each field that would be overwritten."""
        self.add_error(
            None,
            f"{self._describe_last_change()}, after you had opened this page, so nothing is saved yet. Compare the"
            " fields, then save again: what you see in them replaces what is saved now.",
        )
        for name, field in self._versioned_fields():
            if field.has_changed(self.get_initial_for_field(field, name), self[name].data):
                self.add_error(name, f"Saved now: {self._describe_present(name)}")

    def _describe_last_change(self) -> str:
        row, meta = self.instance, self.instance._meta
        entry = AuditEntry.objects.filter(table_name=meta.db_table, row_id=row.pk).order_by("-id").first()
        if entry:
            return f"{entry.actor or 'Somebody else'} saved this at {entry.at:%Y-%m-%d %H:%M} UTC"
        stamps = [field.name for field in meta.concrete_fields if getattr(field, "auto_now", False)]
        if not stamps:
            return "Somebody else saved this"
        # Not from the instance, into which the form has put what was typed.
        at = type(row)._base_manager.values_list(stamps[0], flat=True).get(pk=row.pk)
        return f"Somebody else saved this at {at:%Y-%m-%d %H:%M} UTC"

    def _describe_present(self, name: str) -> str:
        field: Any = self.fields[name]
        value = field.prepare_value(self.get_initial_for_field(field, name))
        if value in field.empty_values:
            return "empty"
        if isinstance(field, forms.ModelChoiceField):
            rows: Any = field.queryset
            many = isinstance(field, forms.ModelMultipleChoiceField)
            return ", ".join(str(row) for row in rows.filter(pk__in=value if many else [value]))
        if isinstance(field, forms.BooleanField):
            return "yes" if value else "no"
        if isinstance(field, forms.ChoiceField):
            labels: dict[Any, Any] = dict(cast(Any, field.choices))
            return ", ".join(str(labels.get(part, part)) for part in (value if isinstance(value, list) else [value]))
        if isinstance(value, datetime):
            return f"{value:%Y-%m-%d %H:%M}"
        return Truncator(str(value)).chars(MAX_SHOWN)
