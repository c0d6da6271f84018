"""Options that commands share: declared once, each command's own where it names them."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import typer

from spetrace.cli.assumptions import ALL, HOST, SESSION, Assumptions, assuming
from spetrace.cli.choices import DlModel, Placement
from spetrace.cli.costs import costs
from spetrace.cli.kvm import kvm
from spetrace.cli.replay import replay
from spetrace.errors import UsageError
from spetrace.session.options import AssumedSpe, SessionOptions


def made(*names: str) -> tuple[typer.Typer, list[Assumptions]]:
    """A command line of one command that takes these options, and what it was called with."""
    calls: list[Assumptions] = []
    app = typer.Typer()

    @app.command()
    @assuming(*names)
    def command(file: Path, *, assumed: Assumptions) -> None:
        """Note the call."""
        assert file == Path("x")
        calls.append(assumed)

    return app, calls


def test_options_arrive_as_one_value() -> None:
    app, calls = made("placement", "page_size", "dl_model")
    words = ["x", "--placement", "scattered", "--page-size", "64K", "--dl-model", "never"]
    app(words, standalone_mode=False)
    assert calls == [
        Assumptions(placement=Placement.SCATTERED, page_size=65536, dl_model=DlModel.NEVER)
    ]
    assert calls[0].options == SessionOptions(
        placement="scattered", parameters={"page_size": 65536, "dl_model": "never"}
    )


def test_what_is_not_said_is_none() -> None:
    app, calls = made(*ALL)
    app(["x"], standalone_mode=False)
    assert calls[0].options == SessionOptions()


def test_words_of_the_command_line_become_values() -> None:
    given = Assumptions(
        assume_spe="period_ns=5", no_buffer_touched=True, infer_read_only=True, cost=["irq_ns=7"]
    )
    assert given.options == SessionOptions(
        assume_spe=AssumedSpe(period_ns=5),
        buffer_touched=False,
        infer_read_only=True,
        parameters={"costs": {"irq_ns": 7}},
    )


def test_option_that_was_not_named_is_none_of_the_command() -> None:
    app, _ = made("page_size")
    with pytest.raises(Exception, match="No such option"):
        app(["x", "--placement", "scattered"], standalone_mode=False)


def test_groups_name_options_that_there_are() -> None:
    assert set(HOST) < set(SESSION) < set(ALL) == set(inspect.signature(Assumptions).parameters)


def test_commands_have_the_options_in_one_order() -> None:
    taken = {
        each: [n for n in inspect.signature(each).parameters if n in ALL]
        for each in (replay, kvm, costs)
    }
    assert taken[replay] == list(ALL)
    assert set(taken[kvm]) == {*HOST, "page_size", "initial_stage2"}
    assert taken[costs] == ["session", "page_size"]
    assert all(names == sorted(names, key=ALL.index) for names in taken.values())


def test_wrong_value_of_a_shared_option_is_one_sentence() -> None:
    with pytest.raises((UsageError, typer.BadParameter), match="there are period_ns"):
        assert Assumptions(assume_spe="hertz=5").options
