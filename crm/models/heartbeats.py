"""Heartbeats of workers."""

from django.db import models
from django.utils.timezone import now

from crm.db.storage import BUSY_TABLE, StorageSettings


class WorkerHeartbeat(models.Model):
    """A worker's process, of all companies. It deletes its row when it stops; a killed one leaves it."""

    host = models.CharField(max_length=255)
    pid = models.PositiveBigIntegerField("process ID")
    version = models.CharField(max_length=50)
    jobs = models.JSONField(help_text="Names of its jobs.")
    started_at = models.DateTimeField(default=now)
    seen_at = models.DateTimeField(help_text="Time of the last sign of life.")

    class Meta:
        db_table = "worker_heartbeats"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE | {"fillfactor": 50}, name="worker_heartbeats_storage"),
        ]

    def __str__(self) -> str:
        return f"{self.host} {self.pid}"
