"""Pages of errors: each says what to do next, in the product's look, and needs no database."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from tests import factories


def check_look(response):
    html = response.content.decode()
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", html)
    files = re.findall(r'(?:href|src)="/static/([^"]+)"', html)
    assert {"crm/icon.svg", "crm/error.css"} <= set(files)
    assert all(finders.find(file) for file in files)
    assert re.search(r'<a [^>]*href="/admin/"', html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def test_missing_page_offers_a_search(client):
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert "There is no such page" in check_look(response)
    assert f'action="{reverse("admin:search")}"' in response.content.decode()


def test_missing_row_of_the_admin_leads_back_with_a_message(client, staff):
    client.force_login(staff)
    response = client.get("/admin/crm/contact/999999/change/", follow=True)
    assert response.redirect_chain[0][0] == "/admin/"
    assert "doesn’t exist" in response.content.decode()


def test_forbidden_page_says_whom_to_ask(client, db):
    client.force_login(factories.UserFactory(company=None, role="", is_staff=True))
    response = client.get("/admin/crm/contact/")
    assert response.status_code == 403
    assert "Ask the person who manages the staff’s users" in check_look(response)


def test_form_without_its_token_says_that_nothing_was_changed(staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    response = client.post("/admin/crm/company/add/", {"name": "Acme"})
    assert response.status_code == 403
    assert "Go back, load the page again, and send the form once more." in check_look(response)


def test_invalid_request_of_a_browser_gets_a_page(client):
    response = client.get("/admin/", headers={"Host": "elsewhere.example"})
    assert response.status_code == 400
    assert "This request isn’t valid" in check_look(response)


def test_too_many_sign_ins_say_how_long_to_wait(client, staff, settings):
    settings.AXES_FAILURE_LIMIT = 2
    for _ in range(3):
        response = client.post("/admin/login/", {"username": staff.username, "password": "wrong"})
    assert response.status_code == 429
    assert f"Try again in {response['Retry-After']} seconds" in check_look(response)


def test_failure_says_that_it_was_recorded(client, staff, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("unexpected")

    client.force_login(staff)
    client.raise_request_exception = False
    monkeypatch.setattr("ops.admin_site.make_home", fail)
    response = client.get("/admin/")
    assert response.status_code == 500
    assert "The error was recorded" in check_look(response)


@pytest.mark.parametrize("path", ["/nowhere", "/admin/login/"])
def test_pages_of_errors_and_the_sign_in_have_the_icon(path, client, db):
    assert b'rel="icon" href="/static/crm/icon.svg"' in client.get(path).content


def test_browsers_find_the_icon_without_a_link(client):
    assert client.get("/favicon.ico").url == "/static/crm/icon.svg"
