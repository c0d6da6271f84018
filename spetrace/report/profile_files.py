"""A profile's folder: its tables as Parquet, profile.json and profile.html."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from spetrace.report.atomic import write_table, write_text
from spetrace.report.profile_html import render_profile_html
from spetrace.report.profile_json import render_profile_json
from spetrace.report.profile_view import Ranking, view_profile
from spetrace.tables.profile import Profile
from spetrace.tables.profiles import PROFILE_TABLES

HTML: Final = "profile.html"
JSON: Final = "profile.json"
FILES: Final = (HTML, JSON, *(f"{table.name}.parquet" for table in PROFILE_TABLES))
"""What a profile's folder holds."""


def save_profile(
    profile: Profile, folder: Path, top: int, rankings: Collection[Ranking] = tuple(Ranking)
) -> None:
    """Write `profile` into `folder`; the page shows `top` rows of the `rankings`.

    Raises OutputError where the system refuses.
    """
    for declared in PROFILE_TABLES:
        table = getattr(profile, declared.name.removeprefix("profile_"))
        write_table(table, folder / f"{declared.name}.parquet")
    write_text(render_profile_json(profile), folder / JSON)
    write_text(render_profile_html(profile, view_profile(profile, top, rankings)), folder / HTML)
