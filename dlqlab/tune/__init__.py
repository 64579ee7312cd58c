"""What would happen under other settings, and which settings to choose: questions to the simulated twin.

variations -> settings -> jobs (setting x seed) -> measures -> Pareto front -> choice. A job is a pure function of plain
values, so that any Dask worker can do it.
"""
