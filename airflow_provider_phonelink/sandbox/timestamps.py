"""How the vendors write times."""

from __future__ import annotations

from datetime import datetime, timezone


def timestamp(seconds: float, style: str = "seconds") -> str:
    """Return a time in one of the notations of the switch `dasha_timestamps`."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    text = moment.isoformat(timespec="seconds").removesuffix("+00:00")
    if style == "seven_digits":
        # .NET counts in units of 100 ns, one digit finer than Python.
        return f"{text}.{moment.microsecond:06d}0Z"
    return f"{text}+00:00" if style == "offset" else f"{text}Z"
