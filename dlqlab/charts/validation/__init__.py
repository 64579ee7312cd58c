"""Charts of a simulation held against the run that was measured."""
