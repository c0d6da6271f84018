from __future__ import annotations

import subprocess
from pathlib import Path

from cli.command import Command

from spetrace.workflow.recipe import PROBES, TRACEPOINTS, parse_kallsyms, render_recipe


def kallsyms(*lacking: str) -> str:
    names = [p.symbol for p in PROBES] + [f"__traceiter_{t}" for t in TRACEPOINTS]
    return "".join(f"0000000000000000 t {n}\n" for n in names if n not in lacking)


def test_recipe_is_a_shell_script_with_all_probes(spetrace: Command, tmp_path: Path) -> None:
    result = spetrace("recipe")
    assert result.code == 0
    for probe in PROBES:
        assert f"echo '{probe.definition}' >> kprobe_events" in result.out
    assert "arm_spe_0/ts_enable=1" in result.out
    assert "-m ,16M" in result.out
    script = tmp_path / "recipe.sh"
    script.write_text(result.out)
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


def test_recipe_for_one_side(spetrace: Command) -> None:
    host, guest = spetrace("recipe", "--host").out, spetrace("recipe", "--guest").out
    assert "trace-cmd record" in host
    assert "perf record" not in host
    assert "--assume-spe" in host
    assert "perf record" in guest
    assert "trace-cmd record" not in guest


def test_recipe_names_what_the_kernel_lacks(spetrace: Command, tmp_path: Path) -> None:
    file = tmp_path / "kallsyms"
    file.write_text(kallsyms("kvm_pgtable_stage2_wrprotect", "__traceiter_kvm_set_spte_hva"))
    out = spetrace("recipe", "--kallsyms", file).out
    assert "s2_wp" not in out
    assert "# this kernel has no kvm_pgtable_stage2_wrprotect: " in out
    assert "-e kvm:kvm_set_spte_hva" not in out
    assert "# this kernel has no kvm:kvm_set_spte_hva" in out
    assert "-e kvm:kvm_mmio_nisv" in out


def test_recipe_on_a_kernel_without_kvm_asks_for_no_kprobes() -> None:
    out = render_recipe(symbols=parse_kallsyms("0000000000000000 T _text\n"))
    assert "-e kprobes" not in out
    assert out.count("# this kernel has no ") == len(PROBES) + len(TRACEPOINTS)


def test_recipe_without_the_kallsyms_file_says_so(spetrace: Command, tmp_path: Path) -> None:
    result = spetrace("recipe", "--kallsyms", tmp_path / "missing")
    assert result.code == 3
    assert result.err == f"spetrace: {tmp_path / 'missing'}: No such file or directory\n"


def test_parse_kallsyms_takes_modules_and_skips_damage() -> None:
    text = "ffff800080000000 T _text\nffff800080001000 t foo\t[kvm]\n\nbroken line\n\x00\n"
    assert parse_kallsyms(text) == {"_text", "foo"}
