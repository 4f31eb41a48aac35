"""One preset: the columns by which a file is known, and the targets of its columns."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from crm.services.imports.reading.headers import key_of
from crm.services.imports.reading.mapping import CustomField, Mapping, leave_out_unusable
from crm.services.imports.reading.targets import FIELD, MAX_NUMBER, InvalidTarget, Target


@dataclass(frozen=True)
class Preset:
    """The mapping of one program's files.

    Attributes:
        knows: whether a set of columns, by their keys, is such a file.
        targets: targets by the key of a column.
        patterns: targets of numbered columns, such as `phone (\\d+)`.
        fields: custom fields that the program's columns become, by the key of a column.
        ignored: columns that aren't offered as custom fields, by their keys.
    """

    name: str
    label: str
    knows: Callable[[frozenset[str]], bool]
    targets: dict[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()
    fields: dict[str, tuple[str, CustomField]] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    fixes_capitals: bool = False
    tag_separators: str = Mapping.tag_separators

    def map(self, header: list[str]) -> Mapping:
        """Return the mapping of a header. Columns that the preset doesn't know get no target."""
        columns: dict[str, str] = {}
        fields: dict[str, CustomField] = {}
        others: list[tuple[str, Target]] = []
        # In the order of the preset, not of the file.
        order = {key: place for place, key in enumerate(self.targets)}
        for name in sorted(header, key=lambda name: order.get(key_of(name), len(order))):
            key = key_of(name)
            if key in self.fields:
                field_key, spec = self.fields[key]
                columns[name], fields[field_key] = str(Target(FIELD, key=field_key)), spec
            elif target := self._target_of(key):
                if target in columns.values():
                    others.append((name, Target.parse(target)))
                else:
                    columns[name] = target
        for name, wanted in others:
            if free := next_number(wanted, columns):
                columns[name] = free
        columns = leave_out_unusable(columns)
        return Mapping(
            tuple(header),
            {name: columns[name] for name in header if name in columns},
            fields,
            preset=self.name,
            fixes_capitals=self.fixes_capitals,
            tag_separators=self.tag_separators,
        )

    def _target_of(self, key: str) -> str:
        if key in self.targets:
            return self.targets[key]
        for pattern, target in self.patterns:
            if found := pattern.fullmatch(key):
                try:
                    return str(Target.parse(found.expand(target)))
                except InvalidTarget:  # such as the 99th phone
                    return ""
        return ""


def next_number(wanted: Target, columns: dict[str, str]) -> str:
    """Return the next free number of a phone or email address; empty for other targets, which one column can have."""
    if wanted.name not in ("phone", "email"):
        return ""
    numbers = (str(replace(wanted, number=number)) for number in range(1, MAX_NUMBER + 1))
    return next((target for target in numbers if target not in columns.values()), "")
