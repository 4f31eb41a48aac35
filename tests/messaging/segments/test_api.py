"""`segments`: managers write them, CSRs read them."""

from jsonschema import Draft202012Validator

from tests import factories
from tests.count_queries import CountQueries

URL = "/api/v1/segments"
DEFINITION = {"not": {"call": {"status": ["missed"], "within_days": 90}}}


def test_manager_keeps_segments(manager_api, manager):
    made = manager_api.post(URL, {"name": "Not missed", "definition": DEFINITION})
    assert made.status_code == 201
    row = made.json()
    assert row["sentence"] == "Contacts who had no missed call in the last 90 days."
    assert (row["definition"], row["created_by"]) == (DEFINITION, manager.pk)
    assert manager_api.get(URL).json()["results"] == [row]
    changed = manager_api.patch(f"{URL}/{row['id']}", {"definition": {"all": []}})
    assert changed.json()["sentence"] == "All contacts."
    assert manager_api.delete(f"{URL}/{row['id']}").status_code == 204


def test_invalid_definition_is_refused_with_its_place(manager_api):
    answer = manager_api.post(URL, {"name": "Wrong", "definition": {"any": [{"flag": {"type": ["vip"]}}]}})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["attr"], error["code"]) == (
        400, "definition.any.0.flag.type.0", "invalid_choice",
    )  # fmt: skip


def test_name_is_unique_within_the_company(manager_api, acme, globex):
    factories.SegmentFactory(company=acme, name="Denver")
    factories.SegmentFactory(company=globex, name="Aurora")
    body = {"definition": {"all": []}}
    [error] = manager_api.post(URL, body | {"name": "Denver"}).json()["errors"]
    assert (error["attr"], error["detail"]) == ("name", "Another segment has this name.")
    assert manager_api.post(URL, body | {"name": "Aurora"}).status_code == 201


def test_segment_that_a_campaign_uses_is_kept(manager_api, acme):
    segment = factories.SegmentFactory(company=acme)
    factories.CampaignFactory(company=acme, segment=segment)
    answer = manager_api.delete(f"{URL}/{segment.pk}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "in_use")


def test_tag_field_and_list_that_a_segment_uses_are_kept(manager_api, acme):
    tag, field, listed = (
        factory(company=acme)
        for factory in (factories.TagFactory, factories.ContactFieldFactory, factories.ContactListFactory)
    )
    for url, definition in (
        (f"/api/v1/tags/{tag.pk}", {"tag": {"ids": [tag.pk]}}),
        (f"/api/v1/contact-fields/{field.pk}", {"custom_field": {"key": field.key, "is_empty": True}}),
        (f"/api/v1/contact-lists/{listed.pk}", {"list": {"id": listed.pk}}),
    ):
        segment = factories.SegmentFactory(company=acme, definition={"all": [{"not": definition}]})
        [error] = manager_api.delete(f"{url}?confirm=1").json()["errors"]
        assert (error["code"], segment.name in error["detail"]) == ("in_use", True)
        assert manager_api.get(url).json().get("deleted_at") is None
        manager_api.delete(f"{URL}/{segment.pk}")
        assert manager_api.delete(url).status_code == 204


def test_sentences_of_a_page_take_one_statement_for_the_campaigns(csr_api, acme):
    counts = []
    for _ in range(2):
        for campaign in factories.CampaignFactory.create_batch(2, company=acme):
            factories.SegmentFactory(company=acme, definition={"campaign": {"id": campaign.pk}})
        csr_api.get(URL)
        with CountQueries() as queries:
            rows = csr_api.get(URL).json()["results"]
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert {row["sentence"] for row in rows} >= {f"Contacts who were in the campaign “{campaign.name}”."}


def test_schema_is_published(csr_api):
    schema = csr_api.get(f"{URL}/schema").json()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(DEFINITION)
