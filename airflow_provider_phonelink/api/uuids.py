"""Which texts are uuids. Standard library only: DAG files that name an asset import this."""

from __future__ import annotations

import re

_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Return whether a text has the form of a uuid, in whatever case."""
    return _FORM.fullmatch(text) is not None


def plain_id(text: str) -> str:
    """Return an id in the form in which it can be compared: a uuid in lower case, another one as it is."""
    return text.lower() if is_uuid(text) else text


def same_id(first: str, second: str) -> bool:
    """Return whether two ids are the same: uuids regardless of case, others exactly."""
    return first == second or plain_id(first) == plain_id(second)
