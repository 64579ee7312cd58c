"""What the settings of the load process mean, in one sentence each; all others carry their own."""

from collections.abc import Mapping

LOAD_PROCESS: Mapping[str, str] = {
    "seed": "of task ids and payloads",
    "run_id": "only names the ledger's folder",
    "ledger_dir": "where this process keeps its ledger",
    "allow_remote": "lifts the rule that load goes to this machine only, for a target that is yours",
}
