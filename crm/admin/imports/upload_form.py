"""The form that takes a file of contacts."""

from typing import Any

from django import forms

from crm.admin.base.forms import RowForm
from crm.db.tenancy import tenant
from crm.models import Import, StoredFile
from crm.refusals import Refusal
from crm.services.imports.requests import open_upload
from crm.services.stored_files import parts_of, store_file, upload_on_disk


class UploadForm(RowForm):
    """The first of two steps: a readable file is stored. Its columns are mapped on the next page."""

    upload = forms.FileField(
        label="File",
        allow_empty_file=True,
        help_text="CSV or Excel (.xlsx), up to 500 MB. Nothing is imported yet: next you see its columns.",
    )

    class Meta:
        model = Import
        fields = ("company",)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        file = cleaned.get("upload")
        if self.company and file:
            try:
                with tenant(self.company.pk), upload_on_disk(file) as path:
                    open_upload(path=path, name=file.name)
            except Refusal as refusal:
                self.add_error("upload", str(refusal))
        return cleaned

    def store(self, user: Any) -> StoredFile:
        """Store the file."""
        file, company = self.cleaned_data["upload"], self.cleaned_data["company"]
        file.seek(0)
        with tenant(company.pk):
            return store_file(
                company_id=company.pk, name=file.name, content_type="application/octet-stream",
                parts=parts_of(file), user=user,
            )  # fmt: skip
