"""The service of the page: everything it needs, wired by hand."""

import asyncio
import logging
import os
import signal
import sqlite3
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path

from aiohttp import web

from appliance.domain.clock import utc_now
from appliance.host import sd_notify, socket_activation
from appliance.settings.schema import Home
from appliance.storage import database, service_lifecycle
from appliance.web import listeners, privileged_client, tls
from appliance.web.auth import Login
from appliance.web.db_thread import Store
from appliance.web.discovery import Discovery
from appliance.web.handlers import MOST_BYTES, routes
from appliance.web.hostnames import names
from appliance.web.imports import Imports
from appliance.web.jobs import Jobs, Poller
from appliance.web.licences import Licences
from appliance.web.listeners import Guests, Patient, Sockets
from appliance.web.mdns_service import Air, Around
from appliance.web.metrics import Metrics
from appliance.web.middleware import Gate, add_headers
from appliance.web.network import Network
from appliance.web.openapi import Description
from appliance.web.overview import Overview
from appliance.web.printers import Listing, Printers
from appliance.web.recordings import Recordings
from appliance.web.services import Services
from appliance.web.sessions import Sessions
from appliance.web.settings_store import Settings
from appliance.web.static_files import Files, folder
from appliance.web.system import System, Ways
from appliance.web.transmission import Transmission
from appliance.web.traps import Traps
from appliance.web.updates import Updates
from appliance.web.websocket import Live

log = logging.getLogger(__name__)


async def serve(home: Home, port: int | None = None, address: str = "") -> None:
    """Serve the page until SIGTERM or SIGINT, at one address if asked for.

    Raises CannotListen, NoFiles, BadDescription, Unusable.
    """
    home.create()
    wanted = Settings(home).now.web
    given = dict(socket_activation.take(os.environ, os.getpid()))
    sockets = listeners.choose(
        wanted.port if port is None else port,
        wanted.tls_port,
        given,
        asked=port is not None,
        address=address,
    )
    called = f"[{address}]" if ":" in address else address or "localhost"
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(home, sockets, air=Air()) as ways:
        log.info(
            "the page is at http://%s:%s%s",
            called,
            ways.port,
            f" and https://{called}:{ways.tls_port}" if ways.tls_port else "",
        )
        _note(home, lambda db: service_lifecycle.begin(db, "web", utc_now()))
        sd_notify.ready()
        watchdog = asyncio.create_task(_feed_watchdog())
        await stop.wait()
        sd_notify.stopping()
        watchdog.cancel()
        _note(home, lambda db: service_lifecycle.end(db, "web"))


def _note(home: Home, note: Callable[[sqlite3.Connection], None]) -> None:
    """On a full disk the page does without."""
    with suppress(database.Unusable), closing(database.open(home.database)) as db:
        note(db)


@asynccontextmanager
async def running(
    home: Home,
    sockets: Sockets,
    patience: float = listeners.SILENCE_SECONDS,
    *,
    air: Air | None = None,
    root: Path = Path("/"),
) -> AsyncIterator[Ways]:
    """The page on these sockets, while the block runs; on the air by mDNS where there is any."""
    async with AsyncExitStack() as stack:
        settings, store, sessions = Settings(home), Store(home.database), Sessions()
        stack.push_async_callback(store.close)
        await store.version()  # a database that cannot be opened is told of now
        context = await _context(home, settings) if sockets.tls else None
        ways = Ways(
            listeners.number(sockets.plain), listeners.number(sockets.tls) if context else None, context
        )
        guests = listeners.Guests(patience)
        around = Around(home, settings, store, ways.port, air)
        network = Network(home, settings, store, utc_now, here=privileged_client.is_box(home, root))
        app = _app(
            stack,
            home,
            settings,
            store=store,
            sessions=sessions,
            ways=ways,
            guests=guests,
            around=around,
            network=network,
            root=root,
        )
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        server = Patient(runner, guests)
        stack.push_async_callback(server.end)
        if sockets.plain:
            await server.begin(sockets.plain, None)
        if sockets.tls and context:
            await server.begin(sockets.tls, context)
        await stack.enter_async_context(around.on_air())
        await stack.enter_async_context(network.watching())
        yield ways


def _app(
    stack: AsyncExitStack,
    home: Home,
    settings: Settings,
    *,
    store: Store,
    sessions: Sessions,
    ways: Ways,
    guests: Guests,
    around: Around,
    network: Network,
    root: Path,
) -> web.Application:
    """All that answers requests; what has to be closed is left to the stack."""
    place = folder()
    description = Description(place / "openapi.json")
    gate = Gate(sessions, lambda: names(settings))
    app = web.Application(middlewares=[guests.note, gate.pass_through], client_max_size=MOST_BYTES)
    app.on_response_prepare.append(add_headers)
    listing, poller = Listing(store), Poller(home, store, utc_now)
    recordings = Recordings(store, utc_now)
    updates = Updates(home, settings, store, poller, root=root)
    apis = (
        Printers(store, listing, poller, utc_now),
        recordings,
        Jobs(store, poller),
        Overview(home, settings=settings, store=store, listing=listing, poller=poller, clock=utc_now),
        Discovery(settings, poller, utc_now),
        Imports(home, settings, store, poller, utc_now),
        around,
        Transmission(home, settings, store, poller, utc_now),
        Traps(home, settings, store),
        Services(home),
        network,
        Licences(home, settings, poller, utc_now),
        updates,
        System(home, settings=settings, store=store, sessions=sessions, ways=ways, clock=utc_now, root=root),
    )
    for api in apis:
        app.add_routes(routes(description, api.routes()))
    app.add_routes(updates.plain_routes())
    login, live = Login(home, settings, sessions, description), Live(store, settings, sessions)
    for part in (login, live, Metrics(settings, store, utc_now), Files(place)):
        app.add_routes(part.routes())
    stack.callback(login.close)
    stack.push_async_callback(recordings.close)
    app.on_shutdown.append(live.close)
    return app


async def _context(home: Home, settings: Settings) -> ssl.SSLContext | None:
    try:
        return await tls.context(home, settings.now.plug.name)
    except (tls.NoCertificate, OSError, ValueError) as error:
        log.warning("no HTTPS: %s", error)
        return None


async def _feed_watchdog() -> None:
    seconds = sd_notify.watchdog_seconds()
    while seconds:
        sd_notify.watchdog()
        await asyncio.sleep(seconds)
