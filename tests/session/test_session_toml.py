import re

import pytest

from spetrace.errors import InputError, UsageError
from spetrace.session import session_toml
from spetrace.session.choices import resolve
from spetrace.session.options import AssumedSpe, SessionOptions
from spetrace.session.session_toml import Region, parse_session_toml


def documented() -> str:
    """The example that the module's documentation holds."""
    lines = (session_toml.__doc__ or "").splitlines()
    return "\n".join(line[4:] for line in lines if line.startswith("    "))


def test_documentation_is_a_valid_file_with_every_key() -> None:
    parsed = parse_session_toml(documented())
    (vm,) = parsed.vm
    given = {k for part in (parsed, vm) for k, v in vars(part).items() if v not in (None, ())}
    assert given == set(vars(parsed)) | set(vars(vm))


def test_empty_file_chooses_nothing() -> None:
    assert parse_session_toml("") == session_toml.SessionToml()


def test_values_are_parsed() -> None:
    parsed = parse_session_toml(
        "[assume_spe]\nperiod_ns = 7\n[[vm]]\nram = {ipa = 0x40000000, bytes = 4096}\n"
    )
    assert parsed.assume_spe == AssumedSpe(7)
    assert parsed.vm[0].ram == Region(0x4000_0000, 4096)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "colour: no such key; there are clock_offset_ns"),
        ("[[vm]]\nmem = 1", r"vm[0].mem: no such key"),
        ("[[vm]]\n[[vm.memslot]]\nhva = 1\nipa = 2", "vm[0].memslot[0].bytes: is missing"),
        ('stage2_from = "guess"', "stage2_from: 'guess' is not probes or tracepoints"),
        ('aux_bytes = "4M"', "aux_bytes: '4M' is not an integer"),
        ("aux_bytes = 5000", "aux_bytes: 5000 is not an integer from 8192"),
        ("aux_bytes = 9000", "aux_bytes: 9000 is not a multiple of 8192"),
        ("aux_bytes = true", "aux_bytes: True is not an integer"),
        ("buffer_touched = 1", "buffer_touched: 1 is not true or false"),
        ("vm = 3", "vm: 3 is not a list"),
        ("vm = [3]", "vm[0]: 3 is not a table"),
        ("[[vm]]\nvcpus = [1, -1]", "vm[0].vcpus[1]: -1 is not an integer"),
        ("vmm_maps = 7", "vmm_maps: 7 is not a text"),
        ("a = \nb = 1", "line 1"),
    ],
)
def test_wrong_values_name_their_key(text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        parse_session_toml(text)


def test_errors_name_the_file(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(InputError, match=r"mine\.toml: session\.toml: No such file"):
        resolve(SessionOptions(session_toml=path))
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"mine\.toml: byte 0: session\.toml: is no UTF-8"):
        resolve(SessionOptions(session_toml=path))


def test_flags_win_over_keys(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text('aux_bytes = 8192\nplacement = "scattered"\nbuffer_touched = false\n')
    chosen = resolve(SessionOptions(session_toml=path, aux_bytes=16384, buffer_touched=True))
    assert (chosen.aux_bytes, chosen.placement, chosen.buffer_touched) == (16384, "scattered", True)


def test_vmm_maps_lies_beside_session_toml(tmp_path) -> None:
    (tmp_path / "maps").write_text("1000-3000 rw-p 0 0 0\n")
    path = tmp_path / "session.toml"
    path.write_text('vmm_maps = "maps"\nram_base = 0x80000000\nram_bytes = 4096\n')
    ram = resolve(SessionOptions(session_toml=path)).guest_ram
    assert ram is not None
    assert (ram.hva, ram.ipa) == (0x1000, 0x8000_0000)


@pytest.mark.parametrize(
    "options",
    [
        SessionOptions(stage2_from="both"),
        SessionOptions(placement="top"),
        SessionOptions(aux_bytes=5000),
        SessionOptions(aux_bytes=0),
        SessionOptions(ram_base=1),
        SessionOptions(clock_offset_ns=1 << 63),
        SessionOptions(parameters={"page_size": 8192}),
    ],
)
def test_flags_out_of_range_are_refused(options: SessionOptions) -> None:
    with pytest.raises(UsageError):
        resolve(options)


def test_vmm_maps_needs_base_and_size(tmp_path) -> None:
    with pytest.raises(UsageError, match="--ram-base"):
        resolve(SessionOptions(vmm_maps=tmp_path / "maps", ram_bytes=4096))
