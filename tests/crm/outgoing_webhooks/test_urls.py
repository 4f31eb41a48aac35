"""URLs of outgoing webhooks: public addresses only, also at the moment of the connection."""

import ipaddress
import socket

import pytest

from crm import public_http
from crm.public_http import Answer, RequestFailed, is_allowed, post, resolve
from tests.crm.outgoing_webhooks.receiver import Receiver

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "2002:7f00:1::", "ff02::1", "fec0::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_address_is_refused(address):
    assert not is_allowed(ipaddress.ip_address(address), [])


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_address_is_allowed(address):
    assert is_allowed(ipaddress.ip_address(address), [])


def answers(*addresses):
    def look_up(*_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    return look_up


def test_name_is_resolved_once_and_its_checked_address_connected_to(monkeypatch):
    monkeypatch.setattr(public_http, "getaddrinfo", answers("10.0.0.1", "93.184.215.14"))
    assert resolve("hooks.example.com", 443, []) == "93.184.215.14"
    monkeypatch.setattr(public_http, "getaddrinfo", answers("10.0.0.1"))
    with pytest.raises(RequestFailed, match="no public address"):
        resolve("hooks.example.com", 443, [])


def test_name_that_leads_to_loopback_gets_no_connection(monkeypatch):
    with Receiver() as receiver:
        monkeypatch.setattr(public_http, "getaddrinfo", answers("127.0.0.1"))
        with pytest.raises(RequestFailed, match="no public address"):
            post(receiver.url.replace("127.0.0.1", "hooks.example.com"), headers={}, body=b"{}")
        assert receiver.received == []


def test_receiver_says_when_to_try_again_in_any_case_of_letters(settings):
    settings.OUTGOING_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as receiver:
        receiver.status, receiver.headers = 429, {"Retry-After": "120"}
        assert post(receiver.url, headers={}, body=b"{}") == Answer(429, "120")


def test_url_that_no_client_can_use_is_a_failed_request():
    with pytest.raises(RequestFailed):
        post("https://1.2.3.999/", headers={}, body=b"{}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook", "https://127.0.0.1/hook", "https://[::1]/hook", "https://169.254.169.254/latest",
        "https://user:pass@example.com", "https://example.com/#part", "ftp://example.com", "example.com", "https://",
        "https://localhost/hook", "https://example.com:99999/", "https://exämple.com/",
    ],
)  # fmt: skip
def test_unsafe_url_is_refused_by_field(url, manager_api):
    response = manager_api.post("/api/v1/outgoing-webhooks", {"name": "Shop", "url": url, "resources": ["contacts"]})
    assert (response.status_code, response.json()["errors"][0]["attr"]) == (400, "url")


@pytest.mark.django_db
def test_company_has_twenty_webhooks_at_most(manager_api):
    body = {"name": "Shop", "url": "https://example.com/hook", "resources": ["contacts"]}
    statuses = [manager_api.post("/api/v1/outgoing-webhooks", body).status_code for _ in range(21)]
    assert statuses == [201] * 20 + [409]
