"""Any pipeline in simulated time, as far as the record of one run tells what it consists of and how it behaves.

    calibrate   a run -> a ``model.Pipeline``, with what it leaves out and what it has to assume
    measured    the figures of the run, counted from its record
    engine      a pipeline and a seed -> an ``outcome.Outcome``; queues and pollers of their own modules
    figures     the figures of an outcome, counted as those of a run are
    changes     a pipeline with other settings or another load

The task system has a twin of its own (``dlqlab.twin.simulate``), which knows its code: there, fates are exact. Here
code is known by what it did only, so a failure is drawn with the rate that was seen.
"""
