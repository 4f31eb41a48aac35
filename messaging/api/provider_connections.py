"""`provider-connections`: webhook URLs, secrets, accounts and lines of the company at its providers, for managers."""

from typing import Any, cast

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import invalid
from crm.api.base.roles import CHANGE, CREATE
from crm.api.base.serializers import BodySerializer, OneOfField
from crm.api.base.views import TenantView
from crm.choices import Provider
from crm.error_codes import ErrorCode
from crm.models import Company
from messaging.providers.errors import InvalidSecret
from messaging.services.connection_checks import CheckName, run_connection_test
from messaging.services.provider_accounts import InvalidAccount, set_provider_account
from messaging.services.provider_connections import read_connection, read_connections
from messaging.services.webhook_secrets import SecretNotAdded, add_webhook_secret, remove_webhook_secret

MAX_SECRET = 200


class ConnectionSecretSerializer(serializers.Serializer):
    id = serializers.IntegerField(help_text="ID of the secret, to remove it.")
    created_at = serializers.DateTimeField(help_text="Time when it was set.")


class ConnectionLineSerializer(serializers.Serializer):
    id = serializers.IntegerField(help_text="ID of the phone line: `phone-lines/{id}` changes its name.")
    name = serializers.CharField(help_text="Name for people. Empty: nobody has named it.")
    number = serializers.CharField(help_text="The line's number, E.164. Empty: unknown.")
    paused_until = serializers.DateTimeField(
        allow_null=True, help_text="Paused by the provider until this time. Null: it isn't."
    )
    pause_reason = serializers.CharField(help_text="Why sending is paused. Empty: it isn't.")


class ProviderConnectionSerializer(serializers.Serializer):
    provider = serializers.ChoiceField(choices=Provider.choices, help_text="The provider.")
    name = serializers.CharField(help_text="Name of the provider.")
    webhook_url = serializers.CharField(help_text="Where the provider is to send its events.")
    has_secret = serializers.BooleanField(help_text="Whether events can be verified. Without a secret all are refused.")
    secret_name = serializers.CharField(help_text="What the provider calls the secret.")
    secrets = ConnectionSecretSerializer(
        many=True, help_text="Secrets that are valid, the oldest first. Never their text."
    )
    has_account_key = serializers.BooleanField(help_text="Whether texts can leave.")
    account_key_ending = serializers.CharField(
        help_text="Last 4 characters of the account's key. Empty: there is none, or it can't be read."
    )
    key_name = serializers.CharField(help_text="What the provider calls the key.")
    account_id = serializers.CharField(help_text="ID of the account at the provider. Empty: none.")
    account_id_name = serializers.CharField(help_text="What the provider calls the ID. Empty: it has none.")
    last_event_at = serializers.DateTimeField(
        allow_null=True, help_text="Time of its latest webhook event. Null: none among the company's latest 1,000."
    )
    lines = ConnectionLineSerializer(many=True, help_text="Phone lines of this provider.")


class ProviderConnectionsSerializer(serializers.Serializer):
    connections = ProviderConnectionSerializer(many=True, help_text="One for each provider, those with lines first.")


class ConnectionChangeSerializer(BodySerializer):
    provider = OneOfField(choices=Provider.choices, help_text="The provider.")
    secret = serializers.CharField(
        max_length=MAX_SECRET, required=False, help_text="Another signing secret. Those that are set stay valid."
    )
    remove_secret = serializers.IntegerField(
        min_value=1, required=False, help_text="ID of a secret that is no longer valid, after `secret` is added."
    )
    account_key = serializers.CharField(
        max_length=MAX_SECRET, required=False, help_text="Key of the account. It replaces the one that is set."
    )
    account_id = serializers.CharField(
        max_length=100, allow_blank=True, required=False, help_text="ID of the account at the provider."
    )


class ProviderConnectionsView(TenantView):
    """The company's connections to its providers. Secrets and keys can be set, and never read."""

    resource = "provider-connections"
    refusals = {
        "patch": (ErrorCode.REQUIRED, ErrorCode.INVALID_CHOICE, ErrorCode.DOES_NOT_EXIST, ErrorCode.NOT_ALLOWED)
    }

    @property
    def verb(self) -> str | None:
        return CHANGE if self.request.method == "PATCH" else super().verb

    @extend_schema(responses=ProviderConnectionsSerializer)
    def get(self, request: Request) -> Response:
        """Read the connections to all providers."""
        connections = read_connections(cast(Company, self.user.company))
        return Response(ProviderConnectionsSerializer({"connections": connections}).data)

    @extend_schema(request=ConnectionChangeSerializer, responses=ProviderConnectionSerializer)
    def patch(self, request: Request) -> Response:
        """Set secrets and the account of one provider."""
        serializer = ConnectionChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        provider = Provider(values["provider"])
        with transaction.atomic():
            company = Company.objects.select_for_update(no_key=True).get(pk=self.company_id)
            self._change(provider, values)
        return Response(ProviderConnectionSerializer(read_connection(company, provider)).data)

    def _change(self, provider: Provider, values: dict[str, Any]) -> None:
        if "secret" in values:
            try:
                add_webhook_secret(provider=provider, secret=values["secret"])
            except (InvalidSecret, SecretNotAdded) as error:
                raise invalid("secret", str(error), code=ErrorCode.NOT_ALLOWED) from error
        if "remove_secret" in values and not remove_webhook_secret(provider=provider, pk=values["remove_secret"]):
            raise invalid("remove_secret", "This provider has no such secret.", code=ErrorCode.DOES_NOT_EXIST)
        if {"account_key", "account_id"} & values.keys():
            try:
                set_provider_account(
                    provider=provider, api_key=values.get("account_key"), account_id=values.get("account_id")
                )
            except InvalidAccount as error:
                names = {"api_key": "account_key"}
                raise invalid(names.get(error.field, error.field), str(error), code=ErrorCode.NOT_ALLOWED) from error


class ConnectionCheckSerializer(serializers.Serializer):
    name = serializers.ChoiceField(
        choices=[(name.value, name.value) for name in CheckName], help_text="What is checked."
    )
    is_ok = serializers.BooleanField(help_text="Whether it works.")
    fault = serializers.CharField(help_text="What is wrong, for people. Empty: nothing.")


class ConnectionTestSerializer(serializers.Serializer):
    is_ok = serializers.BooleanField(help_text="Whether everything works.")
    checks = ConnectionCheckSerializer(many=True, help_text="The parts of the connection.")


class TestedProviderSerializer(BodySerializer):
    provider = OneOfField(choices=Provider.choices, help_text="The provider.")


class ConnectionTestView(TenantView):
    """Tests of a connection to a provider."""

    resource = "provider-connections/test"

    @property
    def verb(self) -> str | None:
        return CREATE if self.request.method == "POST" else None

    @extend_schema(request=TestedProviderSerializer, responses=ConnectionTestSerializer)
    def post(self, request: Request) -> Response:
        """Test a connection: each secret signs an event, which is received and undone.

        Nothing is asked of the provider.
        """
        serializer = TestedProviderSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        provider = Provider(serializer.validated_data["provider"])
        checks = run_connection_test(company=cast(Company, self.user.company), provider=provider)
        return Response(
            ConnectionTestSerializer({"is_ok": all(check.is_ok for check in checks), "checks": checks}).data
        )
