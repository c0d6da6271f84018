"""The strategies of a sweep in a form that goes to other processes and machines."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spetrace.errors import UsageError
from spetrace.replay import strategy_guide
from spetrace.replay.semantics import SEMANTICS_VERSION
from spetrace.replay.strategies import STRATEGIES
from spetrace.replay.strategy import Strategy

_DIGITS = 12


@dataclass(frozen=True)
class StrategySource:
    """A list of names and the text of strategy files."""

    names: str = "all"
    files: tuple[tuple[str, str], ...] = ()
    """(file name, text)."""

    def load(self) -> list[type[Strategy]]:
        """The strategies, in the order of reports."""
        with tempfile.TemporaryDirectory(prefix="spetrace-") as folder:
            paths = []
            for number, (name, text) in enumerate(self.files):
                path = Path(folder) / str(number) / name
                path.parent.mkdir()
                path.write_text(text, encoding="utf-8")
                paths.append(path)
            return strategy_guide.choose(self.names, paths)

    def versions(self) -> dict[str, str]:
        """Per strategy, in the order of reports, what its results depend on beside the replay's own
        semantics: for a strategy from a file the file's text.
        """
        built_in = {strategy.name for strategy in STRATEGIES}
        texts = "".join(text for _name, text in self.files)
        own = hashlib.sha256(texts.encode()).hexdigest()[:_DIGITS]
        return {s.name: str(SEMANTICS_VERSION) if s.name in built_in else own for s in self.load()}


def read_strategies(names: str, files: Sequence[Path]) -> StrategySource:
    """The strategies of a list of names and of files; raises UsageError as `choose` does."""
    strategy_guide.choose(names, files)
    return StrategySource(names, tuple((path.name, _text(path)) for path in files))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: the strategy file can't be read: {error}") from error
