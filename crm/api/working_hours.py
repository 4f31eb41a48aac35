"""Working hours of a week, as companies and users have them."""

from typing import Any, ClassVar

from rest_framework import serializers

from crm.api.base.lists import FormattedObject
from crm.api.base.serializers import BodySerializer
from crm.working_hours import CLOCK, DAYS


class WallClockField(serializers.RegexField):
    """A time of day, to the minute, by the company's clock."""

    default_error_messages: ClassVar = {"invalid": "Must be a time of day, such as 14:05."}

    def __init__(self, **options: Any) -> None:
        super().__init__(CLOCK, **options)


class OpeningHoursSerializer(BodySerializer):
    """The working hours of one day."""

    opens = WallClockField(help_text="When work begins, such as 08:00.")
    closes = WallClockField(help_text="When it ends, later on the same day, such as 17:30.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("opens", "closes"):  # a PATCH doesn't ask for them
            if name not in attrs:
                raise serializers.ValidationError({name: "This field is required."}, code="required")
        if attrs["closes"] <= attrs["opens"]:
            raise serializers.ValidationError({"closes": "Must be later than `opens`."})
        return attrs


class WorkingHoursSerializer(BodySerializer, FormattedObject):
    """The working hours of a week. They are replaced as a whole: a day that isn't sent is closed."""

    monday = OpeningHoursSerializer(allow_null=True, required=False, help_text="Null: closed.")
    tuesday = OpeningHoursSerializer(allow_null=True, required=False, help_text="Null: closed.")
    wednesday = OpeningHoursSerializer(allow_null=True, required=False, help_text="Null: closed.")
    thursday = OpeningHoursSerializer(allow_null=True, required=False, help_text="Null: closed.")
    friday = OpeningHoursSerializer(allow_null=True, required=False, help_text="Null: closed.")
    saturday = OpeningHoursSerializer(allow_null=True, required=False, help_text="Null: closed.")
    sunday = OpeningHoursSerializer(allow_null=True, required=False, help_text="Null: closed.")

    def to_internal_value(self, data: Any) -> Any:
        return dict.fromkeys(DAYS) | super().to_internal_value(data)

    def to_representation(self, instance: Any) -> Any:
        return dict.fromkeys(DAYS) | instance
