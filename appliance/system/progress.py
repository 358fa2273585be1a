"""How far an update is: told by root in a file, for the page and the poller to read."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from appliance.system.requests import got, opened_answers, put

NAME = "update"  # of the order, and of the answer in which it can be followed
UNDER_WAY = ("looking", "installing", "fetching")


class Teller:
    """Writes how far it is, for the page; a step is told once."""

    def __init__(self, answers: Path, now: Callable[[], datetime], order: Mapping[str, str]) -> None:
        self.now = now
        self.version = ""
        self._answers = answers
        self._order = order
        self._percent = 0
        self._step = ""

    def __call__(
        self, state: str, *, percent: int | None = None, step: str | None = None, text: str = ""
    ) -> None:
        self._percent = self._percent if percent is None else percent
        self._step = self._step if step is None else step
        told = {
            "state": state,  # looking installing fetching installed refused failed
            "percent": self._percent,
            "step": self._step,
            "text": text,
            "version": self.version,
            "source": self._order.get("source", ""),
            "action": self._order.get("action", ""),
            "reboot": self._order.get("reboot", ""),
            "at": int(time.time()),
        }
        with opened_answers(self._answers) as opened:
            put(opened, f"{NAME}.json", json.dumps(told))


def conclude(answers: Path) -> None:
    """Nothing is being done: what is still told to be under way was cut off, as by a lack of memory."""
    with opened_answers(answers) as opened:
        told = json.loads(got(opened, f"{NAME}.json") or "{}")
        if told.get("state") in UNDER_WAY:
            told |= {"state": "failed", "text": "the installation was cut off", "at": int(time.time())}
            put(opened, f"{NAME}.json", json.dumps(told))
