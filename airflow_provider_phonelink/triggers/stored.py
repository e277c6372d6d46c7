"""
Trigger arguments on their way through Airflow's database.

Airflow writes a trigger's arguments into a row and makes the trigger from them again, in another process and perhaps
with another version of this provider. Numbers, texts, None and lists of them come back as they were on every Airflow;
dicts, tuples and sets do not, so no trigger stores any of them.
"""

from __future__ import annotations

from typing import Any

#: The two keys that Airflow wraps a dict, tuple or set in. Airflow 3.2 hands the wrapper back under the enum's names.
_WRAPPERS = (("__var", "__type"), ("Encoding.VAR", "Encoding.TYPE"))


def restored(value: Any) -> Any:
    """
    Return an argument as it was before Airflow stored it.

    Rows that earlier versions of this provider wrote have dicts in them, which Airflow 3.2 does not unwrap.

    :param value: What Airflow hands to a trigger's constructor.
    """
    if isinstance(value, list):
        return [restored(item) for item in value]
    if not isinstance(value, dict):
        return value
    for content, kind in _WRAPPERS:
        if value.keys() == {content, kind}:
            return restored(value[content])
    return {key: restored(item) for key, item in value.items()}


def from_pairs(value: Any) -> Any:
    """Return the dict that :func:`to_pairs` took apart; anything else as it is."""
    if isinstance(value, list) and all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    ):
        return dict(value)
    return value


def to_pairs(value: Any) -> Any:
    """
    Return a dict as a list of pairs, in the same order at every parse; anything else as it is.

    Airflow replaces the row of a watcher's trigger, and with it forgets what it watched, when the arguments differ.
    """
    return sorted([key, item] for key, item in value.items()) if isinstance(value, dict) else value


def as_list(value: Any) -> Any:
    """Return a tuple as a list, and a set as a sorted one, for its order differs from process to process."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return list(value) if isinstance(value, tuple) else value
