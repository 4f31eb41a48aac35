"""Index classes for `Meta.indexes`, frozen into migrations: their import path never changes."""

from typing import Any, Self, cast

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement


class Index(models.Index):
    """A B-tree index that says which question it answers, and may use PostgreSQL's full 63 characters as its name.

    Django stops at 30 characters for databases that we do not run on. Raising the limit here, instead of silencing
    `models.E034`, keeps that check awake at 63, where PostgreSQL would cut the name without an error.

    `question` and `asked_by` are documentation carried by the declaration: `docs/indexes.md` is tested against them.
    They are no part of the index's definition, so a reworded question makes no migration. `kept_because` is the same
    kind of thing: the reason why an index stands that another one could answer for, as `manage.py index_report` shows.
    """

    max_name_length = 63

    def __init__(
        self, *expressions: Any, question: str = "", asked_by: str = "", kept_because: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*expressions, **kwargs)
        self.kept_because = kept_because
        self.question = question
        self.asked_by = asked_by

    def clone(self) -> Self:
        twin = cast(Self, super().clone())  # built from deconstruct(), which rightly knows no documentation
        twin.question, twin.asked_by, twin.kept_because = self.question, self.asked_by, self.kept_because
        return twin


class HashIndex(Index):
    """A hash index on PostgreSQL; a plain B-tree elsewhere. One column, equality only, never unique."""

    suffix = "hash"

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any
    ) -> Statement:
        if schema_editor.connection.vendor == "postgresql":
            using = " USING hash"
        return super().create_sql(model, schema_editor, using=using, **kwargs)


class UniqueIndex(Index):
    """A unique index. For `AddUniqueConstraintConcurrently`: models declare a UniqueConstraint."""

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any
    ) -> Statement:
        statement = super().create_sql(model, schema_editor, using=using, **kwargs)
        statement.template = statement.template.replace("CREATE INDEX", "CREATE UNIQUE INDEX", 1)
        return statement
