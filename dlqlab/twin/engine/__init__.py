"""The compiled part of the twin: plain loops over arrays, no objects.

``layout`` names the arrays and their fields; every function here takes the ``State`` and works on it in place. The
modules follow the message's way: ``loop`` picks the next event, ``queues`` and ``heaps`` hold messages, ``mapping``
makes batches and invocations of them, ``processor`` and ``monitor`` work on records, ``fates`` and ``breaker`` do what
the app's own code does, to the last bit.
"""
