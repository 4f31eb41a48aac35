"""The values that a column may hold, stored as this lower-case text and guarded by a CHECK."""

from django.db.models import TextChoices


class Sentiment(TextChoices):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
