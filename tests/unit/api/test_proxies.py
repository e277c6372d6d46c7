from __future__ import annotations

import pytest

from airflow_provider_phonelink.api.proxies import is_loopback, proxy_of_the_environment

PROXIES = {"https": "http://proxy:3128", "http": "http://plain:3128"}


@pytest.mark.parametrize(
    ("address", "no", "proxy"),
    [
        ("https://vendor.example", "", "http://proxy:3128"),
        ("http://vendor.example", "", "http://plain:3128"),
        ("https://vendor.example", "*", None),
        ("https://vendor.example", "vendor.example", None),
        ("https://vendor.example", "VENDOR.example", None),
        ("https://api.vendor.example", "vendor.example", None),
        ("https://api.vendor.example", ".vendor.example", None),
        ("https://api.vendor.example", "*.vendor.example", None),
        ("https://notvendor.example", "vendor.example", "http://proxy:3128"),
        ("https://vendor.example:8443", "vendor.example:8443", None),
        ("https://vendor.example:8443", "vendor.example:443", "http://proxy:3128"),
        ("https://10.1.2.3", "10.0.0.0/8", None),
        ("https://11.1.2.3", "10.0.0.0/8", "http://proxy:3128"),
        ("https://10.1.2.3", "other.example, 10.1.2.3", None),
        ("https://[fd00::1]", "fd00::/8", None),
        ("https://vendor.example", "10.0.0.0/8", "http://proxy:3128"),
        ("https://vendor.example", "vendor.example:443", None),
        ("http://vendor.example", "vendor.example:80", None),
        ("http://vendor.example", "vendor.example:443", "http://plain:3128"),
        ("https://10.1.2.3", "10.1.2.3:443", None),
        ("https://10.1.2.3:8443", "10.1.2.3:443", "http://proxy:3128"),
        ("https://[fd00::1]:8443", "[fd00::1]:8443", None),
        ("https://[fd00::1]", "[fd00::1]", None),
        ("https://[fd00::1]:8443", "[fd00::1]:443", "http://proxy:3128"),
        ("https://vendor.example", "other.example vendor.example", None),
        ("https://vendor.example", " , ", "http://proxy:3128"),
        ("http://127.0.0.1:8765", "", None),
        ("http://127.8.8.8", "", None),
        ("https://localhost", "", None),
        ("http://[::1]:8765", "", None),
    ],
)
def test_the_environment_names_a_proxy_or_none(address, no, proxy) -> None:
    assert proxy_of_the_environment(address, {**PROXIES, "no": no}) == proxy


def test_all_proxy_is_for_what_has_none_of_its_own() -> None:
    assert proxy_of_the_environment("https://vendor.example", {"all": "proxy:3128"}) == "http://proxy:3128"
    assert proxy_of_the_environment("https://vendor.example", {}) is None


def test_the_environment_is_read(monkeypatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    assert proxy_of_the_environment("https://vendor.example") == "http://proxy:1"
    assert proxy_of_the_environment("https://10.9.9.9") is None


@pytest.mark.parametrize(
    ("host", "verdict"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("a", False)]
)
def test_loopback_is_this_machine(host, verdict) -> None:
    assert is_loopback(host) is verdict
