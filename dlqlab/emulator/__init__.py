"""LocalStack 4.14.0 without Docker: its lifecycle, the parts that it lacks there, and the patches that measure well.

``lifecycle`` and ``settings`` belong to the harness's process; ``runtime``, ``dynamodb``, ``server`` and ``patches``
are loaded by LocalStack's process through entry points of this package.
"""
