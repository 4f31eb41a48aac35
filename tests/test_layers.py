"""Foreign keys between the apps. Imports are import-linter's."""

import pytest
from django.apps import apps

from crm.db.tenancy import TenantModel

UPWARDS = ["crm", "calls", "messaging", "analytics"]
FOREIGN_KEYS = [
    field
    for app in UPWARDS
    for model in apps.get_app_config(app).get_models(include_auto_created=True)
    for field in model._meta.get_fields()
    if field.is_relation and not field.auto_created
]
BETWEEN_OUR_APPS = [field for field in FOREIGN_KEYS if field.related_model._meta.app_label in UPWARDS]
TO_TENANT_ROWS = [field for field in FOREIGN_KEYS if issubclass(field.related_model, TenantModel)]


@pytest.mark.parametrize("field", BETWEEN_OUR_APPS, ids=str)
def test_foreign_key_points_down_or_to_its_own_app(field):
    target, own = field.related_model._meta.app_label, field.model._meta.app_label
    assert UPWARDS.index(target) <= UPWARDS.index(own)


@pytest.mark.parametrize("field", TO_TENANT_ROWS, ids=str)
def test_foreign_key_to_a_tenants_row_belongs_to_a_tenant_model(field):
    assert issubclass(field.model, TenantModel)


def test_other_packages_models_do_not_point_at_tenant_rows():
    """Their models have no company, so such a row would be found outside its tenant."""
    for model in apps.get_models():
        if model._meta.app_label not in UPWARDS:
            targets = [field.related_model for field in model._meta.concrete_fields if field.is_relation]
            assert not [target for target in targets if issubclass(target, TenantModel)]
