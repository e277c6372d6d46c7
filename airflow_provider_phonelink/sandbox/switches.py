"""
What the vendors do not document, as switches: each with the answers that are plausible.

The first value of each is the default. A client that is right under every value is right whatever the vendors do:

    @pytest.mark.parametrize(("name", "value"), Switches.alternatives())
    def test_it_under_every_answer(phonelink_sandbox, name, value):
        phonelink_sandbox.set(**{name: value})
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.sandbox.world import choice, stand_ins

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 1e9


# The later of two bases comes first in the list of switches.
_OfVendors: Any = type("_OfVendors", tuple(v.switches for v in reversed(stand_ins().values())), {})


@dataclass
class Switches(_OfVendors):  # type: ignore[misc]
    """How the stand-in behaves where the vendors' documentation is silent. Assignment checks the value."""

    write_answers: str = choice(
        "body",
        "empty",
        "no_content",
        doc="All vendors: what successful writes answer: a body, an empty 200, or 204.",
    )
    date_header: str = choice(
        "sent", "none", doc="Whether answers have a `Date`, which is the sandbox's time."
    )
    rate_limit_headers: str = choice(
        "none", "x-ratelimit", "ratelimit", doc="What headers on a rate limit begin with, if there are any."
    )

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a switch, if the value is one of its plausible ones."""
        object.__setattr__(self, name, self._checked(name, value))

    @classmethod
    def alternatives(cls) -> list[tuple[str, Any]]:
        """Return (name, value) for every value that is not the default."""
        return [(name, value) for name, values in cls.choices().items() for value in values[1:]]

    @classmethod
    def choices(cls) -> dict[str, tuple[Any, ...]]:
        """Return the plausible values of each switch that has a fixed set of them, the default first."""
        return {f.name: f.metadata["values"] for f in fields(cls) if f.metadata["values"]}

    @classmethod
    def describe(cls) -> dict[str, str]:
        """Return what each switch decides."""
        return {f.name: f.metadata["doc"] for f in fields(cls)}

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON schema of an object that sets switches."""
        properties = {f.name: {"description": f.metadata["doc"], **_schema(f.metadata)} for f in fields(cls)}
        return {"type": "object", "properties": properties, "additionalProperties": False}

    @classmethod
    def parse(cls, assignment: str) -> tuple[str, Any]:
        """Read `name=value` as given on the command line."""
        name, sign, text = assignment.partition("=")
        if not sign:
            raise ValueError(f"{assignment!r} is not of the form switch=value")
        values = cls._metadata(name)["values"]
        for value in values:
            if str(value).lower() == text.lower():
                return name, value
        return name, cls._checked(name, text if values else _to_float(name, text))

    def update(self, **settings: Any) -> None:
        """Set several switches, all of them or, if one is wrong, none."""
        for name, value in settings.items():
            self._checked(name, value)
        for name, value in settings.items():
            setattr(self, name, value)

    @classmethod
    def _metadata(cls, name: str) -> Mapping[str, Any]:
        for f in fields(cls):
            if f.name == name:
                return f.metadata
        raise ValueError(f"there is no switch {name!r}; there are: {', '.join(cls.describe())}")

    @classmethod
    def _checked(cls, name: str, value: Any) -> Any:
        metadata = cls._metadata(name)
        values = metadata["values"]
        if not values:
            return _at_least(metadata["least"], name, value)
        for known in values:
            # True == 1, but a switch that is a yes or no takes no number, nor the other way round.
            if known == value and isinstance(value, bool) == isinstance(known, bool):
                return known
        raise ValueError(f"{name} cannot be {value!r}; plausible are: {', '.join(map(repr, values))}")


def _schema(metadata: Mapping[str, Any]) -> dict[str, Any]:
    if metadata["values"]:
        return {"enum": list(metadata["values"])}
    return {"type": "number", "minimum": metadata["least"], "maximum": MOST}


def _to_float(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {text!r}") from None


def _at_least(least: float, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= MOST:
        raise ValueError(f"{name} must be a number from {least:g} to {MOST:g}, not {value!r}")
    return float(value)
