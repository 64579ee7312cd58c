"""Lambda without Docker: each execution environment is a process that runs AWS's own runtime interface client."""
