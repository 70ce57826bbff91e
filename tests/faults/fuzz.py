"""Files that were changed at random are understood or refused with a message: there is never a traceback.

    python tests/faults/fuzz.py 10000 [FIRST]

A case is known by its number: it draws a kind of file, a change, and the command that reads it.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hand_made import Wanted, write_set
from hand_made_experiment import write_experiment, write_its_set
from mutations import Random, as_json, as_yaml, other_bytes, other_lines, other_values, pick
from test_mutated_experiments import OTHERS, changed, run

from stimgen import StimulusSet
from stimgen.cli.set_text import format_confounds
from stimgen.experiment.journal.journal_lines import seal_line
from stimgen.experiment.schema.load import load_experiment
from stimgen.export.sets import EXPORTERS
from stimgen.protocol.load import load_protocol
from stimgen.protocol.plan import make_plan
from stimgen.reading.errors import StimgenError
from stimgen.stimulus_set.store import Store
from stimgen.stimulus_set.verify import verify_set
from stimgen.workflow.cite import cite_set
from stimgen.workflow.confounds import tabulate_confounds
from stimgen.workflow.export import export_set
from stimgen.workflow.repair import repair_set
from stimgen.workflow.replay import replay_trial
from stimgen.workflow.report import write_report
from stimgen.workflow.run import RunOptions
from stimgen.workflow.study import SessionId, run_study
from stimgen.workflow.tabulate import TableOptions as Tables
from stimgen.workflow.tabulate import write_tables

PROTOCOL = """\
name: p
title: a title
authors: [{name: "Lovelace, Ada", orcid: 0000-0001-2345-6789}]
licence: CC0-1.0
doi: 10.1000/182
preparation: {size: 16}
sources:
  - {file: "skimage:brick", licence: CC0-1.0, credit: somebody}
  - {id: cup, file: "skimage:coffee", size: [16, 24]}
network: {name: vgg19, weights: random, pooling: average}
synthesis: {scales: 1, evaluations: 10, optimiser: {name: lbfgs, history: 5}}
conditions:
  - {id: a, layers: [relu1_1, pool1]}
  - {id: b, depth: pool1, regions: 2x2, statistic: {name: gram, centred: true}}
  - {id: c, method: {name: phase_scrambled}, after: [{name: raised_cosine, diameter: 12}]}
