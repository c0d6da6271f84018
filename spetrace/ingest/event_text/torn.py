"""Torn lines of trace_pipe: the start of one event, cut, with a whole line straight after it.

Measured: a reader that falls behind gets about one in fifty lines so (Linux 6.12).
"""

from __future__ import annotations

import polars as pl

_PREFIX = r"-[0-9]{1,10} +(?:\([ 0-9-]{7}\) +)?\[[0-9]{3,}\] *(?:[^ 0-9][^ ]{3,4} +)?[0-9]+(?:\.[0-9]{6})?: \w+: "
_TWO_LINES = rf"-[0-9]+ +\[[0-9]{{3,}}\].*.{{16}}{_PREFIX}"
_MARKER = r"^.{17}[^:]+: (?:tracing_mark_write|print): "
_WHOLE = rf"^.+(.{{16}}{_PREFIX}.*)$"
"""The name before a PID is padded to 16 columns."""


def mend(lines: pl.Series, is_event: pl.Series) -> tuple[pl.Series, int]:
    """The lines with the torn starts left out, and how many there were.

    A text that was written to the log (a marker) may quote other lines and is left as it is.
    """
    late = lines.str.contains(_WHOLE)
    if not late.any():
        return lines, 0
    double = lines.str.contains(_TWO_LINES) & ~lines.str.contains(_MARKER)
    torn = late & (double | ~is_event)
    whole = pl.when(torn).then(lines.str.extract(_WHOLE)).otherwise(lines)
    return pl.select(whole.alias(lines.name)).to_series(), int(torn.sum())
