"""Keep a run as a recording: its tables, compressed harder, and its manifest without the folder it was made in.

dlqlab run tests/recorded/two_retries.toml --port auto --runs scratch
.venv/bin/python tests/recorded/keep.py scratch/latest two_retries
"""

import sys
from pathlib import Path

import pandas as pd

from dlqlab.contracts.rundir import RunDir, write_json
from dlqlab.contracts.tables import TABLES


def keep(source: RunDir, target: RunDir) -> None:
    """Copy the evidence; what is made from it, as the verdict and the report, is left out."""
    target.path.mkdir(exist_ok=True)
    for table in TABLES:
        pd.read_parquet(source.table_path(table)).to_parquet(
            target.table_path(table), index=False, compression="zstd", compression_level=19
        )
    manifest = source.read_manifest()
    command = manifest["command"]
    if "--runs" in command:
        at = command.index("--runs")
        manifest["command"] = command[:at] + command[at + 2 :]
    write_json(target.manifest_path, manifest)
    topology = source.read_topology()
    if topology:
        target.write_topology(topology)


if __name__ == "__main__":
    keep(RunDir(Path(sys.argv[1])), RunDir(Path(__file__).parent / sys.argv[2]))
