from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from runs import full_run, run_of, small_run

from spetrace.errors import InputError, OutputError
from spetrace.report import parquet
from spetrace.report.charts import charts_of
from spetrace.report.comparison import compare
from spetrace.report.html import render_html
from spetrace.report.json_report import render_json
from spetrace.report.mail import render_mail
from spetrace.report.parquet import load_run, load_table, save_run
from spetrace.tables.results import PINNED, RESULTS
from spetrace.tables.table import Table

FILES = {
    "results.parquet", "blackouts.parquet", "aborts.parquet", "pinned.parquet", "quality.parquet",
    "session.json", "report.json", "report.txt", "report.html",
}  # fmt: skip


def test_run_comes_back_as_it_was(tmp_path: Path) -> None:
    run = full_run()
    paths = save_run(run, tmp_path / "new" / "folder")
    assert {path.name for path in paths} == FILES | {"outcomes.parquet"}
    assert sorted((tmp_path / "new" / "folder").iterdir()) == sorted(paths)
    loaded = load_run(tmp_path / "new" / "folder")
    for name in ("results", "blackouts", "aborts", "pinned", "quality", "outcomes"):
        assert getattr(loaded, name).equals(getattr(run, name)), name
        assert getattr(loaded, name).schema.metadata == getattr(run, name).schema.metadata
    assert loaded.session == run.session


def test_reports_can_be_made_again_from_the_folder(tmp_path: Path) -> None:
    run = full_run()
    save_run(run, tmp_path)
    loaded = load_run(tmp_path)
    assert compare(loaded) == compare(run)
    assert (tmp_path / "report.txt").read_text("utf-8") == render_mail(compare(loaded))
    page = render_html(compare(loaded), charts_of(loaded))
    assert (tmp_path / "report.html").read_text("utf-8") == page
    assert (tmp_path / "report.json").read_text("utf-8") == render_json(loaded)


def test_integers_past_64_bits_are_exact(tmp_path: Path) -> None:
    save_run(small_run(), tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["strategies"]["pin-vm"]["total"]["pinned_byte_ns"] == 2**70 + 1
    assert load_run(tmp_path).results["pinned_byte_ns"].to_pylist()[-3] == 2**70 + 1


def test_file_name_that_is_no_text_comes_back(tmp_path: Path) -> None:
    inputs = [{"name": "caf\udce9.data", "format": "perf.data", "size_bytes": 1, "sha256": "00"}]
    save_run(small_run(inputs=inputs), tmp_path)
    assert load_run(tmp_path).session["inputs"] == inputs
    assert "caf\\udce9.data" in (tmp_path / "report.txt").read_text("ascii")


def test_capture_comes_back_as_it_was(shared: Path, tmp_path: Path) -> None:
    expected = json.loads((shared / "captures/kvm/08-churn-lkvm/expected-replay.json").read_bytes())
    save_run(run_of(expected), tmp_path)
    assert json.loads(render_json(load_run(tmp_path)))["strategies"] == expected


def test_earlier_outcomes_do_not_stay(tmp_path: Path) -> None:
    save_run(full_run(), tmp_path)
    save_run(small_run(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert load_run(tmp_path).outcomes is None


def test_broken_off_save_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_run(full_run(), tmp_path)

    def refuse(_text: str, path: Path) -> None:
        raise OutputError(f"{path}: can't be written: No space left on device")

    monkeypatch.setattr(parquet, "write_text", refuse)
    with pytest.raises(OutputError):
        save_run(small_run(), tmp_path)
    with pytest.raises(InputError, match=r"session\.json: No such file"):
        load_run(tmp_path)


def test_folder_that_is_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(OutputError, match="can't be written"):
        save_run(small_run(), tmp_path / "a")


@pytest.mark.parametrize("name", sorted(n for n in FILES if n.endswith(".parquet")))
def test_missing_table_is_an_input_error(tmp_path: Path, name: str) -> None:
    save_run(small_run(), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(InputError, match=name):
        load_run(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "", "[1]", "{", "[" * 100_000, "\xff", '{"version": 2}', '{"inputs": 5}', '{"inputs": [5]}',
        '{"clocks": [5]}', '{"machines": {}}', '{"inputs": [{"size_bytes": "7"}]}', '{"parameters": []}', '{"strategies": {"pin-vm": 3}}', '{"span_ns": 7}', '{"span_ns": [1]}',
    ],
)  # fmt: skip
def test_damaged_session_is_an_input_error(tmp_path: Path, text: str) -> None:
    save_run(small_run(), tmp_path)
    (tmp_path / "session.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"session\.json"):
        load_run(tmp_path)


def test_newer_major_version_is_refused(tmp_path: Path) -> None:
    path = _written(tmp_path, PINNED, version="2.1")
    with pytest.raises(
        InputError, match=r"pinned\.parquet: table pinned: is of version 2\.1; .* 1\.x"
    ):
        load_table(PINNED, path)


def test_newer_minor_version_is_read_without_its_additions(tmp_path: Path) -> None:
    path = _written(tmp_path, PINNED, version="1.9", extra=True)
    assert load_table(PINNED, path).equals(PINNED.from_rows([("pin-vm", 0, 5, 4096)]))


def test_column_that_must_be_there_is_missed(tmp_path: Path) -> None:
    path = _written(tmp_path, PINNED.select(["strategy", "vm", "ts"]), version="1.0")
    with pytest.raises(InputError, match="column pinned_bytes is missing or has nulls"):
        load_table(PINNED, path)


@pytest.mark.parametrize(
    "metadata", [{}, {"spetrace.table": "pinned"}, {"spetrace.table": "events"}]
)
def test_table_that_is_none_of_ours_is_refused(tmp_path: Path, metadata: dict[str, str]) -> None:
    table = PINNED.from_rows([("pin-vm", 0, 5, 4096)]).replace_schema_metadata(metadata)
    pq.write_table(table, tmp_path / "pinned.parquet")
    with pytest.raises(InputError, match=r"pinned\.parquet: table pinned: "):
        load_table(PINNED, tmp_path / "pinned.parquet")


def test_damaged_table_is_a_table_or_an_input_error(tmp_path: Path) -> None:
    save_run(small_run(), tmp_path)
    path = tmp_path / "results.parquet"
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), 211):
        flipped = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        for damaged in (whole[:place], flipped):
            path.write_bytes(damaged)
            refused += _refused(path)
    assert refused >= len(whole) // 211


def _refused(path: Path) -> bool:
    try:
        load_table(RESULTS, path)
    except InputError as error:
        return str(error).startswith(str(path))
    return False


def _written(folder: Path, declared: Table, version: str, extra: bool = False) -> Path:
    table = declared.from_columns(
        {"strategy": ["pin-vm"], "vm": [0], "ts": [5], "pinned_bytes": [4096]}, 1
    )
    if extra:
        table = table.append_column("later", pa.array([1]))
    table = table.replace_schema_metadata(
        {"spetrace.table": declared.name, "spetrace.version": version}
    )
    pq.write_table(table, folder / "pinned.parquet")
    return folder / "pinned.parquet"
