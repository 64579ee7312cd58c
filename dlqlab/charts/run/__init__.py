"""Charts of one run: of its facts."""
