"""What the parts of the harness agree on: the scenario, the run directory, the verdict. Pure data, no I/O but files."""
