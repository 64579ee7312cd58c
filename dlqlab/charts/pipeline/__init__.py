"""Charts of one run of any pipeline, from its record alone."""
