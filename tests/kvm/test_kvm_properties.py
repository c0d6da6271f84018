"""Whatever a host's trace holds, it is summed up and shown, or refused by one of our errors."""

import json
from io import StringIO

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from session.session_recordings import event, host, whole_session

from spetrace.errors import TraceError
from spetrace.kvm.inference import ToldStage2, check_inference
from spetrace.kvm.summarize import summarize_kvm
from spetrace.report.kvm_html import render_kvm_html
from spetrace.report.kvm_json import render_kvm_json
from spetrace.report.kvm_terminal import render_kvm
from spetrace.report.kvm_view import view_kvm
from spetrace.session.host_trace import USED
from spetrace.session.options import SessionOptions
from spetrace.workflow.session_folder import quality_table

NAMES = (*USED, "kvm_sys_access", "kvm_handle_sys_reg")
FIELDS = (
    "vcpu_pc", "hsr", "hxfar", "ipa", "ret", "esr_ec", "start", "end", "hva", "slot", "flags",
    "gpa", "size", "pgt", "prot", "Op0", "Op1", "CRn", "CRm", "Op2", "is_write",
)  # fmt: skip
SYNDROMES = (0x82000007, 0x92000006, 0x92000007, 0x92000047, 0x9200004E, 0x9200014F, 0x62000000)
odd = st.sampled_from([0, 1, 2, 3, 9, 10, 4096, 0x8000_0000, *SYNDROMES, 2**63, 2**64 - 1])
events = st.builds(
    lambda name, time, pid, values: event(
        name, time, pid, comm=f"kvm-vcpu-{pid}", **dict(zip(FIELDS, values, strict=True))
    ),
    st.sampled_from(NAMES),
    st.one_of(st.integers(0, 1000), st.sampled_from([-(2**63), 2**63 - 1, 2**62, -1])),
    st.integers(0, 2),
    st.lists(st.one_of(st.none(), odd), min_size=len(FIELDS), max_size=len(FIELDS)),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(events, max_size=30), st.sampled_from([None, True]))
def test_any_trace_is_summed_up_and_shown(rows, infer) -> None:
    sessions = []
    try:
        for way in ("probes", "tracepoints"):
            options = SessionOptions(stage2_from=way, infer_read_only=infer)
            sessions.append(whole_session([host(rows)], options))
    except TraceError:
        return
    summary = summarize_kvm(sessions[1].tables, {}, quality_table(sessions[1].quality))
    if all("vm_state" in session.tables for session in sessions):
        told = [
            ToldStage2("", session.tables["vm_state"], session.tables["refaults"], {})
            for session in sessions
        ]
        end = summary.span_ns[1] if summary.span_ns else 0
        summary.inference = check_inference(told, end)
    json.loads(render_kvm_json(summary))
    console = Console(file=StringIO(), width=80)
    console.print(render_kvm(view_kvm(summary)))
    assert "</html>" in render_kvm_html(summary)
