"""Counted memberships of campaigns."""

from typing import ClassVar

from django.db import models

from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantModel
from crm.db.triggers import Triggers
from crm.models.campaigns import Campaign

_KEYS = "company_id, campaign_id, step, variant, status"
_COLUMNS = f"{_KEYS}, booked, hour, members, sms_segments"


def _delta(row: str, sign: str) -> str:
    """Return SQL for SQLite that adds the row of this name to the counts, or takes it away."""
    keys = ", ".join(f"{row}.{key}" for key in _KEYS.split(", "))
    hour = f"strftime('%Y-%m-%d %H:00:00', {row}.sent_at)"
    values = f"{keys}, {row}.booked_at IS NOT NULL, {hour}, {sign}1, {sign}{row}.sms_segments"
    # A flush empties the tables in any order.
    exists = f"EXISTS (SELECT 1 FROM campaigns WHERE id = {row}.campaign_id)"  # noqa: S608  # constants of this module
    return f"INSERT INTO campaign_counts ({_COLUMNS}) SELECT {values} WHERE {exists};"


_COUNTED = ("campaign_id", "step", "variant", "status", "booked_at", "sent_at", "sms_segments")
_DIFFERS = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in _COUNTED)


class CampaignCount(TenantModel):
    """Number of a campaign's memberships by step, variant, status, booking and hour (UTC) of sending.

    Each write of memberships adds rows with its differences, also negative ones, so that writers never wait for one
    another. Readers sum up; a job of the worker replaces a campaign's rows by their sums.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="counts", db_index=False)
    step = models.PositiveSmallIntegerField()
    variant = models.CharField(max_length=10)
    status = models.CharField(max_length=20)
    booked = models.BooleanField()
    hour = models.DateTimeField(null=True, help_text="Hour of sending (UTC). Null: not sent.")
    members = models.IntegerField()
    sms_segments = models.IntegerField(verbose_name="SMS segments")

    triggers = Triggers(
        on="campaign_memberships",
        name="count_campaign_memberships",
        postgresql=f"""
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM campaign_counts;
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO campaign_counts ({_COLUMNS})
        SELECT {_KEYS}, booked_at IS NOT NULL, date_trunc('hour', sent_at, 'UTC'), count(*), sum(sms_segments)
        FROM after GROUP BY {_KEYS}, 6, 7;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO campaign_counts ({_COLUMNS})
        SELECT {_KEYS}, booked_at IS NOT NULL, date_trunc('hour', sent_at, 'UTC'), -count(*), -sum(sms_segments)
        FROM before GROUP BY {_KEYS}, 6, 7;
    ELSE
        INSERT INTO campaign_counts ({_COLUMNS})
        SELECT {_KEYS}, booked, hour, sum(members), sum(sms_segments)
        FROM (
            SELECT {_KEYS}, booked_at IS NOT NULL AS booked, date_trunc('hour', sent_at, 'UTC') AS hour,
                1 AS members, sms_segments FROM after
            UNION ALL
            SELECT {_KEYS}, booked_at IS NOT NULL, date_trunc('hour', sent_at, 'UTC'), -1, -sms_segments FROM before
        ) AS row
        GROUP BY {_KEYS}, booked, hour
        HAVING sum(members) <> 0 OR sum(sms_segments) <> 0;
    END IF;
    RETURN NULL;
END
""",  # noqa: S608  # the columns are constants of this module
        sqlite={
            "insert": f"AFTER INSERT ON campaign_memberships BEGIN {_delta('NEW', '')} END",
            "update": (
                f"AFTER UPDATE ON campaign_memberships WHEN {_DIFFERS}"
                f" BEGIN {_delta('OLD', '-')} {_delta('NEW', '')} END"
            ),
            "delete": f"AFTER DELETE ON campaign_memberships BEGIN {_delta('OLD', '-')} END",
            "campaign": "AFTER DELETE ON campaigns BEGIN DELETE FROM campaign_counts WHERE campaign_id = OLD.id; END",
        },
    )

    class Meta:
        db_table = "campaign_counts"
        constraints: ClassVar = [StorageSettings(parameters=BUSY_TABLE, name="campaign_counts_storage")]
        indexes = [
            Index(
                fields=["company", "campaign"],
                name="ix_campaign_counts_company_id_campaign_id",
                question="How far is this campaign?",
                asked_by="GET /api/v1/campaigns; GET /api/v1/campaigns/{id}/report",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.members} {self.status}"
