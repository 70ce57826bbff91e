"""`stimgen bench`, as it is called; no test asserts a time."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from stimgen.cli import main as cli
from stimgen.cli.bench_text import format_benchmark


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["stimgen", "bench", *arguments])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture(scope="module")
def measured() -> tuple[dict[str, Any], str]:
    """What `stimgen bench --quick --workers 2 --json` prints; measured once."""
    with pytest.MonkeyPatch.context() as patch:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            options = ("--quick", "--device", "cpu", "--workers", "2", "--json")
            assert called(patch, *options) == 0
    return json.loads(out.getvalue()), err.getvalue()


def ratios(found: Any) -> list[dict[str, float]]:
    if isinstance(found, list):
        return [inner for value in found for inner in ratios(value)]
    if not isinstance(found, dict):
        return []
    own = [found] if {"ratio", "numerator"} <= found.keys() else []
    return own + [inner for value in found.values() for inner in ratios(value)]


@pytest.mark.long
class TestQuick:
    def test_json_holds_everything(self, measured: tuple[dict[str, Any], str]) -> None:
        found, _ = measured
        assert datetime.fromisoformat(found["date"]).tzinfo is not None
        assert found["machine"].keys() >= {"device", "processor", "cores", "memory", "threads", "versions"}
        assert found["options"]["quick"] is True
        assert found["ceiling"].keys() == {"float32", "bfloat16"}
        assert found["evaluation"].keys() == {"float32", "mixed"}
        for precision, kind in (("float32", "float32"), ("mixed", "bfloat16")):
            evaluation = found["evaluation"][precision]
            assert len(evaluation["seconds"]["all"]) == found["options"]["repeats"]
            ceiling = found["ceiling"][kind]["flops_per_second"]
            assert evaluation["share_of_ceiling"]["denominator"] == ceiling
        assert found["texture"]["channels"] == 3
        assert [row["stimuli"] for row in found["batches"]["sizes"]] == [1, 2]
        assert found["memory"][0]["predicted"] > 0

    def test_every_ratio_has_both_its_numbers(self, measured: tuple[dict[str, Any], str]) -> None:
        found = ratios(measured[0])
        assert len(found) >= 3
        for one in found:
            assert one["ratio"] == pytest.approx(one["numerator"] / one["denominator"])

    def test_workers_are_held_against_one(self, measured: tuple[dict[str, Any], str]) -> None:
        found = measured[0]["workers"]
        one, both = found["rows"][:2]
        assert (one["workers"], both["workers"], one["threads"]) == (1, 2, both["threads"])
        assert both["stimuli"] == 2 * one["stimuli"]
        numbers = [row["seconds"] / row["stimuli"] for row in (one, both)]
        assert [found["one_to_all"][key] for key in ("numerator", "denominator")] == numbers

    def test_says_what_it_measures(self, measured: tuple[dict[str, Any], str]) -> None:
        lines = measured[1].splitlines()
        assert lines
        assert all(line.startswith("measuring: ") for line in lines)

    def test_is_a_table_for_people(self, measured: tuple[dict[str, Any], str]) -> None:
        text = format_benchmark(measured[0])
        for heading in (
            "share of the ceiling",
            "one texture",
            "batch of 2",
            "memory",
            "2 workers of",
            "one worker compared with all, per stimulus",
        ):
            assert heading in text
        assert "GFLOP/s" in text
        assert "stimuli per minute" in text
        assert all(len(line) <= 160 and line.isprintable() for line in text.splitlines())


class TestOptions:
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (("--size", "8"), "`--size`: 8 is out of range (32 to 400)"),
            (("--size", "4000"), "`--size`: 4000 is out of range (32 to 400)"),
            (("--device", "abacus"), "'abacus' is not a device"),
            (("--workers", "1"), "`--workers`: 1 is out of range (2 to 512)"),
        ],
    )
    def test_that_cannot_be_are_refused(
        self,
        arguments: tuple[str, ...],
        expected: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert called(monkeypatch, "--quick", *arguments) == 2
        found = capsys.readouterr()
        assert expected in found.err
        assert found.out == ""
        assert "Traceback" not in found.err
        assert list(tmp_path.iterdir()) == []

    def test_help_names_them(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert called(monkeypatch, "--help") == 0
        text = capsys.readouterr().out
        options = (
            "--device",
            "--size",
            "--json",
            "--workers",
            "--quick",
        )
        assert all(option in text for option in options)
