"""A provider's cloud: HTTPS with client certificates, strict about headers, with the faults of real ones."""

import asyncio
import base64
import hashlib
import ssl
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import trustme
from aiohttp import web

MOST_BYTES = 256 * 2**20  # a parcel of 3,000 printers has some 5 MB
PATH = "/parcels"


@dataclass(frozen=True)
class Arrival:
    """A parcel that the cloud has taken."""

    key: str  # Idempotency-Key
    body: bytes
    plug: str  # PrintMonitor-Plug
    user_agent: str
    client: str  # common name of the client certificate


@dataclass(frozen=True)
class Fault:
    """How a request is treated instead; where nothing is said, the parcel is taken."""

    status: int | None = None
    text: str = ""
    retry_after: str | None = None
    location: str | None = None
    stall: bool = False  # the request is read, the answer never comes
    cut: Literal["request", "response"] | None = None  # response: the parcel is taken, half the answer sent


class Cloud:
    """`async with Cloud(folder) as cloud:`, then `cloud.url`, `cloud.ca_file`, `cloud.issue_client(...)`."""

    def __init__(
        self, folder: Path, port: int = 0, *, host: str = "127.0.0.1", shown: Path | None = None
    ) -> None:
        """`shown`: a certificate with its key for the server, else one of the cloud's own authority."""
        self.host, self.port, self._shown = host, port, shown
        self.ca_file = folder / "ca.pem"
        self.arrivals: list[Arrival] = []  # in the order in which they were taken
        self.requests: list[tuple[str, int]] = []  # every request: Idempotency-Key, status (0: no answer)
        self.problems: list[str] = []  # what was wrong with requests; they were answered with 400 or 422
        self._once: deque[Fault] = deque()
        self._always: Fault | None = None
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(self.ca_file)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}{PATH}"

    def once(self, *faults: Fault) -> None:
        """The next requests meet these faults, one each."""
        self._once.extend(faults)

    def always(self, fault: Fault | None) -> None:
        """Every request meets this fault, until `always(None)`."""
        self._always = fault

    def issue_client(
        self, folder: Path, plug_id: str = "plug-4f2a91", *, foreign: bool = False
    ) -> tuple[Path, Path]:
        """Writes a client certificate and its key; foreign: of an authority that the cloud does not know."""
        authority = trustme.CA() if foreign else self._authority
        issued = authority.issue_cert(f"{plug_id}@plugs.example", common_name=plug_id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        certificate, private_key = folder / "client.pem", folder / "client.key"
        certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        private_key.touch(mode=0o600)
        issued.private_key_pem.write_to_path(private_key)
        return certificate, private_key

    def trust(self, ca_file: Path) -> None:
        """Take client certificates of this authority too."""
        self._context.load_verify_locations(ca_file)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens; again at the same port after `stop()`."""
        self._stopping = asyncio.Event()
        self.stalling = asyncio.Event()  # set when a request waits for an answer that never comes
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/{path:.*}", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        self._context = context = self._tls()
        site = web.TCPSite(self._runner, self.host, self.port, ssl_context=context, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """From now on connections are refused."""
        if self._runner is not None:
            self._stopping.set()
            await self._runner.cleanup()
            self._runner = None

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        self._authority.configure_trust(context)
        if self._shown:
            context.load_cert_chain(self._shown)
        else:
            self._authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        return context

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key", "")
        fault = self._once.popleft() if self._once else self._always
        fault = None if fault == Fault() else fault
        if fault is not None and fault.cut == "request":
            await request.content.readany()
            return self._cut(request, key, b"")
        body = await request.read()
        if fault is not None and fault.stall:
            self.requests.append((key, 0))
            self.stalling.set()
            await self._stopping.wait()
            return self._cut(request, "", b"")
        if fault is not None and fault.cut is None:
            return self._answer(key, fault)
        outcome = self._take(request, key, body)
        if fault is not None:
            return self._cut(request, key, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
        return self._answer(key, outcome)

    def _take(self, request: web.Request, key: str, body: bytes) -> Fault:
        """Keeps the parcel, or says why not."""
        problem = _problem(request, body)
        if problem:
            self.problems.append(problem)
            return Fault(status=400, text=problem)
        for arrival in self.arrivals:
            if arrival.key == key and arrival.body == body:
                return Fault(status=409, text="was delivered before")
            if arrival.key == key:
                self.problems.append(f"Idempotency-Key {key} came again with another body")
                return Fault(status=422, text="this key came with another body")
        plug, agent = request.headers["PrintMonitor-Plug"], request.headers["User-Agent"]
        self.arrivals.append(Arrival(key, body, plug, agent, _common_name(request)))
        return Fault(status=200, text="OK")

    def _answer(self, key: str, fault: Fault) -> web.Response:
        status = fault.status or 200
        self.requests.append((key, status))
        headers = {"Retry-After": fault.retry_after, "Location": fault.location}
        present = {name: value for name, value in headers.items() if value is not None}
        return web.Response(status=status, text=fault.text, headers=present)

    def _cut(self, request: web.Request, key: str, half: bytes) -> web.Response:
        if key:
            self.requests.append((key, 0))
        if request.transport is not None:
            if half:
                request.transport.write(half)
                request.transport.close()
            else:
                request.transport.abort()
        return web.Response()


def _problem(request: web.Request, body: bytes) -> str | None:
    """The first thing about the request that is not as agreed."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    headers = request.headers
    wanted = {
        "method": (request.method, "POST"),
        "path": (request.path, PATH),
        "Content-Type": (headers.get("Content-Type"), "application/zip"),
        "Content-Digest": (headers.get("Content-Digest"), f"sha-256=:{digest}:"),
        "PrintMonitor-Plug": (headers.get("PrintMonitor-Plug"), _common_name(request)),
    }
    for name, (got, want) in wanted.items():
        if got != want:
            return f"{name} is {got!r}, not {want!r}"
    if not headers.get("Idempotency-Key"):
        return "Idempotency-Key is missing"
    if not headers.get("User-Agent", "").startswith("PrintMonitor-Plug/"):
        return f"User-Agent is {headers.get('User-Agent')!r}, not PrintMonitor-Plug/<version>"
    return None if body else "the body is empty"


def _common_name(request: web.Request) -> str:
    transport = request.transport
    certificate = transport.get_extra_info("peercert") if transport is not None else None
    subject = certificate.get("subject", ()) if certificate else ()
    return next((value for part in subject for name, value in part if name == "commonName"), "")
