"""Check all shell scripts of the repository by shellcheck; `make lint` runs this."""

import shutil
import subprocess
import sys

from tests import external_programs
from tests.children import ROOT

COMPLETION = "docs/completion/printmonitor.bash"  # a file without a first line that names its shell


def main() -> int:
    """Return the exit status for the shell: 1 if shellcheck has findings."""
    if shutil.which("shellcheck") is None:
        print("no shellcheck: the shell scripts are not checked", file=sys.stderr)
        return 0
    scripts = [path for path in external_programs.tracked() if external_programs.is_shell_script(path)]
    return _check(*scripts) | _check("--shell=bash", COMPLETION)


def _check(*arguments: str) -> int:
    return subprocess.run(["shellcheck", *arguments], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
