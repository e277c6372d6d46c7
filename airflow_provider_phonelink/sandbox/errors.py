"""The error bodies of both vendors."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow_provider_phonelink.sandbox.access import DASHA

if TYPE_CHECKING:
    from airflow_provider_phonelink.sandbox.switches import Switches

PROBLEM = "application/problem+json"
JSON = "application/json"


def error_body(vendor: str, status: int, detail: str, path: str, switches: Switches) -> tuple[bytes, str]:
    """Return the body of an error, and its media type, as the vendor would write them."""
    if vendor == DASHA:
        return json.dumps(_problem(status, detail, path)).encode(), PROBLEM
    error = {"message": detail} if switches.callingbox_error_shape == "object" else detail
    return json.dumps({"error": error}).encode(), JSON


def phrase(status: int) -> str:
    """Return what a status is called."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _problem(status: int, detail: str, path: str) -> dict[str, object]:
    return {
        "type": f"https://httpstatuses.io/{status}",
        "title": phrase(status),
        "status": status,
        "detail": detail,
        "instance": path,
    }
