"""Index classes for `Meta.indexes`. Frozen into migrations, so their import path never changes."""

from typing import Any, Self, cast

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement


class Index(models.Index):
    """A B-tree index that documents its question and allows names of 63 characters, PostgreSQL's limit.

    Django's limit of 30 characters is for other databases. A higher limit, instead of a silenced `models.E034`, keeps
    that check working at 63, where PostgreSQL would cut the name without an error.

    `question` and `asked_by` document the index, and a test compares `docs/indexes.md` with them. `kept_because` is the
    reason to keep an index that another one covers; `manage.py index_report` shows it. None of the three belongs to the
    index's definition, so rewording them makes no migration.
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
        copy = cast(Self, super().clone())  # made from deconstruct(), which leaves out the documentation
        copy.question, copy.asked_by, copy.kept_because = self.question, self.asked_by, self.kept_because
        return copy


class HashIndex(Index):
    """A hash index on PostgreSQL, a B-tree elsewhere. One column, equality only, never unique."""

    suffix = "hash"

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any
    ) -> Statement:
        if schema_editor.connection.vendor == "postgresql":
            using = " USING hash"
        return super().create_sql(model, schema_editor, using=using, **kwargs)


class UniqueIndex(Index):
    """A unique index for `AddUniqueConstraintConcurrently`. Models declare a UniqueConstraint instead."""

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any
    ) -> Statement:
        statement = super().create_sql(model, schema_editor, using=using, **kwargs)
        statement.template = statement.template.replace("CREATE INDEX", "CREATE UNIQUE INDEX", 1)
        return statement
