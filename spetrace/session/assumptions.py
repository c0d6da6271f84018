"""The list of what was assumed: one line per choice that neither files nor user settled."""

from __future__ import annotations

from spetrace.tables.session import Assumption


class Assumptions:
    """Assumptions in the order in which they were made, each name and text once."""

    def __init__(self) -> None:
        self.made: list[Assumption] = []

    def add(self, name: str, value: object, text: str) -> None:
        """Note that `name` (a flag or a key of session.toml) was taken to be `value`."""
        assumption = Assumption(name, str(value), text)
        if assumption not in self.made:
            self.made.append(assumption)
