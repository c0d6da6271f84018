"""How the name=value pairs of one kind of event become columns, by what all chunks of a text hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from spetrace.ingest.event_text.columns import COMMON
from spetrace.ingest.event_text.key_values import FORMS, PLACE, Pairs, Values
from spetrace.ingest.event_text.print_format import column_name


class PairPlan:
    """Learns chunk by chunk as what each name's values can be read; see key_values.

    Columns are made in two steps: `held` are all that a name's may be by what is known so far,
    `chosen` those that they are in the end.
    """

    def __init__(self) -> None:
        self._forms: dict[str, set[str]] = {}
        self._has_place = False

    def learn(self, pairs: Pairs) -> None:
        """Take in a chunk."""
        self._has_place = self._has_place or pairs.place is not None
        for key, values in pairs.values.items():
            forms = self._forms.setdefault(key, set(FORMS))
            if not values.is_absent:
                forms &= {form for form in FORMS if getattr(values, form) is not None}

    @property
    def mixed(self) -> list[str]:
        """The names whose values are numbers in some chunks and can't be in others."""
        return [key for key, forms in self._forms.items() if not forms]

    def held(self, parts: Sequence[Pairs]) -> list[pl.Series]:
        """Columns of some chunks' pairs."""
        columns = []
        if any(part.place is not None for part in parts):
            places = [(part.place, part.count) for part in parts]
            columns.append(_joined(places, pl.UInt64()).alias(PLACE))
        for key, forms in self._forms.items():
            values = [part.values.get(key, Values(part.count)) for part in parts]
            if all(part.is_absent for part in values):
                continue
            for form in sorted(forms):
                own = [(getattr(part, form), part.count) for part in values]
                columns.append(_joined(own, FORMS[form]).alias(_held_name(form, key)))
        return columns

    def chosen(self, held: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """A frame with `held` columns behind the COMMON ones, these as the final ones.

        `types` are those of integers that a text doesn't tell.
        """
        taken = set(COMMON)
        columns: list[pl.Expr] = []
        if self._has_place:
            taken.add(PLACE)
            columns.append(_of(held, PLACE, pl.UInt64()).alias(PLACE))
        for key, forms in self._forms.items():
            form = next((form for form in FORMS if form in forms), None)
            if form is None:
                continue
            name = column_name(key, taken)
            taken.add(name)
            values = _of(held, _held_name(form, key), FORMS[form])
            if key in types and FORMS[form].is_integer():
                values = values.cast(types[key], strict=False)
            columns.append(values.alias(name))
        return held.select(*COMMON, *columns)


def _held_name(form: str, key: str) -> str:
    return f"{form}:{key}"


def _of(frame: pl.DataFrame, name: str, type_: pl.DataType) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, type_)


def _joined(parts: Sequence[tuple[pl.Series | None, int]], type_: pl.DataType) -> pl.Series:
    return pl.concat(
        pl.repeat(None, count, dtype=type_, eager=True) if values is None else values
        for values, count in parts
    )
