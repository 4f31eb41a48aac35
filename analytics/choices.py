"""Choices of columns. A CHECK constraint guards each."""

from django.db.models import TextChoices


class Sentiment(TextChoices):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
