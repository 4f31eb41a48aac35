"""A column of choices holds one of them, whoever writes: bulk updates and other programs skip Django's validation."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from crm.db.tenancy import all_tenants
from tests import factories
from tests.db.catalogue import our_models

FACTORIES = {
    factory._meta.model: factory
    for factory in vars(factories).values()
    if isinstance(factory, type) and issubclass(factory, factories.RowFactory) and not factory._meta.abstract
}
CHOICES = [
    pytest.param(model, field.name, id=f"{model._meta.db_table}.{field.name}")
    for model in our_models()
    for field in model._meta.concrete_fields
    if field.choices
]


@pytest.fixture
def rows_of(db):
    """The rows of a model, of which there is one."""

    def make(model):
        FACTORIES[model]()
        return model._base_manager.all()

    return make


def test_every_model_has_a_factory():
    assert FACTORIES.keys() == set(our_models())


@pytest.mark.parametrize(("model", "field"), CHOICES)
@pytest.mark.parametrize("wrong", ["wrong", "MESSAGE", None])
def test_it_refuses_what_is_no_choice(rows_of, model, field, wrong):
    rows = rows_of(model)
    before = rows.values_list(field).get()
    with pytest.raises(IntegrityError), transaction.atomic(), all_tenants():
        rows.update(**{field: wrong})
    assert rows.values_list(field).get() == before


@pytest.mark.parametrize(("model", "field"), CHOICES)
def test_validation_names_the_field(rows_of, model, field):
    row = rows_of(model).get()
    setattr(row, field, "wrong")
    with pytest.raises(ValidationError) as refusal, all_tenants():
        row.full_clean()
    assert field in refusal.value.message_dict
