"""Choices of columns. A CHECK constraint guards each."""

from django.db.models import TextChoices

# Offered beside the labels that a company already has. Any other label is possible.
COMMON_OBJECTIONS = ("price", "timing", "spouse", "competitor", "trust", "financing")


class Sentiment(TextChoices):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"
