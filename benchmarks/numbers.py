"""The phone numbers that the benchmark server has, as the vendor would write them."""

from __future__ import annotations

import json
from uuid import UUID

from airflow_provider_phonelink.api.dasha.endpoints import NUMBERS

__all__ = ["NUMBERS", "READY", "index_of", "number_id", "number_json"]

#: Where an HttpSensor can ask for one number: its trigger knows nothing but "404" and "not 404".
READY = "/ready"

_FIRST = 0x3C90C3CC_0D44_4B50_8888_000000000000
_ORGANISATION = "507f1f77-bcf8-4cd7-9943-9011abcdef01"
_CREDENTIALS = "7d2fba5e-5a0c-4f5b-a1f4-6d6f0a3f6f11"
_PROVIDER = "0b7cfa2a-7c1e-4ad3-9f0b-2f3d4c5b6a79"


def number_id(index: int) -> str:
    """Return the id of a number, by its place in the list."""
    return str(UUID(int=_FIRST + index))


def index_of(number_id: str) -> int:
    """Return the place of a number in the list."""
    return UUID(number_id).int - _FIRST


def number_json(index: int, state: str, agent: str | None, updated: int = 0) -> bytes:
    """Return one number with every field of the vendor's page; ``updated``: minutes after the usual moment."""
    moment = f"2025-11-{8 + updated // 1440 % 20:02}T{updated // 60 % 24:02}:{updated % 60:02}:02.912Z"
    document = {
        "id": number_id(index),
        "orgId": _ORGANISATION,
        "phoneNumber": f"+1555{index:07d}",
        "credentialsId": _CREDENTIALS,
        "createdTime": "2025-11-07T05:31:56.281Z",
        "lastUpdateTime": moment if updated else "2025-11-08T09:12:03.004Z",
        "registrationStatus": {
            "state": state,
            "errorDescription": None,
            "sipResponseMessage": "200 OK" if state == "Registered" else None,
            "lastUpdated": moment,
            "expiresAt": moment.replace("2025", "2095") if updated else None,
        },
        "description": f"Caller ID {index} of the autumn campaign",
        "displayName": f"Support line {index}",
        "registration": True,
        "providerId": _PROVIDER,
        "incomingCallsAgentId": agent,
    }
    return json.dumps(document).encode()
