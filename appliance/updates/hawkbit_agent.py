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

from appliance.host import unit_status
from appliance.privileged import update_trial
from appliance.settings.paths import Home
from appliance.storage import key_value
from appliance.updates import bundle_store, update_status
from appliance.updates.hawkbit_api import Deployment, Finished, HawkbitApi
from appliance.updates.http_client import UpdateClient, UpdateFetchError, UpdateServerStatusError
from appliance.updates.update_status import UpdateProgress

PROBLEM_KEY, ACTION_KEY = "update.fleet.problem", "update.fleet.action"
ACTIVE_INTERVAL_S = 60.0  # seconds between two polls at most, while an action is under way
MAX_FETCH_TRIES = 5  # to fetch a bundle
LOST_REQUEST_TIMEOUT = timedelta(
    minutes=15
)  # after which an order was lost: the Plug was switched off before root began
CLOSED_STATUSES = (404, 410)  # the server knows the action no more, or has closed it

ActionStage = Literal["new", "fetched", "ordered", "installed", "over", "told"]
ACTION_STAGES: tuple[ActionStage, ...] = ("new", "fetched", "ordered", "installed", "over", "told")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HawkbitAction:
    """How far the Plug is with what the server wants."""

    id: str
    stage: ActionStage = "new"
    tries: int = 0
    bundle: str = ""  # which one was fetched for it
    at: str = ""  # of the order, ISO 8601
    request_id: str = ""  # of the privileged request for the installation
    finished: Finished = "none"  # how it ended, in the stage "over"
    detail: str = ""


