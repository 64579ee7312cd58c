"""A run directory's report: the notebook executed, then the HTML page made from it. Needs no emulator."""

import ast
import logging
import os
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from traitlets.config import Config

from dlqlab import paths
from dlqlab.contracts.rundir import RunDir
from dlqlab.errors import EvidenceError, ReportError, UsageError
from dlqlab.report.html import Link, page
from dlqlab.report.tasks.gather import gather
from dlqlab.report.tasks.page import page as tasks_page
from dlqlab.report.verdicts import verdict_of

RUN_REPORT = paths.NOTEBOOKS / "run_report.ipynb"
EVENTS, RECORD = "events", "record"
"""Tags of cells that ask what functions log of their tasks, and the emulator's record."""
KERNEL_START_TIMEOUT_S = 60
CELL_TIMEOUT_S = 120


def render(run: RunDir, notebook: Path | None = None, parameters: Mapping[str, Any] | None = None) -> Path:
    """Execute the notebook on the run; writes ``report.ipynb``, ``tasks.html`` and ``report.html``, returns the latter.

    The kernel works in the run directory and gets ``run_dir = "."``, so that the saved notebook can be opened and run
    again where it lies, wherever the directory is moved. A run without a verdict is judged first.

    Args:
        run: the run directory.
        notebook: with a cell tagged ``parameters`` that sets ``run_dir``; default: ``RUN_REPORT``. Cells that ask
            what the run does not tell (``not_told``) are left out of it.
        parameters: further values for that cell.

    Raises:
        UsageError: there is no such notebook, or it does not know one of the parameters.
        EvidenceError: the manifest or the verdict cannot be read.
        ReportError: a cell failed, took too long or ended its kernel; ``report.ipynb`` is saved as far as it came.
    """
    manifest = run.read_manifest()
    verdict = verdict_of(run)
    values = {"run_dir": ".", **(parameters or {})}
    executed = execute(notebook or RUN_REPORT, run.notebook_path, values, folder=run.path, without=not_told(run))
    tasks = gather(run, verdict)
    _write(run.tasks_path, tasks_page(tasks, verdict, run.html_path.name))
    link = Link(run.tasks_path.name, len(tasks.tasks), tasks.notes)
    _write(run.html_path, page(executed, verdict, manifest, tasks=link))
    return run.html_path


def not_told(run: RunDir) -> frozenset[str]:
    """The tags of cells that have nothing to ask in this run.

    The functions of most pipelines log no events of their tasks. Of one whose functions do, the record may be missing:
    then its events tell all there is. A run whose topology cannot be read is taken for one of the task system.
    """
    try:
        topology = run.read_topology()
    except EvidenceError:
        topology = None
    if topology is not None and not topology.evidence.events:
        return frozenset({EVENTS})
    return frozenset() if run.recording_path.exists() else frozenset({RECORD})


def _write(path: Path, html: str) -> None:
    """A page, whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(html, encoding="utf-8")
    partial.replace(path)


def execute(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    folder: Path,
    without: AbstractSet[str] = frozenset(),
) -> Mapping[str, Any]:
    """Run the notebook with the parameters in a kernel that works in ``folder``; the result is saved and returned.

    Cells with one of the tags ``without`` are left out.

    Raises:
        UsageError: there is no such notebook, or it does not know one of the parameters.
        ReportError: a cell failed, took too long or ended its kernel; the notebook is saved as far as it came.
    """
    from dlqlab.report import engine  # noqa: PLC0415  (as in parameter_names)

    known = parameter_names(notebook)
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise UsageError(f"{notebook.name} has no parameter {unknown[0]}: it takes {', '.join(sorted(known))}")
    # The kernel listens on loopback ports: without a key it warns that others on this machine could read along.
    # One line a cell is no news to who waits for a report.
    logging.getLogger("papermill").setLevel(logging.WARNING)
    try:
        with _kernel_variables(), _shortened(notebook, without) as chosen:
            executed: Mapping[str, Any] = engine.papermill.execute_notebook(
                _literal(chosen),
                _literal(output),
                parameters=dict(parameters),
                engine_name=engine.ENGINE,
                kernel_name="python3",
                progress_bar=False,
                start_timeout=KERNEL_START_TIMEOUT_S,
                execution_timeout=CELL_TIMEOUT_S,
                config=Config({"KernelManager": {"transport_encryption": "auto"}}),
                resources={"metadata": {"path": str(folder)}},
            )
    except engine.CellTimeoutError as error:
        late = f"a cell was not done after {CELL_TIMEOUT_S} s"
        raise ReportError(f"{notebook.name}: {late}; see {output}") from error
    except engine.DeadKernelError as error:
        raise ReportError(f"{notebook.name}: its kernel ended before its cells were done; see {output}") from error
    except engine.PapermillExecutionError as error:
        failed = f"{notebook.name}: cell {error.cell_index + 1} failed: {error.ename}: {error.evalue}"
        text = "\n".join(error.traceback)
        raise ReportError(f"{failed}; see {output}", cell=error.cell_index + 1, traceback=text) from error
    return executed


@contextmanager
def _shortened(notebook: Path, without: AbstractSet[str]) -> Iterator[Path]:
    """The notebook without the cells that have one of these tags, in a file that is there meanwhile."""
    from dlqlab.report.engine import nbformat  # noqa: PLC0415  (as in parameter_names)

    whole = nbformat.read(notebook, as_version=4)
    whole["cells"] = [cell for cell in whole["cells"] if without.isdisjoint(cell["metadata"].get("tags", []))]
    with TemporaryDirectory() as folder:
        path = Path(folder) / notebook.name
        nbformat.write(whole, path)
        yield path


@contextmanager
def _kernel_variables() -> Iterator[None]:
    """Kernels that are started meanwhile belong to this project, wherever they work.

    They have an IPython folder of their own: what a user has IPython do at its start does not get into a report.
    """
    names = (paths.HOME, "IPYTHONDIR")
    before = {name: os.environ[name] for name in names if name in os.environ}
    with TemporaryDirectory() as scratch:
        os.environ.update(zip(names, (str(paths.ROOT), scratch), strict=True))
        try:
            yield
        finally:
            for name in names:
                del os.environ[name]
            os.environ.update(before)


def parameter_names(notebook: Path) -> frozenset[str]:
    """The names that the notebook's parameters cell sets.

    Raises:
        UsageError: there is no such notebook, or it has no such cell.
    """
    from dlqlab.report.engine import nbformat  # noqa: PLC0415  (a second, which a verdict without a page is spared)

    try:
        cells = nbformat.read(notebook, as_version=4)["cells"]
    except (OSError, ValueError) as error:
        raise UsageError(f"{notebook}: cannot be read as a notebook: {error}") from error
    for cell in cells:
        if "parameters" in cell["metadata"].get("tags", []):
            return _assigned(cell["source"], notebook)
    raise UsageError(f"{notebook}: has no cell tagged parameters")


def _assigned(source: str, notebook: Path) -> frozenset[str]:
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise UsageError(f"{notebook}: the cell tagged parameters is not Python: {error}") from error
    targets = [target for node in statements if isinstance(node, ast.Assign) for target in node.targets]
    return frozenset(target.id for target in targets if isinstance(target, ast.Name))


def _literal(path: Path) -> str:
    """A path that papermill leaves as it is: it fills in fields in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")
