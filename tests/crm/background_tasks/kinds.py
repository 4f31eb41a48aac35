"""A kind of task for tests: it writes one contact at each step."""

from crm.models import Contact
from crm.services.background_tasks.kinds import Kind, register_kind
from tests.fictional_numbers import fictional_number

STEPS = 4


def write_contacts(run):
    with run.step() as task:
        task.total = STEPS
    yield
    while run.task.done < STEPS:
        with run.step() as task:
            Contact.objects.create(company_id=task.company_id, phone=fictional_number(task.done))
            task.done += 1
            checkpoint()
        yield


def checkpoint():
    """Do nothing: the place where tests fail or kill a step."""


ended = []

register_kind(Kind(name="write-contacts", label="Contacts of a test", steps=write_contacts, end=ended.append))
