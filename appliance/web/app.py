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

from appliance.clock import utc_now
from appliance.config import Home
from appliance.store import database, lives
from appliance.system import notify, passed_sockets
from appliance.web import box, listening, tls
from appliance.web.api import MOST_BYTES, routes
from appliance.web.around import Air, Around
from appliance.web.description import Description
from appliance.web.discovery import Discovery
from appliance.web.files import Files, folder
from appliance.web.gate import Gate, add_headers
from appliance.web.imports import Imports
from appliance.web.jobs import Jobs, Poller
from appliance.web.licences import Licences
from appliance.web.listening import Guests, Patient, Sockets
from appliance.web.live import Live
from appliance.web.login import Login
from appliance.web.metrics import Metrics
from appliance.web.names import names
from appliance.web.network import Network
from appliance.web.overview import Overview
from appliance.web.printers import Listing, Printers
from appliance.web.recordings import Recordings
from appliance.web.services import Services
from appliance.web.sessions import Sessions
from appliance.web.settings import Settings
from appliance.web.store import Store
from appliance.web.system import System, Ways
from appliance.web.transmission import Transmission
from appliance.web.traps import Traps
from appliance.web.updates import Updates

log = logging.getLogger(__name__)


async def serve(home: Home, port: int | None = None, address: str = "") -> None:
    """Serve the page until SIGTERM or SIGINT, at one address if asked for.

    Raises CannotListen, NoFiles, BadDescription, Unusable.
    """
    home.create()
    wanted = Settings(home).now.web
    given = dict(passed_sockets.take(os.environ, os.getpid()))
    sockets = listening.choose(
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
        _note(home, lambda db: lives.begin(db, "web", utc_now()))
        notify.ready()
        watchdog = asyncio.create_task(_feed_watchdog())
        await stop.wait()
        notify.stopping()
        watchdog.cancel()
        _note(home, lambda db: lives.end(db, "web"))


def _note(home: Home, note: Callable[[sqlite3.Connection], None]) -> None:
    """On a full disk the page does without."""
    with suppress(database.Unusable), closing(database.open(home.database)) as db:
        note(db)


@asynccontextmanager
async def running(
    home: Home,
    sockets: Sockets,
    patience: float = listening.SILENCE_SECONDS,
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
            listening.number(sockets.plain), listening.number(sockets.tls) if context else None, context
        )
        guests = listening.Guests(patience)
        around = Around(home, settings, store, ways.port, air)
        network = Network(home, settings, store, utc_now, here=box.is_box(home, root))
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
    seconds = notify.watchdog_seconds()
    while seconds:
        notify.watchdog()
        await asyncio.sleep(seconds)
