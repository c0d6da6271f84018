from __future__ import annotations

import json
from pathlib import Path

import pytest
from event_log_builder import ONE_OF_EACH, build_json_lines

from spetrace.errors import InputError
from spetrace.ingest.event_log.importer import read, sniff
from spetrace.ingest.importer import read_recording
from spetrace.tables.events import EVENTS
from spetrace.tables.recording import Recording


def read_text(text: str | bytes) -> Recording:
    data = text.encode() if isinstance(text, str) else text
    assert sniff(data[: 1 << 16])
    return read("log.jsonl", memoryview(data))


def rows(recording: Recording) -> list[dict]:
    assert recording.events.schema.equals(EVENTS.schema, check_metadata=True)
    return [{k: v for k, v in row.items() if v is not None} for row in recording.events.to_pylist()]


def error_of(text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_text(text)
    return str(caught.value)


def test_json_one_of_each_kind() -> None:
    recording = read_text(build_json_lines(ONE_OF_EACH))
    common = {"vm": 0, "vcpu": 0}
    assert recording.format == "event log (JSON Lines)"
    assert rows(recording) == [
        common | {"ts": -5, "kind": "stage1_map", "va": 0xFFFF800010000000, "ipa": 0x80100000,
                  "pages": 4, "tables": [0x80200000, 2149580800], "row": 0},
        common | {"ts": 0, "kind": "stage1_unmap", "va": 0xFFFF800010000000, "pages": 1, "row": 1},
        {"ts": 1, "vm": 3, "vcpu": 2, "kind": "sysreg_write", "reg": "PMBPTR_EL1",
         "value": 0xFFFF800010000000, "row": 2},
        common | {"ts": 2, "kind": "eret", "to_el": 0, "row": 3},
        common | {"ts": 2, "kind": "exception", "row": 4},
        common | {"ts": 3, "kind": "spe_record", "bytes": 64, "row": 5},
        common | {"ts": 4, "kind": "buffer_full", "row": 6},
        common | {"ts": 5, "kind": "stage2_map", "ipa": 0x80100000, "pages": 2, "writable": True, "row": 7},
        common | {"ts": 5, "kind": "stage2_map", "ipa": 0x80100000, "pages": 2, "writable": False, "row": 8},
        common | {"ts": 6, "kind": "stage2_wrprotect", "ipa": 0x80100000, "pages": 2, "row": 9},
        common | {"ts": 7, "kind": "stage2_unmap", "ipa": 0x80100000, "pages": 2, "cause": "unknown", "row": 10},
        common | {"ts": 8, "kind": "stage2_unmap", "ipa": 0x80100000, "pages": 2, "cause": "ksm", "row": 11},
    ]  # fmt: skip
    assert not recording.quality.counts


def test_json_session_line_and_blank_lines() -> None:
    text = '\ufeff\n \r\n{"kind": "session", "page_size": 16384, "costs": {"irq_ns": 5}}\r\n\n'
    recording = read_text(text + '{"ts": 1, "kind": "exception"}\r\n\n\t\n')
    assert recording.parameters == {"page_size": 16384, "costs": {"irq_ns": 5}}
    assert rows(recording) == [{"ts": 1, "kind": "exception", "vm": 0, "vcpu": 0, "row": 0}]


def test_json_out_of_order_sorted_stably() -> None:
    events = [
        {"ts": t, "kind": "spe_record", "bytes": b} for t, b in ((5, 1), (3, 2), (5, 3), (4, 4))
    ]
    recording = read_text(build_json_lines(events))
    assert recording.events["bytes"].to_pylist() == [2, 4, 1, 3]
    assert recording.events["row"].to_pylist() == [1, 3, 0, 2]
    assert recording.quality.counts == {"events_out_of_order": 2}


def test_json_row_column_kept() -> None:
    recording = read_text('{"ts":1,"kind":"exception"}\n{"ts":2,"kind":"exception","row":"0x10"}')
    assert recording.events["row"].to_pylist() == [None, 16]


@pytest.mark.parametrize(
    "line",
    [
        '{"ts": "0x10", "kind": "exception", "vm": null, "note": {"a": [1.5]}, "text": "\\u00e9"}',
        ' { "kind" : "exc\\u0065ption" , "ts":\t16 , "more" : [true, null] } ',
        '{"ts":5,"ts":16,"kind":"eret","kind":"exception","to_el":"foreign","va":-7}',
        '{"kind":"exception","ts":16,"vcpu":"0X0","reg":"PMFOO_EL1","é":"é","x":1e400}',
    ],
)  # fmt: skip
def test_json_unusual_lines(line: str) -> None:
    assert rows(read_text(line)) == [{"ts": 16, "kind": "exception", "vm": 0, "vcpu": 0, "row": 0}]


GOOD = '{"ts": 1, "kind": "exception"}\n'
MAP = '{"ts": 1, "kind": "stage1_map", "va": %s, "ipa": %s, "pages": %s}'


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('{"ts": 1, "kind": "sysreg_write", "reg": "PMFOO_EL1", "value": 1}',
         "reg 'PMFOO_EL1' is not one of PMBPTR_EL1, PMBLIMITR_EL1, PMSCR_EL1, PMBSR_EL1"),
        ('{"ts": 1, "kind": "boom"}', "kind 'boom' is not one of sysreg_write, "),
        ('{"ts": 1, "kind": ["eret"]}', "kind ['eret'] is not one of"),
        ('{"ts": 1}', "kind is missing"),
        ('{"kind": "exception"}', "ts is missing"),
        ('{"ts": null, "kind": "exception"}', "ts is missing"),
        ('{"ts": 1.5, "kind": "exception"}', 'ts 1.5 is not an integer (nor a string "0x...")'),
        ('{"ts": 1.0, "kind": "exception"}', "ts 1.0 is not an integer"),
        ('{"ts": "x", "kind": "exception"}', "ts 'x' is not an integer"),
        ('{"ts": "12", "kind": "exception"}', "ts '12' is not an integer"),
        ('{"ts": "0x", "kind": "exception"}', "ts '0x' is not an integer"),
        ('{"ts": true, "kind": "exception"}', "ts True is not an integer"),
        ('{"ts": 9223372036854775808, "kind": "exception"}',
         "ts 9223372036854775808 is not from -2^63 to 2^63 - 1"),
        ('{"ts": -9223372036854775809, "kind": "exception"}', "is not from -2^63"),
        ('{"ts": 1, "kind": "exception", "vm": 65536}', "vm 65536 is not from 0 to 2^16 - 1"),
        ('{"ts": 1, "kind": "exception", "vcpu": -1}', "vcpu -1 is not from 0"),
        ('{"ts": 1, "kind": "exception", "vcpu": false}', "vcpu False is not an integer"),
        ('{"ts": 1, "kind": "exception", "row": -1}', "row -1 is not from 0 to 2^64 - 1"),
        ('{"ts": 1, "kind": "eret"}', "to_el of eret is missing"),
        ('{"ts": 1, "kind": "eret", "to_el": 2}', "to_el 2 is not from 0 to 1"),
        ('{"ts": 1, "kind": "eret", "to_el": true}', "to_el True is not an integer"),
        ('{"ts": 1, "kind": "spe_record", "bytes": 0}', "bytes 0 is not from 1 to 2^32 - 1"),
        ('{"ts": 1, "kind": "spe_record", "bytes": 4294967296}', "bytes 4294967296 is not from"),
        ('{"ts": 1, "kind": "sysreg_write", "reg": "PMSCR_EL1", "value": "0x10000000000000000"}',
         "value '0x10000000000000000' is not from 0 to 2^64 - 1"),
        (MAP % (-1, 0, 1), "va -1 is not from 0 to 2^64 - 1"),
        (MAP % (1 << 64, 0, 1), "va 18446744073709551616 is not from 0"),
        (MAP % (0, 0, 0), "pages 0 is not from 1"),
        (MAP % (0, '"0xfffffffffffff000"', 2),
         "2 pages of 4096 bytes from ipa 0xfffffffffffff000 on end beyond 2^64"),
        (MAP % (0, 0, (1 << 64) - 1), "pages of 4096 bytes from va 0x0 on end beyond 2^64"),
        (MAP % (0, 0, '1, "tables": 7'), "tables 7 is not a list of addresses"),
        (MAP % (0, 0, '1, "tables": [null]'), "tables None is not an integer"),
        (MAP % (0, 0, '1, "tables": [-1]'), "tables -1 is not from 0 to 2^64 - 1"),
        ('{"ts": 1, "kind": "stage2_map", "ipa": 0, "pages": 1, "writable": 1}',
         "writable 1 is neither true nor false"),
        ('{"ts": 1, "kind": "stage2_unmap", "ipa": 0, "pages": 1, "cause": "mood"}',
         "cause 'mood' is not one of swap, migrate"),
        ('{"kind": "session"}', "a session line can only be the first line"),
        ("[1]", "is not a JSON object"),
        ("7", "is not a JSON object"),
        ("{} {}", "is not JSON: Extra data (column 4)"),
        ('{"ts": 1, "kind": "exception"', "is not JSON: "),
        ('{"ts": 01, "kind": "exception"}', "is not JSON: "),
        ('{"ts": 1, "kind": "exception", "x": NaN}', "is not JSON: NaN is no JSON value"),
        ('{"ts": ' + "9" * 5000 + ', "kind": "exception"}', "is not JSON: "),
        ('{"ts": ' + "[" * 100_000, "is nested too deeply"),
    ],
)  # fmt: skip
def test_json_wrong_line(line: str, cause: str) -> None:
    text = error_of(GOOD + "\n" + line + "\n" + GOOD)
    assert text.startswith("line 3: event log: ")
    assert cause in text
    assert len(text) < 300


