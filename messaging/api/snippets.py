"""`snippets`: texts that a company keeps for messages."""

from rest_framework import serializers

from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import FullViewSet
from crm.api.companions import UserNameField
from messaging.models import Snippet
from messaging.services.campaigns.placeholders import find_placeholder_faults


class SnippetSerializer(TenantSerializer):
    created_by = CompanyUserField(read_only=True, allow_null=True)
    created_by_name = UserNameField("created_by")

    class Meta:
        model = Snippet
        fields = ["id", "shortcut", "body", "created_by", "created_by_name", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {
            "shortcut": {"help_text": "What people type after a slash: small letters, digits, - and _."},
            "body": {
                "help_text": "The text, with the placeholders of campaigns, such as `{first_name|there}`. A client "
                "fills them in when it puts the text into a message."
            },
        }

    def validate_body(self, body: str) -> str:
        if faults := find_placeholder_faults(body):
            raise serializers.ValidationError([fault.detail for fault in faults])
        return body


class SnippetViewSet(FullViewSet):
    """Snippets, newest first."""

    resource = "snippets"
    model = Snippet
    serializer_class = SnippetSerializer

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, created_by=self.user)
