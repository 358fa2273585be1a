"""The service of the page: everything it needs, wired by hand."""

import asyncio
import logging
import os
import sqlite3
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path

from aiohttp import web

from appliance.domain.clock import utc_now
from appliance.host import service_runtime, systemd
from appliance.settings.schema import Home
from appliance.storage import database, service_lifecycle
from appliance.web import listeners, services, tls
from appliance.web.auth import AuthApi
from appliance.web.db_thread import DatabaseThread
from appliance.web.discovery import DiscoveryApi
from appliance.web.handlers import MAX_BODY_BYTES, build_routes
from appliance.web.imports import ImportApi
from appliance.web.jobs import JobsApi, PollerClient
from appliance.web.licences import LicenceApi
from appliance.web.listeners import ConnectionLimiter, LimitedServer, ListenSockets
from appliance.web.mdns_service import MdnsApi, MdnsEnvironment
from appliance.web.metrics import MetricsApi
from appliance.web.middleware import AccessMiddleware, add_security_headers
from appliance.web.network import NetworkApi
from appliance.web.openapi import OpenApiDocument
from appliance.web.origin import allowed_hostnames
from appliance.web.overview import OverviewApi
from appliance.web.printers import PrinterListCache, PrintersApi
from appliance.web.recordings import RecordingsApi
from appliance.web.services import ServicesApi
from appliance.web.sessions import SessionStore
from appliance.web.settings_store import SettingsStore
from appliance.web.static_files import StaticFiles, find_webui_dir
from appliance.web.system import ListenInfo, SystemApi
from appliance.web.transmission import TransmissionApi
from appliance.web.traps import TrapsApi
from appliance.web.updates import UpdatesApi
from appliance.web.websocket import ChangeNotifier

log = logging.getLogger(__name__)


async def serve(home: Home, port: int | None = None, address: str = "") -> None:
    """Serve the page until SIGTERM or SIGINT, at one address if asked for.

    Raises CannotListen, NoFiles, BadDescription, Unusable.
    """
    home.create_folders()
    wanted = SettingsStore(home).current.web
    given = dict(systemd.take_sockets(os.environ, os.getpid()))
    sockets = listeners.open_sockets(
        wanted.port if port is None else port,
        wanted.tls_port,
        given,
        exact=port is not None,
        address=address,
    )
    called = f"[{address}]" if ":" in address else address or "localhost"
    stop = asyncio.Event()
    service_runtime.on_stop_signal(stop.set)
    async with start_service(home, sockets, mdns=MdnsEnvironment()) as ways:
        log.info(
            "the page is at http://%s:%s%s",
            called,
            ways.port,
            f" and https://{called}:{ways.tls_port}" if ways.tls_port else "",
        )
        _record_lifecycle(home, lambda db: service_lifecycle.mark_service_started(db, "web", utc_now()))
        systemd.notify_ready()
        async with service_runtime.watchdog():
            await stop.wait()
            systemd.notify_stopping()
        _record_lifecycle(home, lambda db: service_lifecycle.mark_service_stopped(db, "web"))


def _record_lifecycle(home: Home, record: Callable[[sqlite3.Connection], None]) -> None:
    """On a full disk the page does without."""
    with suppress(database.DatabaseUnavailableError), closing(database.open_database(home.database)) as db:
        record(db)


@asynccontextmanager
async def start_service(
    home: Home,
    sockets: ListenSockets,
    head_timeout_s: float = listeners.REQUEST_HEAD_TIMEOUT_S,
    *,
    mdns: MdnsEnvironment | None = None,
    root: Path = Path("/"),
) -> AsyncIterator[ListenInfo]:
    """The page on these sockets, while the block runs; on the air by mDNS where there is any."""
    async with AsyncExitStack() as stack:
        settings, store, sessions = SettingsStore(home), DatabaseThread(home.database), SessionStore()
        stack.push_async_callback(store.close)
        await store.data_version()  # a database that cannot be opened is told of now
        context = await _create_tls_context(home, settings) if sockets.tls else None
        ways = ListenInfo(
            listeners.socket_port(sockets.plain),
            listeners.socket_port(sockets.tls) if context else None,
            context,
        )
        guests = listeners.ConnectionLimiter(head_timeout_s)
        around = MdnsApi(home, settings, store, ways.port, mdns)
        network = NetworkApi(home, settings, store, utc_now, installed=services.is_installed_plug(home, root))
        app = _build_app(
            stack,
            home,
            settings,
            store=store,
            sessions=sessions,
            listen_info=ways,
            limiter=guests,
            mdns_api=around,
            network_api=network,
            root=root,
        )
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        server = LimitedServer(runner, guests)
        stack.push_async_callback(server.stop)
        if sockets.plain:
            await server.listen(sockets.plain, None)
        if sockets.tls and context:
            await server.listen(sockets.tls, context)
        await stack.enter_async_context(around.announce())
        await stack.enter_async_context(network.run_watcher())
        yield ways


def _build_app(
    stack: AsyncExitStack,
    home: Home,
    settings: SettingsStore,
    *,
    store: DatabaseThread,
    sessions: SessionStore,
    listen_info: ListenInfo,
    limiter: ConnectionLimiter,
    mdns_api: MdnsApi,
    network_api: NetworkApi,
    root: Path,
) -> web.Application:
    """All that answers requests; what has to be closed is left to the stack."""
    place = find_webui_dir()
    description = OpenApiDocument(place / "openapi.json")
    gate = AccessMiddleware(sessions, lambda: allowed_hostnames(settings))
    app = web.Application(middlewares=[limiter.extend_deadline, gate.handle], client_max_size=MAX_BODY_BYTES)
    app.on_response_prepare.append(add_security_headers)
    listing, poller = PrinterListCache(store), PollerClient(home, store, utc_now)
    recordings = RecordingsApi(store, utc_now)
    updates = UpdatesApi(home, settings, store, poller, root=root)
    apis = (
        PrintersApi(store, listing, poller, utc_now),
        recordings,
        JobsApi(store, poller),
        OverviewApi(home, settings=settings, store=store, list_cache=listing, poller=poller, clock=utc_now),
        DiscoveryApi(settings, poller, utc_now),
        ImportApi(home, settings, store, poller, utc_now),
        mdns_api,
        TransmissionApi(home, settings, store, poller, utc_now),
        TrapsApi(home, settings, store),
        ServicesApi(home),
        network_api,
        LicenceApi(home, settings, poller, utc_now),
        updates,
        SystemApi(
            home,
            settings=settings,
            store=store,
            sessions=sessions,
            listen_info=listen_info,
            clock=utc_now,
            root=root,
        ),
    )
    for api in apis:
        app.add_routes(build_routes(description, api.routes()))
    app.add_routes(updates.upload_routes())
    metrics = MetricsApi(home, settings=settings, store=store, poller=poller, clock=utc_now)
    login, live = AuthApi(home, settings, sessions, description), ChangeNotifier(store, settings, sessions)
    for part in (login, live, metrics, StaticFiles(place)):
        app.add_routes(part.routes())
    stack.callback(login.close)
    stack.push_async_callback(recordings.close)
    app.on_shutdown.append(live.close)
    return app


async def _create_tls_context(home: Home, settings: SettingsStore) -> ssl.SSLContext | None:
    try:
        return await tls.create_context(home, settings.current.plug.name)
    except (tls.CertificateError, OSError, ValueError) as error:
        log.warning("no HTTPS: %s", error)
        return None
