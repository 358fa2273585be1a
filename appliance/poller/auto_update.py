"""Updates by themselves: who offers one is asked, restarts wait for their hours, outcomes are told."""

import logging
import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from appliance import __version__
from appliance.domain.messages import Message, message_of
from appliance.host import semver, unit_status
from appliance.privileged import update_trial
from appliance.settings.paths import PLUG_STATE_DIR, Home
from appliance.settings.schema import Config
from appliance.storage import events, key_value
from appliance.updates import bundle_store, channel, hawkbit_agent, maintenance_window, update_status
from appliance.updates.channel import UpdateOffer, needs_local_download
from appliance.updates.hawkbit_api import DEFAULT_SLEEP_S, HawkbitApi
from appliance.updates.http_client import UpdateClient, UpdateFetchError, url_origin

log = logging.getLogger(__name__)

CHECK_INTERVAL_S = 15.0
CHANNEL_INTERVAL, CHANNEL_JITTER = (
    timedelta(days=1),
    timedelta(hours=2),
)  # a thousand Plugs do not come at once
RETRY_INTERVAL = timedelta(hours=1)  # after the channel could not be asked
MAX_FIRST_DELAY_S = 60.0  # within which the fleet server is asked after a start, some sooner than others

EVENT_KIND = "update"
AUTH_SCHEMES = {"target": "TargetToken", "gateway": "GatewayToken"}  # as hawkBit calls its schemes
REPORTED_FAILURE_KEY, REPORTED_OUTCOME_KEY, TRIED_VERSION_KEY = (
    "update.told",
    "update.outcome",
    "update.tried",
)


@dataclass(frozen=True, slots=True)
class UpdateEnvironment:
    """The box whose updates are looked after."""

    home: Home
    root: Path = Path("/")
    max_first_delay_s: float = MAX_FIRST_DELAY_S
    check_interval_s: float = hawkbit_agent.ACTIVE_INTERVAL_S

    @property
    def is_on_plug(self) -> bool:
        """Elsewhere there is nothing to update."""
        installed = self.root / PLUG_STATE_DIR.relative_to("/")
        return self.home.folder == installed and unit_status.is_systemd_running(self.root)


