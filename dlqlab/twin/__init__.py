"""The simulated twin: the same pipeline, fault plan and retry policy in simulated time.

``parameters`` says how a target behaves, ``arrivals`` when tasks are sent, ``simulate`` plays it and returns a
``contract.Simulation``:

    simulate(scenario, *, parameters=LOCALSTACK, arrivals=None, seed=0, sample=0, horizon_s=None, redrive=None)

Only ``simulate`` and what lies under ``engine`` import the compiler.
"""
