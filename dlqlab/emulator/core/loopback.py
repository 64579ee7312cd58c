"""Where emulators listen. Apart from ``listening``, because the options of commands need no more than this."""

LOOPBACK = "127.0.0.1"
ANY_PORT = 0
"""The system chooses a free one."""
