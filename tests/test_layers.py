"""The floor plan of the models: what spans apps lives in the highest one it needs. Imports are import-linter's."""

import pytest
from django.apps import apps

from crm.db.tenancy import TenantModel

UPWARDS = ["crm", "calls", "messaging", "analytics"]
FOREIGN_KEYS = [
    pytest.param(field, id=str(field))
    for app in UPWARDS
    for model in apps.get_app_config(app).get_models(include_auto_created=True)
    for field in model._meta.get_fields()
    if field.is_relation and not field.auto_created
]


@pytest.mark.parametrize("field", FOREIGN_KEYS)
def test_a_foreign_key_points_down_or_to_its_own_app(field):
    target = field.related_model._meta.app_label
    if target in UPWARDS:
        assert UPWARDS.index(target) <= UPWARDS.index(field.model._meta.app_label)


@pytest.mark.parametrize("field", FOREIGN_KEYS)
def test_what_points_at_a_companys_rows_belongs_to_a_company(field):
    if issubclass(field.related_model, TenantModel):
        assert issubclass(field.model, TenantModel)


def test_nothing_that_others_bring_along_points_at_a_companys_rows():
    """Their models know of no company, so they would be found without one."""
    ours = {apps.get_app_config(app) for app in UPWARDS}
    for model in apps.get_models():
        if apps.get_app_config(model._meta.app_label) not in ours:
            targets = [field.related_model for field in model._meta.concrete_fields if field.is_relation]
            assert not [target for target in targets if issubclass(target, TenantModel)]
