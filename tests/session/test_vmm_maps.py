import pytest

from spetrace.errors import InputError
from spetrace.session.vmm_maps import find_guest_ram, read_guest_ram

MIB = 1 << 20


def hva(text: str, size: int) -> int:
    return find_guest_ram(text, 0x8000_0000, size).hva


def test_ram_is_the_mapping_of_its_size() -> None:
    text = "00400000-00800000 rw-p 0 00:00 0 [heap]\n10000000-10400000 rw-s 0 00:01 7 /memfd:a b\n"
    assert hva(text.replace("00800000", "00a00000"), 4 * MIB) == 0x1000_0000


def test_larger_mapping_is_aligned_to_2_mib_where_that_fits() -> None:
    assert hva("10010000-10610000 rw-p 0 00:00 0\n", 4 * MIB) == 0x1020_0000
    assert hva("10010000-10411000 rw-p 0 00:00 0\n", 4 * MIB) == 0x1001_0000


def test_mapping_must_be_writable_and_large_enough() -> None:
    with pytest.raises(InputError, match="no writable mapping"):
        hva("10000000-10400000 r--p 0 00:00 0\n20000000-20001000 rw-p 0 00:00 0\n", MIB)


def test_line_that_is_no_mapping_is_named() -> None:
    with pytest.raises(InputError, match=r"line 2: /proc/PID/maps: is no mapping"):
        hva("10000000-10400000 rw-p 0 00:00 0\nhello\n", MIB)


def test_maps_of_a_recorded_vmm(shared) -> None:
    path = shared / "captures/kvm/08-churn-lkvm/snap0/vmm-maps.txt"
    assert read_guest_ram(path, 0x8000_0000, 128 * MIB).hva == 0xFFFF_7CC0_0000
