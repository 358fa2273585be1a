"""What a fleet server (Eclipse hawkBit) wants of this Plug, done step by step.

An action is fetched, checked, ordered from root, and reported as done only after the restart, when the new
version has been marked good. How far it is outlives the restart in the database; which action a restart
belongs to, root's own marker knows.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from appliance.home import Home
from appliance.store import meta
from appliance.system import trial, units
from appliance.updates import bundles, standing
from appliance.updates.client import Answered, Client, NotFetched
from appliance.updates.ddi import Ddi, Deployment, Finished
from appliance.updates.standing import Progress

PROBLEM, ACTION = "update.fleet.problem", "update.fleet.action"
OFTEN = 60.0  # seconds between two polls at most, while an action is under way
MOST_TRIES = 5  # to fetch a bundle
NO_NEWS = timedelta(minutes=15)  # after which an order was lost: the Plug was switched off before root began
GONE = (404, 410)  # the server knows the action no more, or has closed it

Stage = Literal["new", "fetched", "ordered", "installed", "over", "told"]
STAGES: tuple[Stage, ...] = ("new", "fetched", "ordered", "installed", "over", "told")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Action:
    """How far the Plug is with what the server wants."""

    id: str
    stage: Stage = "new"
    tries: int = 0
    bundle: str = ""  # which one was fetched for it
    at: str = ""  # of the order, ISO 8601
    request: str = ""  # by which the order was given
    finished: Finished = "none"  # how it ended, in the stage "over"
    detail: str = ""


class Fleet:
    """One Plug as its server sees it."""

    def __init__(
        self,
        db: sqlite3.Connection,
        home: Home,
        clock: Callable[[], datetime],
        *,
        root: Path = Path("/"),
        often: float = OFTEN,
    ) -> None:
        """`often`: seconds between two looks at the server while a bundle comes."""
        self._db = db
        self._home = home
        self._clock = clock
        self._root = root
        self._often = often

    async def poll(
        self, ddi: Ddi, client: Client, attributes: Mapping[str, str], *, may_restart: bool
    ) -> float:
        """Do what there is to do; seconds until the next poll. Raises NotFetched."""
        base = await ddi.base()
        if base.wants_attributes:
            await ddi.put_attributes(attributes)
        await self._report(ddi)
        if base.cancel:
            await self._cancel(ddi, await ddi.cancel(base.cancel))
        elif base.deployment and not self._is_done_with(base.deployment):
            wanted = await ddi.deployment(base.deployment)
            await self._deploy(ddi, client, wanted, may_restart=may_restart)
        action = self._action()
        under_way = action is not None and action.stage != "told"
        return min(base.sleep, OFTEN) if under_way else base.sleep

    def _is_done_with(self, link: str) -> bool:
        """The server may not have taken notice yet."""
        action = self._action()
        return action is not None and action.stage == "told" and action.id == link.partition("?")[0]

    async def _deploy(self, ddi: Ddi, client: Client, wanted: Deployment, *, may_restart: bool) -> None:
        action = self._action()
        if action is None or action.id != wanted.id:
            action = self._keep(Action(wanted.id))
            log.info("update: the fleet server wants version %s", wanted.version or "?")
        if wanted.artifact is None:
            await self._over(ddi, action, "failure", "a Plug needs exactly one .raucb file")
            return
        if action.stage == "new" and wanted.download != "skip":
            action = await self._fetch(ddi, client, action, wanted)
        if action.stage != "fetched":
            return
        if wanted.update == "skip":
            if not wanted.has_window:  # it was to be fetched, and no more
                await ddi.tell(action.id, "downloaded", "success", ["the bundle is here"])
                self._keep(replace(action, stage="told"))
        elif wanted.update == "forced" or may_restart:
            await self._order(ddi, action, at_once=wanted.update == "forced")

    async def _fetch(self, ddi: Ddi, client: Client, action: Action, wanted: Deployment) -> Action:
        """The bundle, as long as the server does not think better of it."""
        artifact = wanted.artifact
        if artifact is None:
            return action
        if self._is_installing():
            return action  # from that very place
        await ddi.tell(action.id, "proceeding", "none", [f"fetches version {wanted.version}"])
        fetching = asyncio.create_task(
            client.fetch(artifact.url, self._home.updates, size=artifact.size, sha256=artifact.sha256)
        )
        try:
            while not fetching.done():
                await asyncio.wait({fetching}, timeout=self._often)
                if not fetching.done() and await self._is_cancelled(ddi):
                    return action
            fetching.result()
        except NotFetched as error:
            return await self._not_fetched(ddi, action, str(error))
        finally:
            fetching.cancel()
            with suppress(asyncio.CancelledError, NotFetched):
                await fetching
        await ddi.tell(action.id, "proceeding", "none", ["the bundle is here, its checksum is right"])
        kept = bundles.kept(self._home.updates)
        return self._keep(replace(action, stage="fetched", bundle=kept.mark if kept else ""))

    async def _is_cancelled(self, ddi: Ddi) -> bool:
        try:
            return bool((await ddi.base()).cancel)
        except NotFetched:
            return False  # the bundle may come from elsewhere

    async def _not_fetched(self, ddi: Ddi, action: Action, why: str) -> Action:
        action = self._keep(replace(action, tries=action.tries + 1))
        if action.tries >= MOST_TRIES:
            return await self._over(ddi, action, "failure", why)
        await ddi.tell(action.id, "proceeding", "none", [f"{why}; it is tried again"])
        return action

    async def _order(self, ddi: Ddi, action: Action, *, at_once: bool) -> None:
        if self._is_installing():
            await ddi.tell(action.id, "rejected", "none", ["another update is being installed; later"])
            return
        kept = bundles.kept(self._home.updates)
        if kept is None or kept.mark != action.bundle:  # somebody took it away, or brought another one
            self._keep(replace(action, stage="new"))
            return
        reboot = "yes" if at_once else "no"
        order = {"source": "upload", "fetch": "no", "older": "no", "reboot": reboot, "action": action.id}
        action = self._keep(replace(action, stage="ordered", at=self._clock().isoformat(), request=""))
        request = units.request(self._home.run, {"do": "update", **order})
        self._keep(replace(action, request=request))
        await ddi.tell(action.id, "proceeding", "none", ["is being installed"])

    def _is_installing(self) -> bool:
        progress = standing.progress(self._home.run)
        return progress is not None and progress.is_under_way

    async def _report(self, ddi: Ddi) -> None:
        """What has happened since the last poll. Raises NotFetched."""
        action = self._action()
        if action is None or action.stage in ("new", "fetched", "told"):
            return
        if action.stage == "over":
            await self._close(ddi, action)
            return
        outcome = trial.outcome(self._root)
        if outcome and outcome.trial.action == action.id:
            finished, detail = _ended(outcome)
            await self._over(ddi, action, finished, detail)
            return
        progress = standing.progress(self._home.run)
        if progress and progress.action == action.id:
            await self._report_progress(ddi, action, progress)
        elif (answer := units.answer(self._home.run, action.request)) and answer.state != "done":
            await self._over(ddi, action, "failure", answer.text)
        elif action.stage == "ordered" and trial.read(self._root) is None and self._is_lost(action):
            await self._over(ddi, action, "failure", "the Plug was switched off before it was installed")

    async def _report_progress(self, ddi: Ddi, action: Action, progress: Progress) -> None:
        if progress.state in ("refused", "failed"):
            await self._over(ddi, action, "failure", progress.text)
        elif progress.is_under_way:
            await ddi.tell(action.id, "proceeding", "none", [f"{progress.percent} %: {progress.step}"])
        elif action.stage == "ordered":
            await ddi.tell(action.id, "proceeding", "none", ["is installed; the restart comes next"])
            self._keep(replace(action, stage="installed"))

    def _is_lost(self, action: Action) -> bool:
        try:
            return abs(self._clock() - datetime.fromisoformat(action.at)) > NO_NEWS
        except ValueError:
            return True

    async def _over(self, ddi: Ddi, action: Action, finished: Finished, detail: str) -> Action:
        """Kept before it is told: the line may be down for days."""
        log.info("update: the fleet server's action %s: %s", action.id, detail)
        return await self._close(
            ddi, self._keep(replace(action, stage="over", finished=finished, detail=detail))
        )

    async def _close(self, ddi: Ddi, action: Action) -> Action:
        try:
            await ddi.tell(action.id, "closed", action.finished, [action.detail])
        except Answered as error:
            if error.status not in GONE:
                raise
        return self._keep(replace(action, stage="told"))

    async def _cancel(self, ddi: Ddi, stop: str) -> None:
        """What root has begun is not stopped half-way."""
        action = self._action()
        if action and action.id == stop and action.stage in ("ordered", "installed"):
            await ddi.tell_cancel(stop, "rejected", "none", ["the installation has begun"])
            return
        if action and action.id == stop:
            meta.put(self._db, ACTION, None)
            bundles.remove(self._home.updates)
        await ddi.tell_cancel(stop, "closed", "success", ["cancelled"])

    def _action(self) -> Action | None:
        told = meta.get(self._db, ACTION)
        try:
            found = json.loads(told) if told else None
            return Action(**found) if found and found["stage"] in STAGES else None
        except (ValueError, TypeError, LookupError):  # of another version of the Plug
            return None

    def _keep(self, action: Action) -> Action:
        meta.put(self._db, ACTION, json.dumps(asdict(action)))
        return action


def _ended(outcome: trial.Outcome) -> tuple[Finished, str]:
    marker = outcome.trial
    match outcome.came:
        case "updated":
            return "success", f"version {marker.to_version} runs, and is well"
        case "fell back":
            why = marker.why or "it did not start well"
            return "failure", f"back to version {marker.from_version}: {why}"
    return "failure", f"interrupted; version {marker.from_version} runs as before"