class AutoUpdater:
    """What the poller does about updates."""

    def __init__(
        self, db: sqlite3.Connection, environment: UpdateEnvironment, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._environment = environment
        self._home = environment.home
        self._clock = clock
        self._requested_restart = ""
        self._install_request_id = ""  # of the latest request
        self._hawkbit = hawkbit_agent.HawkbitAgent(
            db, environment.home, clock, root=environment.root, check_interval_s=environment.check_interval_s
        )
        self._server: object = None
        self._next_check_in = 0.0

    async def check(self, config: Config) -> None:
        """Tell what has come of updates, restart where it is time, ask the channel where it is due."""
        if not self._environment.is_on_plug:
            return
        now = self._clock()
        self._report_outcome(now)
        self._report_failure(now)
        self._restart_if_due(config)
        if config.update.channel:
            await self._check_channel(config, now)
            self._install_offer(config, now)
        elif channel.load_offer(self._db):
            channel.save_offer(self._db, None)
            self._update_problem_event(channel.PROBLEM_KEY, "channel", None, now)

    async def check_in_with_hawkbit(self, config: Config) -> None:
        """Ask the fleet server where that is due."""
        server = config.update.hawkbit
        if not self._environment.is_on_plug or not server.url:
            self._server = (server, config.plug.name)
            self._update_problem_event(hawkbit_agent.PROBLEM_KEY, "fleet server", None, self._clock())
            return
        if (server, config.plug.name) != self._server:
            first = self._server is None
            self._server = (server, config.plug.name)
            self._next_check_in = time.monotonic() + (
                random.uniform(0, self._environment.max_first_delay_s) if first else 0
            )
        if time.monotonic() < self._next_check_in:
            return
        client = replace(
            UpdateClient.from_config(config),
            origin=url_origin(server.url),
            authorisation=f"{AUTH_SCHEMES[server.token_kind]} {server.token}",
        )
        ddi = HawkbitApi(client, server.url, server.tenant, server.controller or config.plug.name)
        problem, seconds = None, DEFAULT_SLEEP_S
        try:
            may = maintenance_window.is_open(config.update.hours, self._local_time(config))
            seconds = await self._hawkbit.check_in(ddi, client, self._attributes(config), may_restart=may)
        except (UpdateFetchError, OSError) as error:
            problem = message_of(error)
        self._next_check_in = time.monotonic() + seconds
        self._update_problem_event(hawkbit_agent.PROBLEM_KEY, "fleet server", problem, self._clock())

    def _report_outcome(self, now: datetime) -> None:
        """Once, as an event; the bundle has done its work."""
        found = update_trial.read_outcome(self._environment.root)
        if found is None or key_value.get(self._db, REPORTED_OUTCOME_KEY) == f"{found.booted} {found.at}":
            return
        key_value.put(self._db, REPORTED_OUTCOME_KEY, f"{found.booted} {found.at}")
        was, new = found.trial.from_version, found.trial.to_version
        text = {
            "updated": Message("update.done", old=was, new=new),
            "fell back": Message("update.fell_back_reason", new=new, old=was, reason=found.trial.why)
            if found.trial.why
            else Message("update.fell_back", new=new, old=was),
            "interrupted": Message("update.not_finished", new=new, old=was),
        }[found.came]
        events.note(self._db, EVENT_KIND, "plug", text, now)
        log.warning("update: %s", text)
        if found.came == "updated":
            with suppress(OSError):
                bundle_store.remove_bundle(self._home.updates)

    def _report_failure(self, now: datetime) -> None:
        answer = unit_status.read_answer(self._home.run, self._install_request_id)
        if answer:
            self._install_request_id = ""
            if answer.state != "done":
                events.note(self._db, EVENT_KIND, "plug", Message("update.failed", reason=answer.text), now)
        found = update_status.read_update_progress(self._home.run)
        if found is None or found.state not in ("refused", "failed"):
            return
        told = f"{found.at:%s} {found.text}"
        if key_value.get(self._db, REPORTED_FAILURE_KEY) != told:
            key_value.put(self._db, REPORTED_FAILURE_KEY, told)
            events.note(self._db, EVENT_KIND, "plug", Message("update.failed", reason=found.text), now)

    def _restart_if_due(self, config: Config) -> None:
        """For what is installed and was not to restart at once; asked for once."""
        found = update_status.read_update_progress(self._home.run)
        if found is None or found.state != "installed" or found.reboots:
            return
        asked = f"{found.at:%s}"
        if self._requested_restart != asked and maintenance_window.is_open(
            config.update.hours, self._local_time(config)
        ):
            self._requested_restart = asked
            log.warning("update: the Plug restarts with version %s", found.version)
            self._submit_request({"do": "reboot"})

    async def _check_channel(self, config: Config, now: datetime) -> None:
        before = channel.load_offer(self._db)
        at = key_value.get_time(self._db, channel.NEXT_CHECK_KEY)
        other = before is None or before.channel != config.update.channel
        problem = key_value.get_message(self._db, channel.PROBLEM_KEY)
        waits = at is not None and now < at < now + CHANNEL_INTERVAL + CHANNEL_JITTER + RETRY_INTERVAL
        if waits and not (other and problem is None):
            return
        problem, wait = None, CHANNEL_INTERVAL + CHANNEL_JITTER * random.random()
        try:
            offer = await channel.fetch_offer(
                UpdateClient.from_config(config), config.update.channel, None if other else before
            )
            channel.save_offer(self._db, offer)
        except UpdateFetchError as error:
            problem, wait = message_of(error), RETRY_INTERVAL * (1 + random.random())
        key_value.put_time(self._db, channel.NEXT_CHECK_KEY, now + wait)
        self._update_problem_event(channel.PROBLEM_KEY, "channel", problem, now)

    def _install_offer(self, config: Config, now: datetime) -> None:
        """Once a day each version at most, and never again one that did not start well."""
        offer = channel.load_offer(self._db)
        if offer is None or not (config.update.automatic and self._should_install(offer, now)):
            return
        key_value.put(self._db, TRIED_VERSION_KEY, f"{offer.version} {int(now.timestamp())}")
        log.info("update: version %s is installed, as the channel offers it", offer.version)
        order = {
            "do": "update",
            "source": offer.url,
            "fetch": "yes" if needs_local_download(config) else "no",
            "older": "no",
            "reboot": "no",
            "action": "",
        }
        self._install_request_id = self._submit_request(order)

    def _submit_request(self, request: Mapping[str, object]) -> str:
        """Return the request's id, or "" where it could not be written."""
        try:
            return unit_status.submit_request(self._home.run, request)
        except OSError as error:
            log.warning("update: cannot be asked for: %s", error)
            return ""

    def _should_install(self, offer: UpdateOffer, now: datetime) -> bool:
        progress = update_status.read_update_progress(self._home.run)
        if progress and (progress.is_under_way or progress.state == "installed"):
            return False
        before = update_trial.read_outcome(self._environment.root)
        if before and before.came == "fell back" and before.trial.to_version == offer.version:
            return False
        version, _, at = (key_value.get(self._db, TRIED_VERSION_KEY) or "").partition(" ")
        if (
            version == offer.version
            and at.isdecimal()
            and abs(now.timestamp() - int(at)) < CHANNEL_INTERVAL.total_seconds()
        ):
            return False
        return semver.is_newer(offer.version, self._current_version())

    def _current_version(self) -> str:
        slots = update_status.read_slot_status(self._home.run)
        return slots.version if slots and slots.version else __version__

    def _attributes(self, config: Config) -> dict[str, str]:
        """What the fleet server knows of this Plug."""
        slots = update_status.read_slot_status(self._home.run)
        told = {
            "version": self._current_version(),
            "name": config.plug.name,
            "site": config.plug.site,
            "slot": slots.booted if slots else "",
        }
        return {key: value for key, value in told.items() if value}

    def _local_time(self, config: Config) -> datetime:
        return self._clock().astimezone(config.schedule.zone)

    def _update_problem_event(self, key: str, subject: str, text: str | None, now: datetime) -> None:
        """Once when it begins, once when it ends; what it is now, for the page."""
        before = key_value.get(self._db, key)
        if before == text:
            return
        key_value.put_message(self._db, key, text)
        if before is not None:
            events.end(self._db, EVENT_KIND, subject, now)
        if text is None:
            log.info("update: %s: can be asked again", subject)
        else:
            events.begin(self._db, EVENT_KIND, subject, _unreachable(subject, text), now)
            log.warning("update: %s: %s", subject, text)


def _unreachable(subject: str, reason: str) -> Message:
    if subject == "channel":
        return Message("update.channel_unreachable", reason=reason)
    return Message("update.fleet_server_unreachable", reason=reason)
