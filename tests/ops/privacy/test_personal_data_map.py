"""Completeness of the personal data map."""

import pytest
from django.apps import apps
from django.db import models

from crm.models import Contact
from ops.privacy.personal_data_map import PERSONAL_DATA


def test_every_foreign_key_to_a_contact_is_in_the_personal_data_map():
    known = {(data.model, path) for data in PERSONAL_DATA for path in (data.path, *data.unlinked)}
    pointing = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is Contact
    }
    assert pointing <= known


@pytest.mark.parametrize("data", PERSONAL_DATA, ids=lambda data: data.model.__name__)
def test_every_text_column_is_declared_personal_or_kept(data):
    texts = {
        field.name
        for field in data.model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField | models.BinaryField)
        and not field.choices
        and not field.generated
    }
    assert data.kept <= texts <= set(data.personal) | data.kept
    assert set(data.personal) <= {field.name for field in data.model._meta.concrete_fields}
    assert not set(data.personal) & data.kept
