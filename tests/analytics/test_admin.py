"""Admin for call analyses."""

import pytest
from django.urls import reverse

from analytics.models import CallAnalysis
from tests import factories


@pytest.fixture(autouse=True)
def _signed_in(client, staff):
    client.force_login(staff)


def analysis_form(analysis, **fields):
    return {
        "call": analysis.call_id, "sentiment": "", "outcome": "", "summary": "", "analyzed_at_0": "2026-03-03",
        "analyzed_at_1": "09:00",
    } | fields  # fmt: skip


def page(analysis):
    return reverse("admin:analytics_callanalysis_change", args=[analysis.pk])


def test_objections_are_chosen_from_the_company_s_labels(client, in_acme, globex):
    factories.CallAnalysisFactory(call__contact__company=in_acme, objections=["Warranty "])
    factories.CallAnalysisFactory(call__contact__company=globex, objections=["secret label"])
    analysis = factories.CallAnalysisFactory(call__contact__company=in_acme, objections=["Price"])
    html = client.get(page(analysis)).content.decode()
    assert 'value="warranty"' in html
    assert 'value="price"' in html
    assert "secret label" not in html
    assert client.post(page(analysis), analysis_form(analysis, objections=["price", "warranty"])).status_code == 302
    analysis.refresh_from_db()
    assert analysis.objections == ["Price", "warranty"]


def test_new_objection_is_typed_as_a_word(client, in_acme):
    analysis = factories.CallAnalysisFactory(call__contact__company=in_acme, objections=["price"])
    client.post(page(analysis), analysis_form(analysis, other_objection=" Bad Weather"))
    analysis.refresh_from_db()
    assert analysis.objections == ["bad weather"]


def test_unknown_objection_is_refused(client, in_acme):
    analysis = factories.CallAnalysisFactory(call__contact__company=in_acme, objections=["price"])
    response = client.post(page(analysis), analysis_form(analysis, objections=["made up"]))
    assert response.context["adminform"].form.errors["objections"]
    assert CallAnalysis.objects.get().objections == ["price"]
