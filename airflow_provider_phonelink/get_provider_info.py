"""The provider's metadata: what Airflow reads without importing anything else of the provider."""

from __future__ import annotations

from typing import Any

_DASHA = "Dasha BlackBox"
_CALLINGBOX = "CallingBox"


def get_provider_info() -> dict[str, Any]:
    """Return the metadata, in the form of Airflow's ``provider.yaml`` schema."""
    return {
        "package-name": "airflow-provider-phonelink",
        "name": "Phonelink",
        "description": "Onboard, link, rotate and take away the phone numbers of voice agents.",
        "integrations": [
            {"integration-name": _DASHA, "external-doc-url": "https://docs.dasha.ai", "tags": ["service"]},
            {
                "integration-name": _CALLINGBOX,
                "external-doc-url": "https://docs.callingbox.io",
                "tags": ["service"],
            },
        ],
        "hooks": [
            _modules(_DASHA, "hooks.dasha"),
            _modules(_CALLINGBOX, "hooks.callingbox"),
        ],
        "operators": [
            _modules(_DASHA, "operators.dasha"),
            _modules(_CALLINGBOX, "operators.callingbox"),
        ],
        "sensors": [_modules(_DASHA, "sensors.dasha")],
        "triggers": [_modules(_DASHA, "triggers.dasha")],
        "extra-links": [
            "airflow_provider_phonelink.operators.console.NumberInConsoleLink",
            "airflow_provider_phonelink.operators.console.AgentInConsoleLink",
        ],
        "asset-uris": [{"schemes": ["phonelink"], "handler": "airflow_provider_phonelink.assets.normalise"}],
        "config": _CONFIG,
        "cli": ["airflow_provider_phonelink.cli.definition.airflow_commands"],
        "connection-types": [
            {
                "connection-type": "dasha",
                "hook-class-name": "airflow_provider_phonelink.hooks.dasha.DashaHook",
                "hook-name": _DASHA,
                "ui-field-behaviour": _form("https://blackbox.dasha.ai"),
                "conn-fields": {**_COMMON_FIELDS, **_DASHA_FIELDS},
            },
            {
                "connection-type": "callingbox",
                "hook-class-name": "airflow_provider_phonelink.hooks.callingbox.CallingBoxHook",
                "hook-name": _CALLINGBOX,
                "ui-field-behaviour": _form("https://api.callingbox.io"),
                "conn-fields": {**_COMMON_FIELDS, **_CALLINGBOX_FIELDS},
            },
        ],
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
            }
        },
    }
}


def _modules(integration: str, *modules: str) -> dict[str, Any]:
    return {
        "integration-name": integration,
        "python-modules": [f"airflow_provider_phonelink.{module}" for module in modules],
    }


def _form(base_url: str) -> dict[str, Any]:
    return {
        "hidden-fields": ["login"],
        "relabeling": {"password": "API key", "host": "Base URL", "schema": "Scheme"},
        "placeholders": {"host": base_url, "port": "443", "schema": "https"},
    }


def _field(label: str, kind: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": [kind, "null"], **schema}}


_COMMON_FIELDS = {
    "timeout": _field(
        "Timeout", "number", "Seconds a try may take. Default 10.", minimum=0.001, maximum=3600
    ),
    "total_timeout": _field(
        "Total timeout",
        "number",
        "Seconds a call may take with all its tries. Default 120.",
        minimum=0.001,
        maximum=86400,
    ),
    "max_retries": _field(
        "Retries", "integer", "Tries after the first one. Default 4.", minimum=0, maximum=100
    ),
    "max_failed_polls": _field(
        "Failed polls",
        "integer",
        "Failed polls in a row after which a wait gives up. Default 10.",
        minimum=1,
        maximum=100_000,
    ),
    "requests_per_second": _field(
        "Requests per second", "number", "At most. Empty for no limit.", minimum=0.001, maximum=10_000
    ),
    "verify_ssl": _field(
        "Verify TLS", "boolean", "Whether the certificate is verified. Default true.", default=True
    ),
    "ca_bundle": _field("CA bundle", "string", "File with the certificates to trust."),
    "proxy": _field("Proxy", "string", "URL of an HTTP proxy.", format="password"),
    "allow_http": _field(
        "Allow http", "boolean", "Allow plain http to other hosts than loopback.", default=False
    ),
    "console_url": _field(
        "Console URL",
        "string",
        "Base URL of the vendor's web console, for links; or a URL with {kind} and {id} in it.",
    ),
}

_DASHA_FIELDS = {
    "active_states": _field(
        "Active states", "string", "Registration states that count as active. Default: Registered, Active."
    ),
    "failed_states": _field(
        "Failed states",
        "string",
        "Registration states that count as failed. Default: Failed, Error, Rejected.",
    ),
    "check_expiry": _field(
        "Check expiry", "boolean", "Whether an active state counts only until it expires.", default=True
    ),
}

_CALLINGBOX_FIELDS = {
    "attach_body_key": _field(
        "Attach body key", "string", "Field that carries the number's id when attaching. Default: number_id."
    ),
}
