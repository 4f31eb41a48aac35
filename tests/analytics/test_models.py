"""Validation of call analyses."""

import pytest
from django.core.exceptions import ValidationError

from analytics.models import CallAnalysis
from tests.factories import CallAnalysisFactory


def test_analysis_may_have_no_sentiment(in_acme):
    CallAnalysisFactory(call__contact__company=in_acme, sentiment="")
    assert CallAnalysis.objects.get().sentiment == ""


@pytest.mark.parametrize("objections", ["price", {"price": 1}, [1], ["price", ""], [" "], [["price"]]])
def test_objections_must_be_a_list_of_labels(in_acme, objections):
    analysis = CallAnalysisFactory.build(objections=objections)
    with pytest.raises(ValidationError, match="objections"):
        analysis.clean_fields(exclude=["call", "company"])


def test_analysis_may_have_no_objection(in_acme):
    analysis = CallAnalysisFactory(call__contact__company=in_acme, objections=[])
    analysis.full_clean()


def test_analyses_are_deleted_with_their_call(in_acme):
    first = CallAnalysisFactory(call__contact__company=in_acme)
    CallAnalysisFactory(call=first.call)
    other = CallAnalysisFactory(call__contact__company=in_acme)
    first.call.delete()
    assert list(CallAnalysis.objects.all()) == [other]
