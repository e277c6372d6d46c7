from __future__ import annotations

import os
from pathlib import Path

import pytest
from unit.api.carrying import dasha_settings

from airflow_provider_phonelink.api import clients, errors
from airflow_provider_phonelink.api.senders import AsyncSender, Sender


def test_a_tls_context_is_made_once_for_the_same_settings() -> None:
    verified, unverified = dasha_settings(), dasha_settings(verify_ssl=False)
    assert clients.tls_context(verified) is clients.tls_context(verified)
    assert clients.tls_context(verified) is not clients.tls_context(unverified)


def test_a_renewed_ca_bundle_is_used_by_the_next_client(tmp_path) -> None:
    import certifi

    bundle = tmp_path / "bundle.pem"
    bundle.write_text(Path(certifi.where()).read_text())
    settings = dasha_settings(ca_bundle=str(bundle))
    first = clients.tls_context(settings)
    bundle.write_text(Path(certifi.where()).read_text() + "\n# renewed\n")
    assert clients.tls_context(settings) is not first


@pytest.mark.parametrize("kind", [Sender, AsyncSender])
def test_a_ca_bundle_that_is_a_pipe_is_refused_and_not_waited_for(kind, tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(errors.ConfigurationError, match=r"`ca_bundle` cannot be used .*not a regular file"):
        kind(dasha_settings(ca_bundle=str(tmp_path / "pipe"), source="Here"))


def test_unverified_tls_is_warned_of_once_a_process(caplog) -> None:
    clients._warn_of_no_verification.cache_clear()
    for _ in range(3):
        Sender(dasha_settings(verify_ssl=False, source="Connection 'x'")).close()
    assert [record.getMessage()[:38] for record in caplog.records] == [
        "Connection 'x' has `verify_ssl` off: w"
    ]


@pytest.mark.parametrize("kind", [Sender, AsyncSender])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_ca_bundle_is_named(kind, tmp_path, content) -> None:
    bundle = tmp_path / "bundle.pem"
    if content:
        bundle.write_text(content)
    with pytest.raises(errors.ConfigurationError, match=r"^Here: .*`ca_bundle`.*Nothing was sent\."):
        kind(dasha_settings(ca_bundle=str(bundle), source="Here"))


@pytest.mark.parametrize("kind", [Sender, AsyncSender])
def test_an_unusable_file_of_the_environment_is_not_called_the_connections(
    kind, tmp_path, monkeypatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    clients._cached_ssl_context.cache_clear()
    with pytest.raises(errors.ConfigurationError, match=r"^Here: SSL_CERT_FILE cannot be used") as caught:
        kind(dasha_settings(source="Here"))
    assert "ca_bundle" not in str(caught.value)


def test_certificates_are_verified_unless_the_connection_says_otherwise() -> None:
    assert clients.options_of(dasha_settings())["verify"].check_hostname
    assert not clients.options_of(dasha_settings(verify_ssl=False))["verify"].check_hostname


def test_a_ca_bundle_replaces_the_usual_certificates() -> None:
    import certifi

    options = clients.options_of(dasha_settings(ca_bundle=certifi.where()))
    assert options["verify"].get_ca_certs()
