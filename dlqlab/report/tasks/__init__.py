"""The page of tasks of a run: dead letters, tasks that a check names, the slowest, each with its life."""
