"""Faults from outside: what a plan breaks on purpose, where messages, invocations, calls and requests pass.

``state`` holds the plan that is in force. ``invocations``, ``calls``, ``requests`` and ``queues`` ask it at their
places, ``stops`` acts by itself. While no plan is in force each of them does nothing but look whether there is one.
"""
