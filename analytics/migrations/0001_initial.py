"""Tables and constraints."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import analytics.models
import crm.db.policies


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("calls", "0001_initial"),
        ("crm", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallAnalysis",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "company",
                    models.ForeignKey(
                        db_column="tenant_id",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.company",
                    ),
                ),
                (
                    "call",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="analyses",
                        to="calls.call",
                    ),
                ),
                (
                    "objections",
                    models.JSONField(blank=True, default=list, validators=[analytics.models.validate_labels]),
                ),
                (
                    "sentiment",
                    models.CharField(
                        blank=True,
                        choices=[("positive", "Positive"), ("neutral", "Neutral"), ("negative", "Negative")],
                        max_length=10,
                    ),
                ),
                ("outcome", models.CharField(blank=True, max_length=100)),
                ("summary", models.TextField(blank=True)),
                ("analyzed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name_plural": "call analyses",
                "db_table": "call_analysis",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sentiment__in", ["", "positive", "neutral", "negative"])),
                        name="call_analysis_sentiment_valid",
                    ),
                    crm.db.policies.TenantPolicy(name="call_analysis_tenant"),
                    crm.db.policies.SameCompany(field="call", name="call_analysis_call_id_same_company"),
                ],
            },
        ),
    ]
