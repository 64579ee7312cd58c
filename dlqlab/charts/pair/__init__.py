"""Charts of two runs, each of their facts."""
