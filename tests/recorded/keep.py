"""Keep a run as a recording: its tables, compressed harder, and its manifest without the folder it was made in.

dlqlab run tests/recorded/two_retries.toml --port auto --runs scratch
.venv/bin/python tests/recorded/keep.py scratch/latest two_retries
"""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from dlqlab.contracts.rundir import RunDir
from dlqlab.contracts.tables import TABLES


def keep(source: RunDir, target: RunDir) -> None:
    """Copy the evidence; what is made from it, as the verdict and the report, is left out."""
    target.path.mkdir(exist_ok=True)
    for table in TABLES:
        pd.read_parquet(source.table_path(table)).to_parquet(
            target.table_path(table), index=False, compression="zstd", compression_level=19
        )
    manifest = source.read_manifest()
    command = manifest.provenance.command
    if "--runs" in command:
        at = command.index("--runs")
        made_by = replace(manifest.provenance, command=command[:at] + command[at + 2 :])
        manifest = replace(manifest, provenance=made_by)
    target.write_manifest(manifest)
    topology = source.read_topology()
    if topology:
        target.write_topology(topology)


if __name__ == "__main__":
    keep(RunDir(Path(sys.argv[1])), RunDir(Path(__file__).parent / sys.argv[2]))
