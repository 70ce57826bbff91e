"""What goes between a run and its Dask workers; plain values, so that it can be told to any version."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from stimgen.protocol.load import parse_protocol
from stimgen.protocol.plan import ProtocolPlan, make_plan
from stimgen.protocol.quick import make_quick_protocol
from stimgen.reading.document import parse_document
from stimgen.reading.identity import sha256_bytes


@dataclass(frozen=True)
class Machine:
    """What a worker says of itself before it is given work."""

    versions: dict[str, str]
    host: str
    device: str
    """What records call it."""
    kind: str
    """``cpu``, ``cuda`` or ``mps``."""
    processor: str


@dataclass(frozen=True)
class Job:
    """What workers know of a run.

    Attributes
    ----------
    run : str
        A name that no other run has.
    text, file : str
        The protocol, and where it lies.
    root : str or None
        The other folder that sources may lie in.
    quick : bool
        Whether the protocol is made in small.
    folder : str
        The set's.
    part : str
        The part of the set that is locked.
    holder : bytes
        What its lock says.
    device : str
        As `find_device` takes it.
    batch_size : int
        Stimuli made together at the most.
    """

    run: str
    text: str
    file: str
    root: str | None
    quick: bool
    folder: str
    part: str
    holder: bytes
    device: str
    batch_size: int

    def plan(self, protocol: Path | None = None, root: Path | None = None) -> ProtocolPlan:
        """Return the plan, of the protocol where it lies or of its copy in the folder `protocol`."""
        file = Path(self.file)
        if protocol is not None:
            file = protocol / file.name
        else:
            root = Path(self.root) if self.root else None
        loaded = parse_protocol(parse_document(self.text, file))
        return make_plan(make_quick_protocol(loaded, root) if self.quick else loaded, root)


@dataclass(frozen=True)
class Joined:
    """What a worker found when it was told of a run.

    Attributes
    ----------
    sees : bool
        Whether it can write to the set's folder, which it sees.
    ids : str
        Hash of the ids that it plans; empty where it cannot read what the protocol names.
    problem : str
        Why not.
    """

    sees: bool
    ids: str
    problem: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a batch.

    Attributes
    ----------
    failures : tuple
        Ids of stimuli that could not be made, and why.
    notices : tuple of str
        What the user should know.
    files : dict
        What was made, by name, records last, where the worker does not write it itself.
    problem : str
        A mistake or circumstance that ends the run; empty where there is none.
    """

    failures: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    problem: str = ""


def ids_hash(plan: ProtocolPlan) -> str:
    """Return a hash of a plan's ids, in their order."""
    return sha256_bytes("\n".join(stimulus.id for stimulus in plan.stimuli).encode("ascii"))
