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
from appliance.config import Config
from appliance.home import INSTALLED, Home
from appliance.store import events, meta
from appliance.system import trial, units, versions
from appliance.updates import bundles, channel, fleet, standing, window
from appliance.updates.channel import Offer, is_roundabout
from appliance.updates.client import Client, NotFetched, origin
from appliance.updates.ddi import USUAL, Ddi

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
EVERY, JITTER = timedelta(days=1), timedelta(hours=2)  # a thousand Plugs do not come at once
AGAIN = timedelta(hours=1)  # after the channel could not be asked
FIRST_SECONDS = 60.0  # within which the fleet server is asked after a start, some sooner than others

KIND = "update"
LOGINS = {"target": "TargetToken", "gateway": "GatewayToken"}  # as hawkBit calls its schemes
TOLD, SEEN, TRIED = "update.told", "update.outcome", "update.tried"


@dataclass(frozen=True, slots=True)
class Box:
    """The box whose updates are looked after."""

    home: Home
    root: Path = Path("/")
    patience: float = FIRST_SECONDS
    often: float = fleet.OFTEN

    @property
    def is_here(self) -> bool:
        """Elsewhere there is nothing to update."""
        installed = self.root / INSTALLED.relative_to("/")
        return self.home.folder == installed and units.is_booted(self.root)


