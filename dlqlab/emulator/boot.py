"""``python -m localstack.runtime.main`` with half of its start-up time left out.

LocalStack imports jsonschema, which imports rfc3987_syntax where it is installed (JupyterLab brings it), which compiles
a grammar for the format of internationalised identifiers: as much work as all of LocalStack's other imports. jsonschema
does without it where it is absent, and so it is absent here.
"""

import runpy
import sys


def main() -> None:
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # makes its import an ImportError
    runpy.run_module("localstack.runtime.main", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
