"""Partitioned tables: which statement on one also locks or reads its default partition."""

from dataclasses import dataclass, field
from typing import Any

from crm.db.grammar import ast

SERVER_TABLES = """
    SELECT t.relname, p.relname, coalesce(k.partdefid = t.oid, false), t.relkind = 'p'
    FROM pg_class t
    LEFT JOIN pg_inherits h ON h.inhrelid = t.oid AND t.relispartition
    LEFT JOIN pg_class p ON p.oid = h.inhparent
    LEFT JOIN pg_partitioned_table k ON k.partrelid = p.oid
    WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p')
        AND (t.relispartition OR t.relkind = 'p')
"""


@dataclass
class Partitions:
    """Partitioned tables and their partitions, before a statement."""

    partitioned: set[str] = field(default_factory=set)
    parents: dict[str, str] = field(default_factory=dict)
    """The partitioned table of each partition."""
    defaults: dict[str, str] = field(default_factory=dict)
    """The default partition of each partitioned table that has one."""

    def with_parts(self, table: str) -> list[str]:
        """Return the table and all below it."""
        parts = [part for part, parent in self.parents.items() if parent == table]
        return [table, *(name for part in parts for name in self.with_parts(part))]

    def default_of(self, table: str) -> list[str]:
        """Return the default partition, with its own partitions if it has some."""
        default = self.defaults.get(table)
        return self.with_parts(default) if default else []

    def add(self, table: str, parent: str, *, default: bool) -> None:
        self.parents[table] = parent
        if default:
            self.defaults[parent] = table

    def remove(self, table: str) -> None:
        parent = self.parents.pop(table, "")
        if self.defaults.get(parent) == table:
            del self.defaults[parent]

    def update(self, statement: ast.Node | None) -> None:
        """Record what a statement adds and removes."""
        match statement:
            case ast.CreateStmt(relation=table, inhRelations=parents, partbound=bound, partspec=key):
                if key:
                    self.partitioned.add(table.relname)
                if bound:
                    self.add(table.relname, parents[0].relname, default=bool(bound.is_default))
            case ast.DropStmt(objects=objects):
                for names in objects:
                    if isinstance(names, tuple):
                        self.remove(names[-1].sval)
            case ast.AlterTableStmt(relation=table):
                for command in statement.cmds:
                    subject: Any = command.def_
                    if command.subtype.name == "AT_AttachPartition" and subject.bound:  # an index has none
                        self.add(subject.name.relname, table.relname, default=bool(subject.bound.is_default))
                    elif command.subtype.name == "AT_DetachPartition":
                        self.remove(subject.name.relname)


def read_partitions(cursor: Any) -> Partitions:
    """Return those of the server."""
    partitions = Partitions()
    cursor.execute(SERVER_TABLES)
    for table, parent, default, partitioned in cursor.fetchall():
        if partitioned:
            partitions.partitioned.add(table)
        if parent:
            partitions.add(table, parent, default=default)
    return partitions
