"""Collect the facts about this Plug from which `domain.attention` judges what needs attention."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from appliance.delivery import licence_policy, outbox
from appliance.domain.attention import PlugFacts
from appliance.settings.schema import Config, Home
from appliance.storage import events


def collect(
    db: sqlite3.Connection,
    home: Home,
    config: Config,
    now: datetime,
    *,
    settings_problems: Sequence[str] = (),
    poller_running: bool = True,
    trap_receiver_running: bool = True,
) -> PlugFacts:
    """Return the facts; the states of the services are those that the caller knows."""
    return PlugFacts(
        now,
        tuple(settings_problems),
        poller_running,
        trap_receiver_running,
        bool(config.discovery.entries),
        licence_policy.find_obstacle(home, config, now),
        outbox.count_parcels(db),
        tuple(events.list_ongoing(db)),
    )
