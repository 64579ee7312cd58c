"""Collection: what the pipeline left behind, through the AWS API only, into the run directory.

While the run goes on ``queues`` and ``host`` sample and ``drain`` waits; afterwards ``collect`` pulls ledger, logs,
metrics and tables. Evidence comes first: a source that fails is reported after the others have been written.
"""
