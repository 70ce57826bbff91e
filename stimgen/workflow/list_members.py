"""Lists what protocols and experiments can use."""

from __future__ import annotations

from stimgen.export.sets import EXPORTERS
from stimgen.images.steps import STEPS
from stimgen.networks import NETWORKS
from stimgen.networks.weights import WEIGHTS
from stimgen.reading.registry import Family
from stimgen.reading.shipped import PROTOCOLS
from stimgen.statistics import STATISTICS
from stimgen.statistics.regions import REGIONS
from stimgen.synthesis.methods import METHODS
from stimgen.synthesis.optimisers import OPTIMISERS
from stimgen.synthesis.ranges import PIXEL_CONSTRAINTS
from stimgen.synthesis.starts import STARTS
from stimgen.workflow.list_experiment_members import find_experiment_members

FAMILIES: dict[str, Family] = {
    "methods": METHODS,
    "networks": NETWORKS,
    "weights": WEIGHTS,
    "statistics": STATISTICS,
    "regions": REGIONS,
    "optimisers": OPTIMISERS,
    "starts": STARTS,
    "steps": STEPS,
    "ranges": PIXEL_CONSTRAINTS,
}


def find_members() -> dict[str, dict[str, str]]:
    """Return all members of all families, and what is shipped, with one line each."""
    found = {family: members.summaries() for family, members in FAMILIES.items()}
    found["exporters"] = EXPORTERS.summaries()
    return {**found, "protocols": PROTOCOLS.titles(), **find_experiment_members()}