def test_json_wrong_line_later_than_a_chunk() -> None:
    text = GOOD * 200_000 + '{"ts": 1, "kind": "boom"}'
    assert error_of(text).startswith("line 200001: event log: kind 'boom'")


def test_json_not_utf8() -> None:
    assert error_of(GOOD.encode() + b'{"ts": "\xff\xfe"}').startswith(
        "line 2: event log: is not UTF-8"
    )


def test_json_overlong_line() -> None:
    assert error_of('{"' + "a" * (17 << 20)) == "line 1: event log: is longer than 16 MiB"


def test_json_without_events() -> None:
    assert read_text('{"kind": "session"}\n\n').events.num_rows == 0


def test_json_page_size_of_session_bounds_ranges() -> None:
    event = MAP % (0, (1 << 64) - 4096, 1)
    assert len(read_text(event).events) == 1
    session = '{"kind": "session", "page_size": 65536}\n'
    assert "2 pages of 65536 bytes" in error_of(session + MAP % (0, (1 << 64) - 4096, 2))


def test_json_error_names_file(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(GOOD + "{")
    with pytest.raises(InputError) as caught:
        read_recording(path)
    assert str(caught.value).startswith(f"{path}: line 2: event log: is not JSON: ")


def test_json_scenarios_hold_what_their_lines_say(shared: Path) -> None:
    for path in sorted((shared / "scenarios").glob("*.jsonl")):
        events = [json.loads(line) for line in path.read_text().splitlines()]
        session = events.pop(0) if events[0]["kind"] == "session" else {}
        recording = read_text(path.read_bytes())
        assert recording.parameters == {k: v for k, v in session.items() if k != "kind"}
        told = recording.events.to_pylist()
        assert len(told) == len(events)
        for row, event in zip(told, events, strict=True):
            for name, value in event.items():
                number = isinstance(value, str) and value.startswith("0x")
                assert row[name] == (int(value, 16) if number else value) or name == "tables"
