"""Which texts are uuids. Standard library only: DAG files that name an asset import this."""

from __future__ import annotations

import re

PATTERN = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
_FORM = re.compile(PATTERN)


def is_uuid(text: str) -> bool:
    """Return whether a text has the form of a uuid, in whatever case."""
    return _FORM.fullmatch(text) is not None


def plain_id(text: str) -> str:
    """Return an id in the form in which it can be compared: a uuid in lower case, another one as it is."""
    return text.lower() if is_uuid(text) else text
