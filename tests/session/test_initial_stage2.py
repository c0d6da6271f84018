import pytest
from session_recordings import FETCH, READ, event, host

from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions

RAM = 0x8000_0000


def start(hsr: int = FETCH, hxfar: int = RAM + 0x40, ipa: int = RAM, **entry):
    return [
        event("kvm_entry", 1),
        event("kvm_exit", 2),
        event("kvm_guest_fault", 3, hsr=hsr, hxfar=hxfar, ipa=ipa),
        event("kvm_entry", 4),
    ]


def initial(events, **options) -> str | None:
    session = assemble([host(events)], SessionOptions(assume_spe=AssumedSpe(), **options))
    return session.parameters.get("vms", {}).get("0", {}).get("initial_stage2")


def test_vm_seen_from_its_start_is_empty() -> None:
    assert initial(start()) == "empty"


@pytest.mark.parametrize(
    "events",
    [
        start(hsr=READ),
        start(hsr=0x8200000F),
        start(hxfar=0xFFFF_8000_8000_0040),
        [*start()[:2], start()[3], start()[2]],
        [start()[1], start()[0], *start()],
        start()[:2],
    ],
    ids=["data", "permission", "stage1", "after-the-entry", "not-first", "no-fault"],
)
def test_vm_not_seen_from_its_start_has_all(events) -> None:
    assert initial(events) == "all"


def test_page_size_decides_whether_addresses_lie_in_one_page() -> None:
    events = start(hxfar=RAM + 0x1040)
    assert initial(events) == "all"
    assert initial(events, parameters={"page_size": 16384}) == "empty"


def test_fault_before_the_first_exit_does_not_count() -> None:
    assert initial([event("kvm_entry", 0), start()[2], *start()[:2], start()[3]]) == "all"


def test_session_toml_and_flags_say_otherwise(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text('[[vm]]\ninitial_stage2 = "all"\n')
    assert initial(start(), session_toml=path) == "all"
    assert initial(start(), parameters={"initial_stage2": "all"}) is None
