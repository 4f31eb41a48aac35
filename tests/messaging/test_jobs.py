"""Jobs of the worker, as the apps register them."""

import pytest

from crm import worker
from crm.worker import job_names


@pytest.mark.django_db
@pytest.mark.parametrize("name", job_names())
def test_empty_queue_is_probed_and_worked_through_without_an_active_tenant(name):
    job = worker._jobs[name]
    job.is_due()
    assert not job.has_pending()  # else `work --until-empty` never ends
    job.do_next()
