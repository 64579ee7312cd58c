"""Pipelines under test that come with dlqlab."""

import functools

from dlqlab import paths
from dlqlab.contracts.topology import Topology
from dlqlab.contracts.topology_file import read_topology


@functools.cache
def task_system(stage: str) -> Topology:
    """What the task system consists of, which scenarios, simulation and verdict are about.

    Raises:
        TopologyError: its file is missing or cannot be used.
    """
    return read_topology(paths.APP, stage)
