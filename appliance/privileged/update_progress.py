"""How far an update is: told by root in a file, for the page and the poller to read."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from appliance.domain.messages import Message, add_message_fields
from appliance.privileged.request_handler import open_answers_dir, read_answer_file, write_answer_file

UPDATE_NAME = "update"  # of the order, and of the answer in which it can be followed
ACTIVE_UPDATE_STATES = ("looking", "installing", "fetching")


class UpdateProgressWriter:
    """Writes how far it is, for the page; a step is told once."""

    def __init__(self, answers: Path, now: Callable[[], datetime], request: Mapping[str, str]) -> None:
        self.now = now
        self.version = ""
        self._answers_parent = answers
        self._request = request
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
            "source": self._request.get("source", ""),
            "action": self._request.get("action", ""),
            "reboot": self._request.get("reboot", ""),
            "at": int(time.time()),
        }
        with open_answers_dir(self._answers_parent) as opened:
            write_answer_file(opened, f"{UPDATE_NAME}.json", json.dumps(add_message_fields(told)))


def mark_interrupted(answers: Path) -> None:
    """Nothing is being done: what is still told to be under way was cut off, as by a lack of memory."""
    with open_answers_dir(answers) as opened:
        told = json.loads(read_answer_file(opened, f"{UPDATE_NAME}.json") or "{}")
        if told.get("state") in ACTIVE_UPDATE_STATES:
            told |= {"state": "failed", "text": Message("update.interrupted"), "at": int(time.time())}
            write_answer_file(opened, f"{UPDATE_NAME}.json", json.dumps(add_message_fields(told)))
