"""
What the vendors do not document, as switches: each with the answers that are plausible.

The first value of each is the default. A client that is right under every value is right whatever the vendors do:

    @pytest.mark.parametrize(("name", "value"), Switches.alternatives())
    def test_it_under_every_answer(phonelink_sandbox, name, value):
        phonelink_sandbox.set(**{name: value})
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 1e9


def _choice(*values: Any, doc: str) -> Any:
    return field(default=values[0], metadata={"values": values, "doc": doc})


def _amount(default: float, *, least: float = 0.0, doc: str) -> Any:
    return field(default=default, metadata={"values": (), "least": least, "doc": doc})


@dataclass
class Switches:
    """How the stand-in behaves where the vendors' documentation is silent. Assignment checks the value."""

    write_answers: str = _choice(
        "body",
        "empty",
        "no_content",
        doc="Both vendors: what successful writes answer: a body, an empty 200, or 204.",
    )

    dasha_created_status: int = _choice(201, 200, doc="Status of a successful create.")
    dasha_duplicate_status: int = _choice(
        409, 400, 422, doc="Status when the pair (phoneNumber, credentialsId) is taken."
    )
    dasha_phone_filter: str = _choice(
        "exact", "substring", doc="How the list's `phoneNumber` filter compares."
    )
    dasha_linked_filter: str = _choice(
        "inbound", "inbound+outbound", doc="Which links `linkedAgentId` and `unlinkedOnly` look at."
    )
    dasha_outbound_literal: str = _choice(
        "outbound", "replaceOutbound", "callerId", doc="What `uses` calls an outbound link."
    )
    dasha_foreign_link_status: int = _choice(
        409, 400, 403, 404, 422, doc="Status when the phone number is linked inbound in another organisation."
    )
    dasha_inbound_uniqueness: str = _choice(
        "other_organisations",
        "everywhere",
        doc="Whether the same phone number under other credentials of the same organisation blocks a link, too.",
    )
    dasha_unlink_agent_id: str = _choice(
        "ignored",
        "refused",
        "respected",
        doc="What an inbound unlink does with the id of an agent that is not the linked one: take the number "
        "from whoever has it, answer 409, or change nothing and answer 200.",
    )
    dasha_unlinked_again_status: int = _choice(200, 404, doc="Status of an unlink where there is no link.")
    dasha_unknown_agent: str = _choice(
        "accept",
        "refuse",
        doc="Whether an agent id the sandbox has not been told of may be linked, or is 404.",
    )
    dasha_delete_answer: str = _choice(
        "no_content", "empty", "number", doc="What a successful delete of a number answers."
    )
    dasha_null_fields: str = _choice(
        "null", "omitted", doc="Whether optional fields without a value are null or left out."
    )
    dasha_timestamps: str = _choice(
        "seconds", "seven_digits", "offset", doc="How times are written: ...56Z, ...56.1234567Z, ...56+00:00."
    )
    dasha_active_literal: str = _choice(
        "Registered", "Active", doc="The state of a number that is registered."
    )
    dasha_waiting_literal: str = _choice(
        "Registering", "Pending", "Unregistered", doc="The state of a number until it is registered."
    )
    dasha_registration_seconds: float = _amount(2.0, doc="How long a registration takes.")
    dasha_registration_lifetime: float = _amount(3600.0, least=0.001, doc="How far ahead `expiresAt` lies.")

    callingbox_attach_body_key: str = _choice(
        "number_id", "numberId", "id", doc="The key of the attach body; any other is answered with 400."
    )
    callingbox_primary_body_key: str = _choice(
        "number_id",
        "primary_number_id",
        "numberId",
        "id",
        doc="The key of the set-primary body; any other is answered with 400.",
    )
    callingbox_foreign_attach_status: int = _choice(
        400, 409, doc="Status when the number is attached to a different inbound agent."
    )
    callingbox_attached_again_status: int = _choice(
        200, 400, 409, doc="Status of an attach where the agent has the number already."
    )
    callingbox_detached_again_status: int = _choice(
        404, 200, doc="Status of a detach where the agent does not have the number."
    )
    callingbox_numbers_shape: str = _choice(
        "array", "data", "data_has_more", doc="GET /v1/numbers: bare array, {data}, or {data, has_more}."
    )
    callingbox_first_number: str = _choice(
        "primary", "plain", doc="Whether the first number attached becomes the agent's primary one."
    )
    callingbox_detached_primary: str = _choice(
        "null", "next", doc="What becomes primary when the primary number is detached."
    )
    callingbox_error_shape: str = _choice(
        "text", "object", doc='{"error": "text"} or {"error": {"message": "text"}}.'
    )
    callingbox_sparse: bool = _choice(
        False, True, doc="Answers carry next to nothing: agents id, name, type; numbers id, e164."
    )
    callingbox_page_size: float = _amount(
        0.0, doc="With shape data_has_more: how many numbers fit on the page (0: all of them)."
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
