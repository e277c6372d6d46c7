"""The provider's metadata, which Airflow reads without importing anything else of the provider."""

from __future__ import annotations

from typing import Any

from airflow_provider_phonelink import vendors
from airflow_provider_phonelink.vendors import Vendor, connection_field


def get_provider_info() -> dict[str, Any]:
    """Return the metadata, in the form of Airflow's ``provider.yaml`` schema."""
    return {
        "package-name": "airflow-provider-phonelink",
        "name": "Phonelink",
        "description": "Onboard, link, rotate, unlink and audit the phone numbers of voice agents.",
        "integrations": [
            {"integration-name": vendor.name, "external-doc-url": vendor.docs_url, "tags": ["service"]}
            for vendor in vendors.VENDORS
        ],
        "hooks": [_modules(vendor, vendor.hook.partition(":")[0]) for vendor in vendors.VENDORS],
        **{kind: _modules_of_all(kind) for kind in ("operators", "sensors", "triggers")},
        "extra-links": [
            "airflow_provider_phonelink.operators.console.NumberInConsoleLink",
            "airflow_provider_phonelink.operators.console.AgentInConsoleLink",
        ],
        "asset-uris": [{"schemes": ["phonelink"], "handler": "airflow_provider_phonelink.assets.normalise"}],
        "config": _CONFIG,
        "cli": ["airflow_provider_phonelink.cli.definition.airflow_commands"],
        "connection-types": [_connection_type(vendor) for vendor in vendors.VENDORS],
    }


_CONFIG = {
    "phonelink": {
        "description": "Settings of the provider for phone numbers of voice agents.",
        "options": {
            "asset_events": {
                "description": (
                    "Whether tasks that change a link have asset events for the number and the agents concerned."
                ),
                "version_added": "0.1.0",
                "type": "boolean",
                "example": None,
                "default": "True",
            },
            "page_connections": {
                "description": (
                    "Connections that the page of phone numbers shows besides those in Airflow's database and in the "
                    "environment of the API server: ids, separated by commas. For connections in a secrets backend, "
                    "which cannot list them."
                ),
                "version_added": "0.1.0",
                "type": "string",
                "example": "numbers_germany,numbers_france",
                "default": "",
            },
        },
    }
}


def _modules_of_all(kind: str) -> list[dict[str, Any]]:
    return [_modules(vendor, *vendor.modules[kind]) for vendor in vendors.VENDORS if kind in vendor.modules]


def _modules(vendor: Vendor, *modules: str) -> dict[str, Any]:
    return {"integration-name": vendor.name, "python-modules": list(modules)}


def _connection_type(vendor: Vendor) -> dict[str, Any]:
    return {
        "connection-type": vendor.key,
        "hook-class-name": vendor.hook.replace(":", "."),
        "hook-name": vendor.name,
        "ui-field-behaviour": {
            "hidden-fields": ["login"],
            "relabeling": {"password": "API key", "host": "Base URL", "schema": "Scheme"},
            "placeholders": {"host": vendor.base_url, "port": "443", "schema": "https"},
        },
        "conn-fields": {**_COMMON_FIELDS, **vendor.connection_fields},
    }


_COMMON_FIELDS = {
    "timeout": connection_field(
        "Timeout", "number", "Seconds a try may take. Default 10.", minimum=0.001, maximum=3600
    ),
    "total_timeout": connection_field(
        "Total timeout",
        "number",
        "Seconds a call may take with all its tries. Default 120.",
        minimum=0.001,
        maximum=86400,
    ),
    "max_retries": connection_field(
        "Retries", "integer", "Tries after the first one. Default 4.", minimum=0, maximum=100
    ),
    "max_failed_polls": connection_field(
        "Failed polls",
        "integer",
        "Failed polls in a row after which a wait gives up. Default 10.",
        minimum=1,
        maximum=100_000,
    ),
    "requests_per_second": connection_field(
        "Requests per second", "number", "At most. Empty for no limit.", minimum=0.001, maximum=10_000
    ),
    "verify_ssl": connection_field(
        "Verify TLS", "boolean", "Whether the certificate is verified. Default true.", default=True
    ),
    "ca_bundle": connection_field("CA bundle", "string", "File with the certificates to trust."),
    "proxy": connection_field("Proxy", "string", "URL of an HTTP proxy.", format="password"),
    "allow_http": connection_field(
        "Allow http", "boolean", "Allow plain http to other hosts than loopback.", default=False
    ),
    "console_url": connection_field(
        "Console URL",
        "string",
        "Base URL of the vendor's web console, for links; or a URL with {kind} and {id} in it.",
    ),
}
