"""Gather the body of an answer: bounded in size and time, and bounded while it is unpacked."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

from airflow_provider_phonelink.api.errors import BodyError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes of an unpacked body. The largest sound answer, a thousand numbers with texts of full length, has about 5 MiB.
LARGEST_BODY = 16 * 1024 * 1024
#: Objects and arrays, and commas, in a body. Fifty thousand numbers, with all their fields, stay below both.
MOST_CONTAINERS, MOST_COMMAS = 200_000, 2_000_000
#: What requests ask for. Anything else is refused: codings on top of each other unpack without bound.
ACCEPTED_ENCODING = "gzip"
#: Bytes that are unpacked at a time.
_PIECE = 256 * 1024


def refuse_too_many_parts(body: bytes) -> None:
    """
    Refuse JSON that would take out of all proportion more memory once it is parsed.

    An empty object has three bytes as text and some two hundred in a parser. Counting characters costs next to
    nothing, and those in texts only make it stricter.

    :raises ValueError: If no sound answer has so many parts.
    """
    if body.count(b"{") + body.count(b"[") > MOST_CONTAINERS or body.count(b",") > MOST_COMMAS:
        raise ValueError("it has more parts than any sound answer")


class BodyCollector:
    """
    Gather a body as it arrives.

    :param seconds: How long it may take from now.
    :param headers: The answer's headers, with names in lower case.
    """

    def __init__(self, seconds: float, headers: Mapping[str, str]) -> None:
        self._deadline = time.monotonic() + seconds
        self._chunks: list[bytes] = []
        self._size = 0
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity", ACCEPTED_ENCODING):
            raise BodyError(f"the answer is packed as {encoding!r}, which was not asked for")
        self._unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding == ACCEPTED_ENCODING else None

    def add(self, chunk: bytes) -> None:
        """Take the next piece as it came over the wire; raises :class:`BodyError` when it is one too many."""
        if time.monotonic() > self._deadline:
            raise BodyError("the answer did not end in time")
        if self._unpacker is None:
            self._keep(chunk)
            return
        try:
            while chunk:
                self._keep(self._unpacker.decompress(chunk, _PIECE))
                chunk = self._unpacker.unconsumed_tail
        except zlib.error as error:
            raise BodyError(f"the answer cannot be unpacked: {error}") from None

    def body(self) -> bytes:
        """Return what came, once all of it has come."""
        if self._unpacker is not None and self._size and not self._unpacker.eof:
            raise BodyError("the packed answer is cut short")
        return b"".join(self._chunks)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > LARGEST_BODY:
            raise BodyError(f"the answer is longer than {LARGEST_BODY} bytes")
        self._chunks.append(piece)
