"""Keeps a new licence and dies: `python -m tests.licensing.dying STATE FILE VENDOR_CA`.

Each line of standard input is the number of the change to a file before which a child dies; the answer is
`died`, or `installed` where there were not so many.
"""

import os
import sys
from pathlib import Path
from types import FrameType

from appliance.licensing import installer, keystore, verifier
from appliance.licensing.claims import Licence

CHANGES = {"replace", "fsync", "symlink", "unlink", "mkdir"}


def main(state: str, file: str, vendor_ca: str) -> None:
    data = Path(file).read_bytes()
    found = verifier.verify(data, Path(vendor_ca))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(Path(state), found, data, int(line))
        _, status = os.waitpid(child, 0)
        print({0: "installed", 9: "died"}.get(os.waitstatus_to_exitcode(status), "failed"), flush=True)


def work(state: Path, found: Licence, data: bytes, left: int) -> None:
    def die(_: FrameType, event: str, argument: object) -> None:
        nonlocal left
        if event == "c_call" and getattr(argument, "__name__", "") in CHANGES:
            left -= 1
            if left == 0:
                os._exit(9)

    sys.setprofile(die)
    installer.activate(state, found, data, state / "tls" / keystore.REQUEST_KEY_FILE)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