class Updating:
    """What the poller does about updates."""

    def __init__(self, db: sqlite3.Connection, box: Box, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._box = box
        self._home = box.home
        self._clock = clock
        self._asked_restart = ""
        self._asked_install = ""  # the request of the latest one
        self._fleet = fleet.Fleet(db, box.home, clock, root=box.root, often=box.often)
        self._server: object = None
        self._next_poll = 0.0

    async def look(self, config: Config) -> None:
        """Tell what has come of updates, restart where it is time, ask the channel where it is due."""
        if not self._box.is_here:
            return
        now = self._clock()
        self._tell_outcome(now)
        self._tell_refusal(now)
        self._restart(config)
        if config.update.channel:
            await self._look_at_channel(config, now)
            self._install_offer(config, now)
        elif channel.kept(self._db):
            channel.keep(self._db, None)
            self._say(channel.PROBLEM, "channel", None, now)

    async def poll_fleet(self, config: Config) -> None:
        """Ask the fleet server where that is due."""
        server = config.update.hawkbit
        if not self._box.is_here or not server.url:
            self._server = (server, config.plug.name)
            self._say(fleet.PROBLEM, "fleet server", None, self._clock())
            return
        if (server, config.plug.name) != self._server:
            first = self._server is None
            self._server = (server, config.plug.name)
            self._next_poll = time.monotonic() + (random.uniform(0, self._box.patience) if first else 0)
        if time.monotonic() < self._next_poll:
            return
        client = replace(
            Client.from_config(config),
            origin=origin(server.url),
            authorisation=f"{LOGINS[server.token_kind]} {server.token}",
        )
        ddi = Ddi(client, server.url, server.tenant, server.controller or config.plug.name)
        problem, seconds = None, USUAL
        try:
            may = window.is_open(config.update.hours, self._local(config))
            seconds = await self._fleet.poll(ddi, client, self._attributes(config), may_restart=may)
        except (NotFetched, OSError) as error:
            problem = str(error)
        self._next_poll = time.monotonic() + seconds
        self._say(fleet.PROBLEM, "fleet server", problem, self._clock())

    def _tell_outcome(self, now: datetime) -> None:
        """Once, as an event; the bundle has done its work."""
        found = trial.outcome(self._box.root)
        if found is None or meta.get(self._db, SEEN) == f"{found.booted} {found.at}":
            return
        meta.put(self._db, SEEN, f"{found.booted} {found.at}")
        was, new = found.trial.from_version, found.trial.to_version
        why = f" ({found.trial.why})" if found.trial.why else ""
        text = {
            "updated": f"the Plug was updated from version {was} to {new}",
            "fell back": f"version {new} did not start well, {was} runs again{why}",
            "interrupted": f"version {new} was not installed to its end, {was} runs as before",
        }[found.came]
        events.note(self._db, KIND, "plug", text, now)
        log.warning("update: %s", text)
        if found.came == "updated":
            with suppress(OSError):
                bundles.remove(self._home.updates)

    def _tell_refusal(self, now: datetime) -> None:
        answer = units.answer(self._home.run, self._asked_install)
        if answer:
            self._asked_install = ""
            if answer.state != "done":
                events.note(self._db, KIND, "plug", f"an update was not installed: {answer.text}", now)
        found = standing.progress(self._home.run)
        if found is None or found.state not in ("refused", "failed"):
            return
        told = f"{found.at:%s} {found.text}"
        if meta.get(self._db, TOLD) != told:
            meta.put(self._db, TOLD, told)
            events.note(self._db, KIND, "plug", f"an update was not installed: {found.text}", now)

    def _restart(self, config: Config) -> None:
        """For what is installed and was not to restart at once; asked for once."""
        found = standing.progress(self._home.run)
        if found is None or found.state != "installed" or found.reboots:
            return
        asked = f"{found.at:%s}"
        if self._asked_restart != asked and window.is_open(config.update.hours, self._local(config)):
            self._asked_restart = asked
            log.warning("update: the Plug restarts with version %s", found.version)
            self._request({"do": "reboot"})

    async def _look_at_channel(self, config: Config, now: datetime) -> None:
        before = channel.kept(self._db)
        at = meta.get_time(self._db, channel.NEXT)
        other = before is None or before.channel != config.update.channel
        problem = meta.get(self._db, channel.PROBLEM)
        waits = at is not None and now < at < now + EVERY + JITTER + AGAIN
        if waits and not (other and problem is None):
            return
        problem, wait = None, EVERY + JITTER * random.random()
        try:
            offer = await channel.look(
                Client.from_config(config), config.update.channel, None if other else before
            )
            channel.keep(self._db, offer)
        except NotFetched as error:
            problem, wait = str(error), AGAIN * (1 + random.random())
        meta.put_time(self._db, channel.NEXT, now + wait)
        self._say(channel.PROBLEM, "channel", problem, now)

    def _install_offer(self, config: Config, now: datetime) -> None:
        """Once a day each version at most, and never again one that did not start well."""
        offer = channel.kept(self._db)
        if offer is None or not (config.update.automatic and self._is_wanted(offer, now)):
            return
        meta.put(self._db, TRIED, f"{offer.version} {int(now.timestamp())}")
        log.info("update: version %s is installed, as the channel offers it", offer.version)
        fetch = "yes" if is_roundabout(config) else "no"
        order = {
            "do": "update",
            "source": offer.url,
            "fetch": fetch,
            "older": "no",
            "reboot": "no",
            "action": "",
        }
        self._asked_install = self._request(order)

    def _request(self, order: Mapping[str, object]) -> str:
        """Return the request's id, "" where it could not be written."""
        try:
            return units.request(self._home.run, order)
        except OSError as error:
            log.warning("update: cannot be asked for: %s", error)
            return ""

    def _is_wanted(self, offer: Offer, now: datetime) -> bool:
        progress = standing.progress(self._home.run)
        if progress and (progress.is_under_way or progress.state == "installed"):
            return False
        before = trial.outcome(self._box.root)
        if before and before.came == "fell back" and before.trial.to_version == offer.version:
            return False
        version, _, at = (meta.get(self._db, TRIED) or "").partition(" ")
        if (
            version == offer.version
            and at.isdecimal()
            and abs(now.timestamp() - int(at)) < EVERY.total_seconds()
        ):
            return False
        return versions.is_newer(offer.version, self._version())

    def _version(self) -> str:
        slots = standing.slots(self._home.run)
        return slots.version if slots and slots.version else __version__

    def _attributes(self, config: Config) -> dict[str, str]:
        """What the fleet server knows of this Plug."""
        slots = standing.slots(self._home.run)
        told = {
            "version": self._version(),
            "name": config.plug.name,
            "site": config.plug.site,
            "slot": slots.booted if slots else "",
        }
        return {key: value for key, value in told.items() if value}

    def _local(self, config: Config) -> datetime:
        return self._clock().astimezone(config.schedule.zone)

    def _say(self, key: str, subject: str, text: str | None, now: datetime) -> None:
        """Once when it begins, once when it ends; what it is now, for the page."""
        before = meta.get(self._db, key)
        if before == text:
            return
        meta.put(self._db, key, text)
        if before is not None:
            events.end(self._db, KIND, subject, now)
        if text is None:
            log.info("update: %s: can be asked again", subject)
        else:
            events.begin(self._db, KIND, subject, f"the {subject} cannot be asked: {text}", now)
            log.warning("update: %s: %s", subject, text)
