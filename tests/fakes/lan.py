"""A LAN of simulated printers on loopback addresses, in this process or in one of its own."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

from tests.fakes import snmprec
from tests.fakes.agent import Agent, Device
from tests.fakes.models import MODELS, PRINTERS
from tests.fakes.models.life import Life, Who
from tests.fakes.models.model import Model

CHECKOUT = Path(__file__).resolve().parents[2]
FIRST = "127.16.0.1"
READY_SECONDS = 30.0

# What a real LAN does to those who ask: by the place in the list, the fault that stands there.
VARIETY: dict[int, dict[str, object]] = {
    4: {"versions": {"1"}},
    5: {"delay": 0.3},
    8: {"max_response": 484},
    10: {"asleep": True},
    12: {"bulk": "broken"},
    14: {"one_at_a_time": True, "delay": 0.03},
    16: {"loss": 0.2},
    18: {"no_get": ("1.3.6.1.2.1.43.16",)},
}


@dataclass(eq=False)
class Place:
    """A printer at its address."""

    address: str
    model: Model
    who: Who
    life: Life
    device: Device

    def advance(self, seconds: int, pages: int) -> None:
        """Time passes and paper comes out; the printer's objects follow."""
        self.life = self.life.later(seconds, pages)
        self._renew()

    def restart(self) -> None:
        """It is switched off and on again: sysUpTime begins anew."""
        self.life = self.life.restarted()
        self._renew()

    def _renew(self) -> None:
        for oid, cell in self.model.build(self.who, self.life).items():
            self.device.mib[oid] = cell


@dataclass
class Lan:
    """Printers that share an agent."""

    agent: Agent
    places: list[Place] = field(default_factory=list)

    def put(self, key: str, address: str, copy: int = 0, **faults: object) -> Place:
        """Plugs in a copy of a model: copies differ in serial number, MAC address, name and pages."""
        model = MODELS[key]
        who, life = model.who(copy, address), model.life(copy)
        device = Device(model.build(who, life), **faults)  # type: ignore[arg-type]
        place = Place(address, model, who, life, self.agent.add(address, device))
        self.places.append(place)
        return place

    def advance(self, seconds: int) -> None:
        """A while in an office: every model prints as much as its kind does in that time."""
        for number, place in enumerate(self.places):
            pages = place.model.a_month * seconds * (50 + number * 37 % 100) // (100 * 30 * 86_400)
            place.advance(seconds, pages)

    def counts(self) -> dict[str, int]:
        """What all printers together were asked and have answered."""
        devices = list(self.agent.devices.values())
        return {
            "requests": sum(one.requests.total() for one in devices),
            "responses": sum(one.responses for one in devices),
            "bytes_in": sum(one.bytes_in for one in devices),
            "bytes_out": sum(one.bytes_out for one in devices),
            "largest_request": max((one.largest_request for one in devices), default=0),
            "largest_response": max((one.largest_response for one in devices), default=0),
            "most_at_once": max((one.most_at_once for one in devices), default=0),
        }

    def forget(self) -> None:
        for device in self.agent.devices.values():
            device.forget()


def addresses(count: int, first: str = FIRST) -> Iterator[str]:
    start = IPv4Address(first)
    return (str(start + number) for number in range(count))


def fill(lan: Lan, count: int, *, first: str = FIRST, variety: bool = True, delay: float = 0.0) -> None:
    """Puts one copy after the other of all models in turn; with variety, things that are no printers too."""
    keys = list(MODELS if variety else PRINTERS)
    for number, address in enumerate(addresses(count, first)):
        faults = {"delay": delay, **(VARIETY.get(number % 20, {}) if variety else {})}
        lan.put(keys[number % len(keys)], address, number // len(keys), **faults)


@contextlib.asynccontextmanager
async def demo_lan(count: int = len(MODELS), *, port: int = 0, variety: bool = True) -> AsyncIterator[Lan]:
    """A LAN in this process, from FIRST on."""
    async with Agent(port) as agent:
        lan = Lan(agent)
        fill(lan, count, variety=variety)
        yield lan


class Separate:
    """A LAN in a process of its own: `async with Separate("--count", "1000") as lan:`."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self.port = 0
        self.addresses: list[str] = []

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.fakes.agent",
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=CHECKOUT,
            limit=2**20,
        )
        async with asyncio.timeout(READY_SECONDS):
            ready = await self._line()
        self.port = ready["port"]
        self.addresses = ready["addresses"]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.ended_with = await self.process.wait()

    async def counts(self) -> dict[str, int]:
        """As Lan.counts()."""
        return await self._ask("counts")

    async def forget(self) -> None:
        await self._ask("forget")

    async def advance(self, seconds: int) -> None:
        await self._ask(f"advance {seconds}")

    async def unplug(self, address: str) -> None:
        await self._ask(f"unplug {address}")

    async def _ask(self, command: str) -> dict:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n".encode())
        await self.process.stdin.drain()
        return await self._line()

    async def _line(self) -> dict:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError("the simulated LAN has ended")
        return json.loads(line)


def main() -> int:
    """Serves a LAN until stdin ends or SIGTERM comes; a line of JSON on stdout says that it is there."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.agent", description=main.__doc__)
    parser.add_argument("--count", type=int, default=0, help="so many copies of all models in turn")
    parser.add_argument("--first", default=FIRST, help=f"the first one's address (default {FIRST})")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--plain", action="store_true", help="printers only, none of them difficult")
    parser.add_argument(
        "--recording", type=Path, action="append", default=[], help="a snmprec file; repeatable"
    )
    parser.add_argument("--copies", type=int, default=1, help="so many addresses for each recording")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Agent(options.port) as agent:
        lan = Lan(agent)
        fill(lan, options.count, first=options.first, variety=not options.plain, delay=options.delay)
        free = addresses(
            options.copies * len(options.recording), str(IPv4Address(options.first) + options.count)
        )
        for path in options.recording:
            rows = snmprec.read(path)
            for _ in range(options.copies):
                agent.add(next(free), Device(rows, delay=options.delay))
        print(json.dumps({"port": agent.port, "addresses": list(agent.devices)}), flush=True)
        commands = asyncio.create_task(_obey(lan))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({commands, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (commands, stopping):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _obey(lan: Lan) -> None:
    """One command a line: counts, forget, advance SECONDS, unplug ADDRESS; each is answered by a line."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := (await reader.readline()).decode():
        command, _, argument = line.strip().partition(" ")
        if command == "forget":
            lan.forget()
        elif command == "advance":
            lan.advance(int(argument))
        elif command == "unplug":
            lan.agent.remove(argument)
        print(json.dumps(lan.counts()), flush=True)
