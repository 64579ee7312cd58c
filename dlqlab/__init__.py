"""dlqlab: load-test a retry and dead-letter pipeline on a laptop and prove what happened to every task."""

__version__ = "0.2.0"

import sys

from dlqlab import paths

if paths.INSTALLED:  # the rules that dlqlab shares with the app lie in the app
    sys.path.append(str(paths.APP))
