"""What compares and is true or false as arrays of numpy and tables of pandas are, without these libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Array:
    """An array with one dimension: it compares item by item, and only one with a single item is true or false."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = list(items)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __getitem__(self, at: int) -> Any:
        return self._items[at]

    def __bool__(self) -> bool:
        if len(self._items) == 1:
            return bool(self._items[0])
        raise ValueError("The truth value of an array with more than one element is ambiguous.")

    def __eq__(self, other: object) -> Any:
        return Array([item == other for item in self._items])

    def __ne__(self, other: object) -> Any:
        return Array([item != other for item in self._items])


class Scalar:
    """An array without dimensions: it has the methods of a list, and each of them fails."""

    def __len__(self) -> int:
        raise TypeError("len() of unsized object")

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("iteration over a 0-d array")


class Missing:
    """A value that is not known, as ``pandas.NA``: nothing that it is compared with is equal, or not."""

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    def __eq__(self, other: object) -> Any:
        return self

    def __ne__(self, other: object) -> Any:
        return self


class Table:
    """A table: it has the names of its columns as items, and is neither true nor false."""

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[str]:
        return iter(("number", "agent_id"))

    def items(self) -> Iterable[tuple[str, Any]]:
        return [("number", Array("ab")), ("agent_id", Array("cd"))]

    def __bool__(self) -> bool:
        raise ValueError("The truth value of a DataFrame is ambiguous.")

    def __eq__(self, other: object) -> Any:
        return Table()
