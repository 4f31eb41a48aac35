"""`phone-lines`: the company's own numbers. Everybody sees them, managers name them."""

import django_filters

from crm.api.serializers import PhoneField, TenantSerializer
from crm.api.views import EditViewSet
from crm.choices import Provider
from crm.models import PhoneLine


class PhoneLineSerializer(TenantSerializer):
    number = PhoneField(required=False)

    class Meta:
        model = PhoneLine
        fields = ["id", "name", "number", "provider", "provider_id", "created_at"]
        read_only_fields = ["created_at"]


class PhoneLineFilterSet(django_filters.FilterSet):
    provider = django_filters.ChoiceFilter(choices=Provider.choices)


class PhoneLineViewSet(EditViewSet):
    """The company's phone lines."""

    resource = "phone-lines"
    model = PhoneLine
    serializer_class = PhoneLineSerializer
    filterset_class = PhoneLineFilterSet
