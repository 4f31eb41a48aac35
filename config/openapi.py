"""Settings of the OpenAPI document."""

from typing import Any


def openapi_settings(public_url: str) -> dict[str, Any]:
    """Return the settings of drf-spectacular."""
    return {
        "TITLE": "Home-services CRM",
        "DESCRIPTION": "Contacts, calls, messages and appointments of the signed-in user's company. Sign in with "
        "`POST /api/v1/auth/token`, and send `Authorization: Bearer <access>` with any other request. Times are sent "
        "with their offset from UTC. Days, `YYYY-MM-DD`, are days of the company's time zone. Amounts are strings with "
        "two decimals. Lists are pages: `next` is the URL of the next one. A body has at most 1 MiB. That is also the "
        "limit of texts without another one.",
        "VERSION": "1",
        "OAS_VERSION": "3.1.0",
        "SERVERS": [{"url": public_url}],
        "SCHEMA_PATH_PREFIX": "/api/v1/",
        "DEFAULT_GENERATOR_CLASS": "crm.api.base.schema.TenantSchemaGenerator",
        "SERVE_INCLUDE_SCHEMA": False,
        "SERVE_PERMISSIONS": [],
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
        "COMPONENT_SPLIT_REQUEST": True,
        "ENUM_SUFFIX": "",
        "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
        # Choices that several fields have, or whose field has a name that says too little.
        "ENUM_NAME_OVERRIDES": {
            "AppointmentStatus": "calls.choices.AppointmentStatus",
            "AttachmentKind": "calls.choices.AttachmentKind",
            "AttachmentStatus": "calls.choices.AttachmentStatus",
            "CallStatus": "calls.choices.CallStatus",
            "CampaignStatus": "crm.choices.CampaignStatus",
            "ChangeKind": ["updated", "deleted", "hidden"],
            "ConversationStatus": "crm.choices.ConversationStatus",
            "EventStatus": "messaging.choices.EventStatus",
            "FlagType": "crm.choices.FlagType",
            "InvoiceStatus": "crm.choices.InvoiceStatus",
            "LeadStatus": "crm.choices.LeadStatus",
            "MembershipStatus": "crm.choices.MembershipStatus",
            "MessageKind": "messaging.choices.MessageKind",
            "MessageStatus": "messaging.choices.MessageStatus",
            "OptOutAction": "crm.choices.OptOutAction",
            "OptOutState": "crm.choices.OptOutState",
            "Provider": "crm.choices.Provider",
            "Recovery": "calls.choices.Recovery",
            "SessionKind": "crm.choices.SessionKind",
            "Variant": "crm.choices.Variant",
        },
    }
