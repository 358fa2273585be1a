"""Root's part of a box, without a box: what its request, update and health units would do."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from appliance.privileged import rauc_installer, request_handler, update_trial
from appliance.privileged.request_handler import OperationFailedError, RequestVerb
from appliance.settings.paths import Home

COMPATIBLE = "printmonitor-plug"


class Rooted:
    """A box that runs slot A with version 1.0.0; what is installed says its version in its first line."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = Home(root / "var/lib/printmonitor")
        self.home.create_folders()
        self.slot, self.version, self.boots = "A", "1.0.0", 0
        self.restarts = 0
        self.busy = False  # another installation does not end
        self.fault = ""  # what RAUC finds wrong with the next bundle
        (root / "run/systemd/system").mkdir(parents=True)
        (root / "proc/sys/kernel/random").mkdir(parents=True)
        (root / "etc").mkdir()
        self.boot()

    def boot(self, slot: str = "A", version: str = "1.0.0") -> None:
        """/run is empty; root tells what is in the slots."""
        self.slot, self.version, self.boots = slot, version, self.boots + 1
        (self.root / "etc/os-release").write_text(f"VERSION_ID={version}\n")
        (self.root / "proc/cmdline").write_text(f"rauc.slot={slot}\n")
        (self.root / "proc/sys/kernel/random/boot_id").write_text(f"boot-{self.boots}\n")
        for folder in ("answers", "requests"):
            for path in (self.home.run / folder).glob("*"):
                path.unlink()
        self._update(datetime.now())  # noqa: DTZ005  told nowhere

    def judge(self, now: datetime, *, good: bool) -> None:
        """The health check."""
        update_trial.conclude_trial(now, self.root, good=good)

    def work(self, now: datetime) -> None:
        """Do what the services have asked for."""
        verbs = {
            "update": RequestVerb(
                partial(request_handler.start_update, folder=self.root / "orders", sleep=lambda _: None),
                text_keys=tuple(request_handler.UPDATE_PATTERNS),
            ),
            "reboot": request_handler.VERBS["reboot"],
        }
        (self.home.run / "requests").mkdir(mode=0o700, exist_ok=True)
        request_handler.process_requests(self.home.run, {os.geteuid()}, self._run, verbs)
        self._update(now)

    def _update(self, now: datetime) -> None:
        rauc_installer.process_update_request(
            self.home.run, self._run, self._follow, lambda: now, folder=self.root / "orders", root=self.root
        )

    def _run(self, *command: str) -> str:
        if command[:2] == ("rauc", "status"):
            other = "B" if self.slot == "A" else "A"
            slots = [
                {f"rootfs.{name}": {"bootname": name, "boot_status": "good"}} for name in (self.slot, other)
            ]
            return json.dumps({"compatible": COMPATIBLE, "booted": self.slot, "slots": slots})
        if command[0] == "busctl":
            if self.fault:
                raise OperationFailedError(f"busctl: Call failed: {self.fault}")
            version = (
                Path(command[-2]).read_text().splitlines()[0] if command[-2].startswith("/") else "1.1.0"
            )
            told = {"compatible": COMPATIBLE, "version": version}
            update = {
                "type": "a{sv}",
                "data": {key: {"type": "s", "data": each} for key, each in told.items()},
            }
            return json.dumps({"type": "a{sv}", "data": [{"update": update}]})
        if "--property=ActiveState" in command:
            return "activating" if self.busy else "inactive"
        if command[-1] == "reboot":
            self.restarts += 1
        return ""

    def _follow(self, *command: str) -> Iterator[str]:
        yield f"installing {command[-1]}\n"
        yield "100% Installing done.\n"
