"""
What a sandbox starts with: a JSON document with a part for each vendor.

    {"dasha": {"numbers": [...]}, "callingbox": {"numbers": [...]}}

Everything may be left out. What a part can say stands in the vendor's folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_phonelink.sandbox.world import known, stand_ins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_phonelink.sandbox.world import World

DEMO: dict[str, Any] = {key: vendor.demo for key, vendor in stand_ins().items()}

#: No seed is nested so deeply.
DEEPEST = 20

REGISTERED = [{"after": 0, "state": "Registered"}]
"""The steps of a number that is registered from the beginning."""


def load(source: str | Path) -> dict[str, Any]:
    """Return the seed called `demo`, or the one in a JSON file."""
    if source == "demo":
        return DEMO
    try:
        document = json.loads(Path(source).read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("the seed is nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("a seed is a JSON object")  # noqa: TRY004 - the caller's file is wrong, not a type
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [
            inner
            for value in level
            if isinstance(value, (dict, list))
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    if level:  # Python can read deeper values than it can copy
        raise ValueError("the seed is nested too deeply")
    return document


def plant(world: World, seed: Mapping[str, Any]) -> None:
    """Put a seed into a world, in addition to what is there: the whole of it or, if it is wrong, nothing."""
    known("seed", seed, set(stand_ins()))
    with world.lock:
        undo = [world.account(key).snapshot() for key in stand_ins()]
        try:
            for key, vendor in stand_ins().items():
                vendor.plant(world, seed.get(key, {}))
        except Exception:
            for restore in undo:
                restore()
            raise
