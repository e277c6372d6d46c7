"""A row for each of many numbers: how far it came, and why no further."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class NumberRow:
    """What became of one number."""

    #: As the vendor writes it, or as it was given.
    phone_number: str | None = None
    id: str | None = None
    #: The last step that is done, such as ``created`` or ``linked``; None if none is.
    step: str | None = None
    #: The state of its registration, as the vendor writes it.
    state: str | None = None
    #: Why it came no further; None if all that was wanted is done.
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the plain form."""
        return asdict(self)


#: The columns of a report.
ROW_COLUMNS = tuple(field.name for field in fields(NumberRow))
