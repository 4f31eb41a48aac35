"""Index classes: long names, hash indexes and questions."""

import io

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.test.utils import isolate_apps

from crm.db.indexes import HashIndex, Index
from crm.models import Contact

QUESTION = {"question": "Whose number is this?", "asked_by": "admin search"}


def check_of_model_with_index_named(name, index_class):
    with isolate_apps("crm"):

        class Row(models.Model):  # noqa: DJ008
            number = models.IntegerField()

            class Meta:
                app_label = "crm"
                indexes = [index_class(fields=["number"], name=name)]

        return [problem.id for problem in Row.check() if problem.id == "models.E034"]


@pytest.mark.parametrize("index_class", [Index, HashIndex])
def test_name_of_63_characters_is_allowed(index_class):
    assert check_of_model_with_index_named("n" * 63, index_class) == []


@pytest.mark.parametrize("index_class", [Index, HashIndex])
def test_name_of_64_characters_fails_djangos_check(index_class):
    assert check_of_model_with_index_named("n" * 64, index_class) == ["models.E034"]


@pytest.mark.parametrize("index_class", [Index, HashIndex])
def test_clone_keeps_the_question(index_class):
    copy = index_class(fields=["phone"], name="contacts_phone", **QUESTION).clone()
    assert (copy.question, copy.asked_by) == (QUESTION["question"], QUESTION["asked_by"])
    assert isinstance(copy, index_class)


def test_model_keeps_the_question_of_its_index():
    declared = {index.name: index for index in Contact._meta.indexes}
    assert declared["idx_contact_phone_hash"].question == "Whose number is this, in any company?"


def test_question_is_not_part_of_the_definition():
    index = Index(fields=["phone"], name="contacts_phone", **QUESTION)
    assert index == Index(fields=["phone"], name="contacts_phone", question="Another?")
    assert index.deconstruct() == ("crm.db.indexes.Index", (), {"fields": ["phone"], "name": "contacts_phone"})


def test_hash_index_deconstructs_to_its_import_path():
    path, _, arguments = HashIndex(fields=["phone"], name="contacts_phone", **QUESTION).deconstruct()
    assert path == "crm.db.indexes.HashIndex"
    assert arguments == {"fields": ["phone"], "name": "contacts_phone"}


@pytest.mark.database
def test_hash_index_is_a_b_tree_on_sqlite():
    sql = str(HashIndex(fields=["phone"], name="contacts_phone").create_sql(Contact, connection.schema_editor()))
    if connection.vendor == "postgresql":
        assert sql == 'CREATE INDEX "contacts_phone" ON "contacts" USING hash ("phone")'
    else:
        assert sql == 'CREATE INDEX "contacts_phone" ON "contacts" ("phone")'


@pytest.mark.database
def test_hash_index_keeps_its_condition():
    index = HashIndex(fields=["phone"], condition=models.Q(phone__gt=""), name="contacts_phone")
    assert "WHERE" in str(index.create_sql(Contact, connection.schema_editor()))


@pytest.mark.django_db
def test_migrations_match_the_models():
    call_command("makemigrations", check=True, dry_run=True, stdout=io.StringIO())
