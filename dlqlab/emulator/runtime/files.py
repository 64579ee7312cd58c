"""The folders of an execution environment, by the paths that the emulator sees and by those that its function sees."""

from dataclasses import dataclass
from pathlib import Path

from dlqlab.emulator.runtime.variables import LAMBDA, Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The folders of one execution environment, by the paths that the emulator sees."""

    task: Path
    base: Path
    tmp: Path
    opt: Path | None = None

    def places(self, *, isolated: bool) -> Places:
        """The same by the paths that the function sees."""
        if isolated:
            return LAMBDA
        opt = str(self.opt) if self.opt else LAMBDA.opt
        return Places(task=str(self.task), runtime=str(self.base), opt=opt, tmp=str(self.tmp))
