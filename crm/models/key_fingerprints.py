"""Fingerprints of the keys that the database's rows were made with."""

from django.db import models


class KeyFingerprint(models.Model):
    """The fingerprint of a key in the environment. A process with another key would not find or read what is stored."""

    name = models.CharField(max_length=20, help_text="The environment variable.")
    fingerprint = models.CharField(max_length=64)

    class Meta:
        db_table = "key_fingerprints"
        constraints = [models.UniqueConstraint(fields=["name"], name="key_fingerprints_name_unique")]

    def __str__(self) -> str:
        return self.name
