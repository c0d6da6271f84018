"""A bounds-checked reader of integers and strings in a byte buffer."""

from __future__ import annotations

import struct

from spetrace.errors import InputError


class Cursor:
    """A position in `data[:end]`; every read that would pass the end raises InputError.

    `structure` names what is being read, for messages; `order` is "<" or ">"; `base` is added to
    positions in messages, for a buffer that is a part of a file.
    """

    def __init__(
        self,
        data: memoryview,
        structure: str,
        offset: int = 0,
        end: int | None = None,
        order: str = "<",
        base: int = 0,
    ) -> None:
        self.data = data
        self.structure = structure
        self.offset = offset
        self.end = len(data) if end is None else min(end, len(data))
        self.order = order
        self.base = base

    @property
    def left(self) -> int:
        """Bytes between the position and the end."""
        return self.end - self.offset

    def error(self, cause: str) -> InputError:
        """An InputError at the position."""
        return InputError(self.structure, cause, offset=self.base + self.offset)

    def unpack(self, format_: str) -> tuple[int, ...]:
        """Read struct fields (without the byte order) and step over them."""
        layout = struct.Struct(self.order + format_)
        self._need(layout.size)
        values = layout.unpack_from(self.data, self.offset)
        self.offset += layout.size
        return values

    def u8(self) -> int:
        """Read one byte."""
        return self.unpack("B")[0]

    def u16(self) -> int:
        """Read a 16-bit integer."""
        return self.unpack("H")[0]

    def u32(self) -> int:
        """Read a 32-bit integer."""
        return self.unpack("I")[0]

    def u64(self) -> int:
        """Read a 64-bit integer."""
        return self.unpack("Q")[0]

    def take(self, count: int) -> memoryview:
        """Read `count` bytes."""
        self._need(count)
        piece = self.data[self.offset : self.offset + count]
        self.offset += count
        return piece

    def c_string(self, limit: int = 1 << 16) -> str:
        """Read up to and with the next NUL byte."""
        window = bytes(self.data[self.offset : min(self.end, self.offset + limit)])
        length = window.find(b"\0")
        if length < 0:
            raise self.error(f"no NUL ends the string in {len(window)} bytes")
        self.offset += length + 1
        return window[:length].decode("utf-8", "replace")

    def _need(self, count: int) -> None:
        if count < 0 or self.left < count:
            raise self.error(f"needs {count} bytes, {max(self.left, 0)} are left")
