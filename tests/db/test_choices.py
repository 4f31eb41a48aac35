"""CHECK constraints of columns with choices."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from crm.db.tenancy import all_tenants
from tests import factories
from tests.db.catalogue import product_models

FACTORIES = {
    factory._meta.model: factory
    for factory in vars(factories).values()
    if isinstance(factory, type) and issubclass(factory, factories.RowFactory) and not factory._meta.abstract
    if factory is not factories.HeldMessageFactory
}
CHOICES = [
    pytest.param(model, field.name, id=f"{model._meta.db_table}.{field.name}")
    for model in product_models()
    for field in model._meta.concrete_fields
    if field.choices
]


@pytest.fixture
def rows_of(db):
    """A function that creates one row of a model and returns the model's rows."""

    def make(model):
        return model._base_manager.filter(pk=FACTORIES[model]().pk)

    return make


def test_every_model_has_a_factory():
    assert FACTORIES.keys() == set(product_models())


@pytest.mark.parametrize(("model", "field"), CHOICES)
@pytest.mark.parametrize("wrong", ["wrong", "MESSAGE", None])
def test_database_refuses_other_values(rows_of, model, field, wrong):
    rows = rows_of(model)
    before = rows.values_list(field).get()
    with pytest.raises(IntegrityError), transaction.atomic(), all_tenants():
        rows.update(**{field: wrong})
    assert rows.values_list(field).get() == before


@pytest.mark.parametrize(("model", "field"), CHOICES)
def test_validation_error_names_the_field(rows_of, model, field):
    row = rows_of(model).get()
    setattr(row, field, "wrong")
    with pytest.raises(ValidationError) as refusal, all_tenants():
        row.full_clean()
    assert field in refusal.value.message_dict
