"""One form of dates on all pages, with the zone beside the time. Over settings, Django's own of the language wins."""

DATE_FORMAT, DATETIME_FORMAT, TIME_FORMAT = "Y-m-d", "Y-m-d H:i T", "H:i"
SHORT_DATE_FORMAT, SHORT_DATETIME_FORMAT = DATE_FORMAT, DATETIME_FORMAT