class HawkbitAgent:
    """One Plug as its server sees it."""

    def __init__(
        self,
        db: sqlite3.Connection,
        home: Home,
        clock: Callable[[], datetime],
        *,
        root: Path = Path("/"),
        check_interval_s: float = ACTIVE_INTERVAL_S,
    ) -> None:
        """`often`: seconds between two looks at the server while a bundle comes."""
        self._db = db
        self._home = home
        self._clock = clock
        self._root = root
        self._check_interval_s = check_interval_s

    async def check_in(
        self, ddi: HawkbitApi, client: UpdateClient, attributes: Mapping[str, str], *, may_restart: bool
    ) -> float:
        """Do what there is to do; seconds until the next poll. Raises NotFetched."""
        base = await ddi.get_base()
        if base.wants_attributes:
            await ddi.put_attributes(attributes)
        await self._report_result(ddi)
        if base.cancel:
            await self._handle_cancel(ddi, await ddi.get_cancel_action(base.cancel))
        elif base.deployment and not self._is_already_reported(base.deployment):
            wanted = await ddi.get_deployment(base.deployment)
            await self._handle_deployment(ddi, client, wanted, may_restart=may_restart)
        action = self._load_action()
        under_way = action is not None and action.stage != "told"
        return min(base.sleep, ACTIVE_INTERVAL_S) if under_way else base.sleep

    def _is_already_reported(self, link: str) -> bool:
        """The server may not have taken notice yet."""
        action = self._load_action()
        return action is not None and action.stage == "told" and action.id == link.partition("?")[0]

    async def _handle_deployment(
        self, ddi: HawkbitApi, client: UpdateClient, deployment: Deployment, *, may_restart: bool
    ) -> None:
        action = self._load_action()
        if action is None or action.id != deployment.id:
            action = self._save_action(HawkbitAction(deployment.id))
            log.info("update: the fleet server wants version %s", deployment.version or "?")
        if deployment.artifact is None:
            await self._finish_action(ddi, action, "failure", "a Plug needs exactly one .raucb file")
            return
        if action.stage == "new" and deployment.download != "skip":
            action = await self._fetch_bundle(ddi, client, action, deployment)
        if action.stage != "fetched":
            return
        if deployment.update == "skip":
            if not deployment.has_window:  # it was to be fetched, and no more
                await ddi.send_feedback(action.id, "downloaded", "success", ["the bundle is here"])
                self._save_action(replace(action, stage="told"))
        elif deployment.update == "forced" or may_restart:
            await self._request_install(ddi, action, at_once=deployment.update == "forced")

    async def _fetch_bundle(
        self, ddi: HawkbitApi, client: UpdateClient, action: HawkbitAction, deployment: Deployment
    ) -> HawkbitAction:
        """The bundle, as long as the server does not think better of it."""
        artifact = deployment.artifact
        if artifact is None:
            return action
        if self._is_installing():
            return action  # from that very place
        await ddi.send_feedback(action.id, "proceeding", "none", [f"fetches version {deployment.version}"])
        fetching = asyncio.create_task(
            client.fetch_bundle(artifact.url, self._home.updates, size=artifact.size, sha256=artifact.sha256)
        )
        try:
            while not fetching.done():
                await asyncio.wait({fetching}, timeout=self._check_interval_s)
                if not fetching.done() and await self._is_cancelled(ddi):
                    return action
            fetching.result()
        except UpdateFetchError as error:
            return await self._handle_fetch_failure(ddi, action, str(error))
        finally:
            fetching.cancel()
            with suppress(asyncio.CancelledError, UpdateFetchError):
                await fetching
        await ddi.send_feedback(
            action.id, "proceeding", "none", ["the bundle is here, its checksum is right"]
        )
        kept = bundle_store.find_bundle(self._home.updates)
        return self._save_action(replace(action, stage="fetched", bundle=kept.fingerprint if kept else ""))

    async def _is_cancelled(self, ddi: HawkbitApi) -> bool:
        try:
            return bool((await ddi.get_base()).cancel)
        except UpdateFetchError:
            return False  # the bundle may come from elsewhere

    async def _handle_fetch_failure(
        self, ddi: HawkbitApi, action: HawkbitAction, reason: str
    ) -> HawkbitAction:
        action = self._save_action(replace(action, tries=action.tries + 1))
        if action.tries >= MAX_FETCH_TRIES:
            return await self._finish_action(ddi, action, "failure", reason)
        await ddi.send_feedback(action.id, "proceeding", "none", [f"{reason}; it is tried again"])
        return action

    async def _request_install(self, ddi: HawkbitApi, action: HawkbitAction, *, at_once: bool) -> None:
        if self._is_installing():
            await ddi.send_feedback(
                action.id, "rejected", "none", ["another update is being installed; later"]
            )
            return
        kept = bundle_store.find_bundle(self._home.updates)
        if kept is None or kept.fingerprint != action.bundle:  # somebody took it away, or brought another one
            self._save_action(replace(action, stage="new"))
            return
        reboot = "yes" if at_once else "no"
        order = {"source": "upload", "fetch": "no", "older": "no", "reboot": reboot, "action": action.id}
        action = self._save_action(
            replace(action, stage="ordered", at=self._clock().isoformat(), request_id="")
        )
        request_id = unit_status.submit_request(self._home.run, {"do": "update", **order})
        self._save_action(replace(action, request_id=request_id))
        await ddi.send_feedback(action.id, "proceeding", "none", ["is being installed"])

    def _is_installing(self) -> bool:
        progress = update_status.read_update_progress(self._home.run)
        return progress is not None and progress.is_under_way

    async def _report_result(self, ddi: HawkbitApi) -> None:
        """What has happened since the last poll. Raises NotFetched."""
        action = self._load_action()
        if action is None or action.stage in ("new", "fetched", "told"):
            return
        if action.stage == "over":
            await self._close_action(ddi, action)
            return
        outcome = update_trial.read_outcome(self._root)
        if outcome and outcome.trial.action == action.id:
            finished, detail = _describe_outcome(outcome)
            await self._finish_action(ddi, action, finished, detail)
            return
        progress = update_status.read_update_progress(self._home.run)
        if progress and progress.action == action.id:
            await self._report_progress(ddi, action, progress)
        elif (
            answer := unit_status.read_answer(self._home.run, action.request_id)
        ) and answer.state != "done":
            await self._finish_action(ddi, action, "failure", answer.text)
        elif (
            action.stage == "ordered"
            and update_trial.read_marker(self._root) is None
            and self._is_request_lost(action)
        ):
            await self._finish_action(
                ddi, action, "failure", "the Plug was switched off before it was installed"
            )

    async def _report_progress(
        self, ddi: HawkbitApi, action: HawkbitAction, progress: UpdateProgress
    ) -> None:
        if progress.state in ("refused", "failed"):
            await self._finish_action(ddi, action, "failure", progress.text)
        elif progress.is_under_way:
            await ddi.send_feedback(
                action.id, "proceeding", "none", [f"{progress.percent} %: {progress.step}"]
            )
        elif action.stage == "ordered":
            await ddi.send_feedback(action.id, "proceeding", "none", ["is installed; the restart comes next"])
            self._save_action(replace(action, stage="installed"))

    def _is_request_lost(self, action: HawkbitAction) -> bool:
        try:
            return abs(self._clock() - datetime.fromisoformat(action.at)) > LOST_REQUEST_TIMEOUT
        except ValueError:
            return True

    async def _finish_action(
        self, ddi: HawkbitApi, action: HawkbitAction, finished: Finished, detail: str
    ) -> HawkbitAction:
        """Kept before it is told: the line may be down for days."""
        log.info("update: the fleet server's action %s: %s", action.id, detail)
        return await self._close_action(
            ddi, self._save_action(replace(action, stage="over", finished=finished, detail=detail))
        )

    async def _close_action(self, ddi: HawkbitApi, action: HawkbitAction) -> HawkbitAction:
        try:
            await ddi.send_feedback(action.id, "closed", action.finished, [action.detail])
        except UpdateServerStatusError as error:
            if error.status not in CLOSED_STATUSES:
                raise
        return self._save_action(replace(action, stage="told"))

    async def _handle_cancel(self, ddi: HawkbitApi, stop: str) -> None:
        """What root has begun is not stopped half-way."""
        action = self._load_action()
        if action and action.id == stop and action.stage in ("ordered", "installed"):
            await ddi.send_cancel_feedback(stop, "rejected", "none", ["the installation has begun"])
            return
        if action and action.id == stop:
            key_value.put(self._db, ACTION_KEY, None)
            bundle_store.remove_bundle(self._home.updates)
        await ddi.send_cancel_feedback(stop, "closed", "success", ["cancelled"])

    def _load_action(self) -> HawkbitAction | None:
        told = key_value.get(self._db, ACTION_KEY)
        try:
            found = json.loads(told) if told else None
            return HawkbitAction(**found) if found and found["stage"] in ACTION_STAGES else None
        except (ValueError, TypeError, LookupError):  # of another version of the Plug
            return None

    def _save_action(self, action: HawkbitAction) -> HawkbitAction:
        key_value.put(self._db, ACTION_KEY, json.dumps(asdict(action)))
        return action


def _describe_outcome(outcome: update_trial.UpdateOutcome) -> tuple[Finished, str]:
    marker = outcome.trial
    match outcome.came:
        case "updated":
            return "success", f"version {marker.to_version} runs, and is well"
        case "fell back":
            why = marker.why or "it did not start well"
            return "failure", f"back to version {marker.from_version}: {why}"
    return "failure", f"interrupted; version {marker.from_version} runs as before"
