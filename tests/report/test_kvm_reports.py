from __future__ import annotations

import json
import re
from io import StringIO

from kvm.kvm_tables import exit_, full_rows, state, summary, table
from rich.console import Console

from spetrace.kvm.inference import ToldStage2, check_inference
from spetrace.quality import Quality
from spetrace.report.kvm_html import render_kvm_html
from spetrace.report.kvm_json import render_kvm_json
from spetrace.report.kvm_terminal import render_kvm
from spetrace.report.kvm_view import view_kvm
from spetrace.report.step_points import POINTS_MAX, state_points
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.kvm_summary import KvmSummary, StateSummary
from spetrace.workflow.session_folder import quality_table

HOSTILE = "</script><script>alert(1)</script>@CHARTS@\x1b[2J\u202e"


def full(name: str = "host.dat") -> KvmSummary:
    session = {"inputs": [{"name": name, "format": "trace.dat", "size_bytes": 5}],
               "assumptions": [{"name": "initial-stage2", "value": "empty", "text": name}]}  # fmt: skip
    found = summary(session, **full_rows())
    quality = Quality()
    quality.add("trace_lost_events", 7)
    found.quality = quality_table([(0, quality)])
    counters = {0: {"map-on-fault": dict.fromkeys(
        ("captured", "stage2_faults", "discarded", "lost", "overhead_ns"), 3_000_000)}}  # fmt: skip
    told = [
        ToldStage2(way, table(VM_STATE, full_rows()["vm_state"][:2]), REFAULTS.empty(), counters)
        for way in ("probes", "infer-read-only")
    ]
    found.inference = check_inference(told, 900)
    return found


def terminal(found: KvmSummary, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(render_kvm(view_kvm(found)))
    return console.file.getvalue()


def test_terminal_fits_80_columns_and_cuts_nothing() -> None:
    shown = terminal(full())
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "\u2026" not in shown
    for section in view_kvm(full()).sections:
        for row in section.rows:
            assert all(part in shown for cell in row for part in cell.split())


def test_losses_and_inference_come_first() -> None:
    lines = terminal(full()).splitlines()
    head = " ".join(lines[1:8])
    assert "The recording lost data (trace_lost_events, host.dat): 7 events" in head
    assert "1 kvm_exit without a kvm_entry before the next kvm_exit. Events were lost" in head
    assert "Stage 2 of VM 1 was inferred from tracepoints" in head
    assert lines.index("Assumed") < lines.index("VM 0: Exits by class")


def test_percentages_stand_beside_their_counts() -> None:
    sections = {s.title: s for s in view_kvm(full()).sections}
    assert [row[:3] for row in sections["VM 0: Exits by class"].rows] == [
        ("DABT_LOW", "1", "33.3"), ("IRQ", "1", "33.3"), ("SYS64", "1", "33.3"),
    ]  # fmt: skip
    time = sections["VM 0: Time in guest and host"].rows[0]
    assert time == ("0", "3", "250 ns", "31.3", "350 ns", "43.8", "200 ns", "25.0")
    for section in sections.values():
        for n, heading in enumerate(section.headings):
            assert heading.text != "%" or n > 1


def test_one_vm_needs_no_prefix() -> None:
    view = view_kvm(summary(kvm_exits=[exit_(0, 0, 1, 2, "WFx")]))
    assert [s.title for s in view.sections] == ["Exits by class", "Time in guest and host"]
    assert view.title == "1 VM, 1 vCPU, 1 ns"


def test_json_holds_the_summary_exactly() -> None:
    found = full()
    report = json.loads(render_kvm_json(found))
    assert report["version"] == 1
    assert report["span_ns"] == [0, 900]
    vm = report["vms"]["0"]
    assert vm["exits"][0]["handled"]["total_ns"] == found.vms[0].exits[0].handled.total_ns
    assert vm["vcpus"] == [vars(c) for c in found.vms[0].vcpus]
    assert vm["state"]["mapped_pages"] == [0, 100]
    assert vm["registers"][0] == vars(found.vms[0].registers[0])
    assert report["inference"]["0"]["infer-read-only"]["mapped_difference_max"] == 0
    assert report["quality"][0]["counter"] == "trace_lost_events"
    assert report["assumptions"][0]["name"] == "initial-stage2"


def charts(page: str) -> list[dict]:
    return json.loads(re.search(r'id="charts">(.*?)</script>', page)[1])


def test_page_is_whole_and_holds_a_place_for_each_chart() -> None:
    page = render_kvm_html(full())
    assert "default-src 'none'" in page
    assert "showSendToCloud: false" in page
    names = [chart["name"] for chart in charts(page)]
    assert names == [
        "exits-0", "vcpus-0", "faults-0", "between-0", "pages-0", "inference-0", "exits-1",
        "vcpus-1", "pages-1",
    ]  # fmt: skip
    for name in names:
        assert page.count(f'id="{name}"') == 1
    for section in view_kvm(full()).sections:
        assert f"<h2>{section.title}</h2>" in page


def test_charts_draw_the_summarys_numbers() -> None:
    drawn = {chart["name"]: chart["data"] for chart in charts(render_kvm_html(full()))}
    assert drawn["exits-0"][0]["x"] == [1, 1, 1]
    assert [trace["name"] for trace in drawn["vcpus-0"]] == ["guest", "host", "unknown"]
    assert drawn["pages-0"][0]["y"] == [0, 100]
    assert drawn["pages-0"][1]["x"] == [0, 5e-7]
    assert sum(drawn["between-0"][0]["y"]) == 3


def test_hostile_names_stay_text() -> None:
    found = full(HOSTILE)
    page = render_kvm_html(found)
    assert "<script>alert" not in page
    assert page.count("</script>") == render_kvm_html(full()).count("</script>")
    assert charts(page) == charts(render_kvm_html(full()))
    assert "\x1b[2J" not in terminal(found)
    assert "\u202e" not in terminal(found) + page


def test_long_step_functions_keep_their_extremes() -> None:
    count = 50_000
    mapped = [n % 100 for n in range(count)]
    mapped[777], mapped[31_111] = 5_000, -1
    steps = StateSummary("probes", 0, 0, 0, 0, 0.0, 0.0, tuple(range(count)), tuple(mapped),
                         tuple(reversed(mapped)))  # fmt: skip
    points = state_points(steps)
    assert len(points) <= POINTS_MAX
    assert points[0] == (0, mapped[0], mapped[-1])
    assert points[-1][0] == count - 1
    assert {777, 31_111, count - 778, count - 31_112} <= {time for time, _, _ in points}
    assert [p[0] for p in points] == sorted({p[0] for p in points})


def test_vm_whose_unmaps_are_unknown_says_so() -> None:
    found = summary(kvm_exits=[exit_(0, 0, 1, 2, "WFx")], vm_state=[state(0, 1, 1, "tracepoints")])
    assert "were inferred" not in view_kvm(found).title
    assert any("inferred from tracepoints" in c for c in view_kvm(found).cautions)
