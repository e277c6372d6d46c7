"""Which texts are uuids. Standard library only: DAG files that name an asset import this."""

from __future__ import annotations

import re

_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Return whether a text has the form of a uuid, in whatever case."""
    return _FORM.fullmatch(text) is not None
