"""The emulator writes down what happens to every message, each invocation and each call; it changes nothing of them.

See ``dlqlab.emulator.recorder``. It comes last: its hooks go around what the other patches have made of LocalStack.
"""

from dlqlab.emulator.recorder import running


def patch() -> None:
    running.start()
