"""How the vendor writes what has no value, and times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.doctor.findings import Finding, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: The fields of a number that may have no value.
OPTIONAL = ("description", "displayName", "providerId", "incomingCallsAgentId")
TIMES = ("createdTime", "lastUpdateTime")
_NOTATIONS = {
    "whole seconds and Z": re.compile(r".{19}Z"),
    "fractions of a second and Z": re.compile(r".{19}\.[0-9]+Z"),
    "an offset": re.compile(r".{19}(\.[0-9]+)?[+-][0-9:]+"),
}


def form_of_answers(sample: Sequence[Mapping[str, Any]]) -> Finding:
    """Return it, as the first numbers show it. Any of these forms is read."""
    about = "form of answers"
    if not sample:
        return unknown(about, "there are no numbers to tell by")
    return Finding(about=about, seen=f"{_empty_fields(sample)}; {_times(sample)}")


def _empty_fields(sample: Iterable[Mapping[str, Any]]) -> str:
    fields = [(name in number, number.get(name)) for number in sample for name in OPTIONAL]
    ways = {
        "null": any(there and value is None for there, value in fields),
        "left out": any(not there for there, _ in fields),
    }
    seen = [way for way, was_seen in ways.items() if was_seen]
    return f"fields without a value are {' or '.join(seen)}" if seen else "all optional fields have a value"


def _times(sample: Iterable[Mapping[str, Any]]) -> str:
    times = [str(number[name]) for number in sample for name in TIMES if number.get(name)]
    ways = {
        next((way for way, pattern in _NOTATIONS.items() if pattern.fullmatch(time)), "another notation")
        for time in times
    }
    return f"times are written with {' or '.join(sorted(ways))}" if ways else "there are no times"
