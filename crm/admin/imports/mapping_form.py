"""The form that says where the columns of a file go."""

from dataclasses import dataclass
from typing import Any

from django import forms

from crm.choices import FieldType
from crm.services.imports.planning import WRITTEN
from crm.services.imports.reading.mapping import CustomField, Mapping
from crm.services.imports.reading.presets import PRESETS
from crm.services.imports.reading.suggestions import Choice
from crm.services.imports.reading.targets import FIELD, LABELS, Target
from crm.services.imports.requests import Options, Upload

MAX_SAMPLES = 3
MAX_LENGTH = 60  # of a sample
PHONES, EMAILS = 5, 2
# Nobody can say the options of a choice before the file is read.
NEW_TYPES = [(kind.value, kind.label) for kind in FieldType if kind != FieldType.CHOICE]
SINGLE = (
    "first_name", "last_name", "full_name", "address", "address:2", "city", "state", "postal_code", "timezone",
    "other_phones", "tag", "flag", "do_not_contact", "opted_out", "consent", "consent_date", "consent_wording",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A column of the file, on the page."""

    name: str
    samples: list[str]
    target: Any  # bound fields
    field_type: Any
    score: int | None
    error: str


class MappingForm(forms.Form):
    """One choice for each column, and the options of the import."""

    list_name = forms.CharField(
        required=False,
        max_length=200,
        label="List",
        help_text="All contacts of the file get into it. Empty: a new one with the file's name.",
    )
    tags = forms.CharField(required=False, max_length=500, help_text="Tags for all contacts, separated by commas.")
    overwrite = forms.MultipleChoiceField(
        required=False,
        choices=[(name, LABELS[name]) for name in WRITTEN],
        widget=forms.CheckboxSelectMultiple,
        help_text="Only blank values are filled, but these are replaced by what the file says.",
    )
    consent_wording = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="The words that the people agreed to, if a column says that they consented to marketing messages.",
    )

    option_names = ("list_name", "tags", "overwrite", "consent_wording")

    def __init__(self, upload: Upload, choice: Choice, data: Any = None) -> None:
        super().__init__(data)
        self.upload, self.choice = upload, choice
        self.columns = choice.mapping.header
        self.errors_by_column: dict[str, str] = {}
        suggested = {each.column: each for each in choice.suggestions}
        for place, column in enumerate(self.columns):
            target = choice.mapping.columns.get(column, "")
            suggestion = suggested.get(column)
            new = suggestion.target if suggestion and not suggestion.score else ""
            self.fields[f"target_{place}"] = forms.ChoiceField(
                required=False, label=column, initial=target, choices=self._targets(target, new, column)
            )
            if new:
                spec = choice.new_fields[Target.parse(new).key]
                self.fields[f"type_{place}"] = forms.ChoiceField(
                    required=False, label=f"Type of {column}", choices=NEW_TYPES, initial=spec.type
                )

    def _targets(self, target: str, new: str, column: str) -> list[tuple[str, Any]]:
        """Return the options of one column, those of its own first."""
        people = sorted({each.person for each in self.choice.mapping.targets.values()} - {0}) or [0]
        first = [(new, f"New custom field “{column}”")] if new else []
        numbers = [
            Target(name, number=number, person=person)
            for person in people
            for name, count in (("phone", PHONES), ("email", EMAILS))
            for number in range(1, count + 1)
        ]
        marks = [
            Target(name, number=number, person=person)
            for person in people
            for number in range(1, PHONES + 1)
            for name in ("phone_type", "phone_status", "phone_dnc")
        ]
        names = [Target(name, person=person) for person in people if person for name in SINGLE[:3]]
        known = {**self.choice.mapping.fields, **self.upload.known_fields}
        groups: list[tuple[str, list[tuple[str, str]]]] = [
            ("Contact", _options([*names, *map(Target.parse, SINGLE)])),
            ("Phones and emails", _options(numbers)),
            ("Marks of phones", _options(marks[:15])),
            ("Custom fields", [(f"{FIELD}:{key}", spec.label) for key, spec in [*known.items()][:40]]),
        ]
        offered = {value for _, options in groups for value, _ in options} | {new}
        if target and target not in offered:
            first.append((target, Target.parse(target).label))
        return [("", "Not imported"), *first, *groups]

    @property
    def rows(self) -> list[Row]:
        """The columns with their first values."""
        sample = self.upload.table.sample()
        places = {name: place for place, name in enumerate(self.upload.table.header)}
        scores = {each.column: each.score for each in self.choice.suggestions if each.score}
        rows = []
        for place, column in enumerate(self.columns):
            values = (row[places[column]][:MAX_LENGTH] for row in sample if places[column] < len(row))
            rows.append(
                Row(
                    column,
                    [*dict.fromkeys(filter(str.strip, values))][:MAX_SAMPLES],
                    self[f"target_{place}"],
                    self[f"type_{place}"] if f"type_{place}" in self.fields else None,
                    scores.get(column),
                    self.errors_by_column.get(column, ""),
                )
            )
        return rows

    @property
    def origin(self) -> str:
        """The origin of the mapping, in a sentence."""
        match self.choice.origin:
            case "remembered":
                return "The columns go where they went in the last import of such a file."
            case "preset":
                return f"The columns are those of: {PRESETS[self.choice.mapping.preset].label}."
        return "No file with these columns was imported before. Please check each suggestion."

    def mapping(self) -> Mapping:
        """Return the chosen mapping."""
        columns, fields = {}, {**self.choice.mapping.fields}
        for place, column in enumerate(self.columns):
            if text := self.cleaned_data[f"target_{place}"]:
                columns[column] = text
                target = Target.parse(text)
                if target.name == FIELD and (spec := self.choice.new_fields.get(target.key)):
                    fields[target.key] = CustomField(spec.label, self.cleaned_data.get(f"type_{place}") or spec.type)
        base = self.choice.mapping
        return Mapping(
            base.header, columns, fields, base.preset, base.fixes_capitals, base.tag_separators
        )  # fmt: skip

    def options(self) -> Options:
        """Return the chosen options."""
        data = self.cleaned_data
        tags = [tag.strip() for tag in data["tags"].split(",") if tag.strip()]
        return Options(
            overwrite=data["overwrite"], tags=tags, list_name=data["list_name"], consent_wording=data["consent_wording"]
        )


def _options(targets: list[Target]) -> list[tuple[str, str]]:
    return [(str(target), target.label) for target in targets]