seeds: {first: 1, count: 2}
output: {array: false}
"""
LONGEST = 60  # seconds; whoever takes longer hangs


class Home(NamedTuple):
    """Where sound files lie, and where changed copies are made of them."""

    folder: Path

    @contextmanager
    def copy(self, name: str) -> Iterator[Path]:
        """Yield a copy of a folder."""
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            yield Path(shutil.copytree(self.folder / name, Path(place) / name))


def prepared(folder: Path) -> Home:
    """Write a set, an experiment with its set, and the data of a session."""
    about = {"title": "A set", "authors": [{"name": "Lovelace, Ada"}], "papers": [], "choices": []}
    write_set(folder / "small", Wanted(conditions=("a", "b"), seeds=(1,), about=about))
    _enriched(shutil.copytree(folder / "small", folder / "rich"))
    write_its_set(folder)
    write_experiment(folder)
    options = RunOptions("simulated", (folder / "set",), folder / "data")
    list(run_study(load_experiment(folder / "e.yaml"), SessionId("01", "1"), None, options))
    return Home(folder)


RICH = {
    "terms": [
        {
            "layers": {"relu1_1": 0.5, "pool1": 0.5},
            "network": {"name": "vgg19", "weights": {"name": "random", "seed": 0}, "parts": [{"name": "x"}]},
            "regions": {"name": "grid", "rows": 2, "columns": 2},
            "statistic": {"name": "gram", "centred": True},
            "target": [{"reference": "coffee", "weight": 0.5}],
            "weight": 2.0,
        }
    ],
    "settings": {
        "method": "objective",
        "optimiser": {"name": "lbfgs", "history": 20},
        "range": {"name": "soft", "penalty": 10.0},
        "start": {"name": "noise", "mean": 0.5},
        "precision": "float32",
        "after": [{"name": "crop", "box": [0, 0, 12, 10]}],
    },
    "changes": ["size: 16"],
}


def _enriched(folder: Path) -> None:
    """Give records all that those of real sets have; their ids are then others', as a stranger's may be."""
    for file in (folder / "records").glob("*/*.json"):
        record = json.loads(file.read_text())
        content = record["content"]
        content |= RICH
        digest = content["sha256"]
        known = {"validated_with_observers": False, "validation": "none"}
        content["network"] = [{"name": "vgg19", "weights_sha256": digest, **known}]
        content["references"] = [content["source"]]
        judge = {"network": "n", "weights_sha256": None, "layers": ["a"], "score": 0.5, "halves": None}
        content["quality"]["judge"] = judge
        picture = {"file": content["file"], "sha256": digest, "scale": 0, "evaluation": 1}
        content["snapshots"] = {"every": 1, "files": [picture]}
        file.write_bytes(as_json(record))


def change_text(
    random: Random, data: bytes, sound: Callable[[bytes], Any], again: Callable[[Any], bytes]
) -> bytes:
    """Return a changed file: its values, its lines or its bytes."""
    kind = int(random.integers(4))
    if kind < 2:
        return again(other_values(random, sound(data)))
    return other_lines(random, data) if kind == 2 else other_bytes(random, data)


def protocol(home: Home, random: Random) -> str:
    file = home.folder / "p.yaml"
    file.write_bytes(change_text(random, PROTOCOL.encode(), yaml.safe_load, as_yaml))
    make_plan(load_protocol(file))
    return "plan"


def experiment(home: Home, random: Random) -> str:
    text = as_yaml(changed(int(random.integers(len(OTHERS)))))
    data = change_text(random, text, yaml.safe_load, as_yaml)
    refusal = run(home.folder, data.decode("utf-8", "surrogateescape"))
    if refusal is not None:
        raise refusal
    return "begin"


READERS: dict[str, Callable[[Path], Any]] = {
    "verify": lambda folder: verify_set(Store.open(folder)),
    "report": write_report,
    "cite": cite_set,
    "confounds": lambda folder: format_confounds(
        tabulate_confounds(folder, folder.parent / "c.csv", folder.parent / "c.svg")
    ),
    "table": lambda folder: StimulusSet(folder).table,
    "contact sheet": lambda folder: StimulusSet(folder).contact_sheet(),
    "repair": repair_set,
    **{
        f"export {name}": lambda folder, name=name: export_set(folder, name, folder.parent / "target")
        for name in EXPORTERS.members
    },
}


def stimulus_set(home: Home, random: Random) -> str:
    name = pick(random, list(READERS))
    with home.copy(pick(random, ("small", "rich"))) as folder:
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        # Half of the changes are made to records and plan, which say most.
        saying = [file for file in files if "records" in file.parts or file.name == "plan.json"]
        file = pick(random, pick(random, (files, saying)))
        data = file.read_bytes()
        if file.suffix == ".json":
            file.write_bytes(change_text(random, data, json.loads, as_json))
        else:
            file.write_bytes(pick(random, (other_bytes, other_lines))(random, data))
        READERS[name](folder)
    return str(name)


def journal(home: Home, random: Random) -> str:
    with home.copy("data") as data:
        file = next((data / "journals").glob("*.jsonl"))
        change = pick(random, (forged, other_bytes, other_lines, forged))
        file.write_bytes(change(random, file.read_bytes()))
        if random.integers(2):
            list(write_tables(data, Tables(stimuli=(home.folder / "set",))))
            return "tabulate"
        replay_trial(file, int(random.integers(1, 4)), (home.folder / "set",), data / "drawn")
        return "replay"


def forged(random: Random, data: bytes) -> bytes:
    """Return a journal with other values in one line and right checksums, as a stranger can."""
    bodies = [json.loads(line) for line in data.splitlines()]
    number = pick(random, (0, 1, 2, int(random.integers(len(bodies)))))
    lines, before = [], ""
    for i, body in enumerate(bodies):
        del body["checksum"]
        found = other_values(random, body) if i == number else body
        try:
            line, before = seal_line(found, before)
        except (ValueError, TypeError):  # what canonical JSON has no word for
            line, before = seal_line(body, before)
        lines.append(line)
    return b"".join(lines)


KINDS = (protocol, experiment, stimulus_set, stimulus_set, stimulus_set, journal)


class Result(NamedTuple):
    """What came of a case."""

    kind: str
    reader: str
    outcome: str
    """``understood``, ``refused``, or the traceback."""


def case(home: Home, number: int, kinds: tuple[Callable[[Home, Random], str], ...] = KINDS) -> Result:
    """Return what comes of a case."""
    random = np.random.default_rng([20_26, number])
    kind = pick(random, kinds)
    try:
        return Result(kind.__name__, kind(home, random), "understood")
    except StimgenError as error:
        lines = str(error).split("\n")
        sound = all(line.isprintable() for line in lines) and len(lines) <= 60
        return Result(kind.__name__, "", "refused" if sound else f"a message that is none: {error!r}")
    except Exception:
        return Result(kind.__name__, "", traceback.format_exc())


def main() -> None:
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, _hangs)
    found: Counter[tuple[str, str]] = Counter()
    failed = 0
    started = time.monotonic()
    # Waiting for a disk would be most of the time.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        home = prepared(Path(folder))
        for number in range(first, first + count):
            signal.alarm(LONGEST)
            result = case(home, number)
            signal.alarm(0)
            good = result.outcome in ("understood", "refused")
            found[result.kind, result.outcome if good else "FAILED"] += 1
            if not good:
                failed += 1
                sys.stdout.write(f"case {number}, {result.kind}:\n{result.outcome}\n")
    lines = [f"{count} cases in {time.monotonic() - started:.0f} s"]
    lines += [f"  {kind}: {number} {outcome}" for (kind, outcome), number in sorted(found.items())]
    sys.stdout.write("\n".join([*lines, ""]))
    sys.exit(1 if failed else 0)


def _hangs(*_: object) -> None:
    raise TimeoutError(f"more than {LONGEST} s")


if __name__ == "__main__":
    main()
