import asyncio
import json
import signal
import subprocess
from pathlib import Path

from tests import children
from tests.command_line import (
    CONTROLS,
    MODEL,
    OTHER_MODEL,
    THIRD_MODEL,
    Here,
    plugged,
    printers_in,
    run,
    settings,
    states,
    until,
)
from tests.fakes.agent import Agent
from tests.fakes.cloud import Cloud, Fault
from tests.fakes.lan import Lan


async def test_from_entry_to_parcel(agent: Agent, cloud: Cloud, here: Here, tmp_path: Path) -> None:
    state = tmp_path / "state"
    for number, key in enumerate((MODEL, OTHER_MODEL, THIRD_MODEL), 1):
        Lan(agent).put(key, f"127.31.1.{number}")
    plugged(state, agent.port, "127.31.1.1-127.31.1.9", cloud)

    found = await run("discover", state=state)
    assert found.code == 0, found.err
    assert "3 printers read, 0 failed" in found.out
    assert len(cloud.arrivals) == 1

    queried = await run("query", "--json", state=state)
    assert queried.code == 0
    document = json.loads(queried.out)
    assert (document["kind"], document["state"], document["read"]) == ("query", "done", 3)
    assert (document["parcel"]["state"], document["not_sent"]) == ("delivered", None)
    assert len(cloud.arrivals) == 2
    assert cloud.problems == []
    assert len(json.loads(here("outbox", "--json", state=state).out)) == 2
    assert "3 known: 0 silent" in here("status", state=state).out


async def test_a_printer_with_a_part_that_cannot_be_read_is_named(
    agent: Agent, cloud: Cloud, tmp_path: Path
) -> None:
    Lan(agent).put(MODEL, "127.31.1.21").device.endless = "1.3.6.1.2.1.43.11.1.1"
    plugged(tmp_path, agent.port, "127.31.1.21", cloud)
    found = await run("discover", state=tmp_path)
    assert found.code == 1, found.err
    assert "incomplete: 127.31.1.21: supplies not read: more than 200 rows" in found.err
    assert "1 printer read, 0 failed; 1 not read in all parts" in found.out


async def test_printers_that_fail_and_parcels_that_stay(
    agent: Agent, cloud: Cloud, here: Here, tmp_path: Path
) -> None:
    Lan(agent).put(MODEL, "127.31.1.11")
    Lan(agent).put(OTHER_MODEL, "127.31.1.12")
    state = tmp_path / "state"
    plugged(state, agent.port, "127.31.1.11-127.31.1.12", cloud)
    cloud.always(Fault(status=503))
    kept = await run("discover", state=state)
    assert kept.code == 3
    assert "503" in kept.err
    assert "the parcel is kept" in kept.err

    agent.remove("127.31.1.12")
    cloud.always(Fault(status=422, text="bad <XML>\x1b[2J"))
    assert here("outbox", "retry", "all", state=state).code == 0
    refused = await run("query", state=state)
    assert refused.code == 3
    assert "failed: 127.31.1.12" in refused.err
    assert "set aside" in refused.err
    assert not set(refused.err) & CONTROLS
    assert "2 known: 1 silent" in here("status", state=state).out
    report = json.loads(here("status", "--json", state=state).out)
    assert (report["parcels_refused"], report["needs"][0]["host"]) == (2, "127.31.1.12")

    listed = json.loads(here("outbox", "--json", state=state).out)
    assert [parcel["state"] for parcel in listed] == ["refused"] * 2
    assert listed[1]["id"][:8] in here("outbox", state=state).out
    shown = here("outbox", "show", listed[1]["id"][:8], state=state)
    assert shown.out.startswith("<?xml")
    assert shown.out == here("export", state=state).out

    cloud.always(None)
    assert "2 parcels will be sent" in here("outbox", "retry", "all", state=state).err
    again = await run("query", state=state)
    assert again.code == 1  # everything was sent, and one printer is silent
    assert [parcel["state"] for parcel in json.loads(here("outbox", "--json", state=state).out)] == [
        "delivered"
    ] * 3
    assert len(cloud.arrivals) == 3
    assert "delivered" in here("outbox", "retry", listed[0]["id"], state=state).complaint


async def test_ctrl_c_ends_a_run_quietly_and_keeps_what_was_read(
    agent: Agent, here: Here, tmp_path: Path
) -> None:
    Lan(agent).put(MODEL, "127.31.2.1")
    settings(
        tmp_path,
        f"""
        discovery.packets_per_second = 2
        [[discovery.entries]]
        addresses = "127.31.2.1-127.31.2.250"
        port = {agent.port}
        """,
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with children.running(children.printmonitor("discover", state=tmp_path), **pipes) as child:
        await until(lambda: printers_in(tmp_path / "printmonitor.db") == 1)
        child.send_signal(signal.SIGINT)
        out, err = await asyncio.to_thread(child.communicate, timeout=10)
        assert child.returncode == 130
        assert "Traceback" not in err
        assert "interrupted" in out
    assert "1 known" in here("status", state=tmp_path).out


async def test_a_run_is_handed_to_the_service_that_is_there(
    agent: Agent, cloud: Cloud, here: Here, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    Lan(agent).put(MODEL, "127.31.3.1")
    plugged(state, agent.port, "127.31.3.1", cloud)
    with children.running(children.printmonitor("poller", state=state), stderr=subprocess.PIPE) as service:
        await until(lambda: "Service       running" in here("status", state=state).out)
        await until(
            lambda: not {"waiting", "running"} & set(states(state))
        )  # what it does on its own at first
        second = await run("poller", state=state)
        assert second.code != 0
        assert "another" in second.complaint
        service.send_signal(signal.SIGSTOP)
        handing = asyncio.create_task(run("discover", "--json", state=state))
        await until(lambda: states(state)[-1:] == ["waiting"])  # for the service, which stands still
        assert not handing.done()
        service.send_signal(signal.SIGCONT)
        ended = await handing
        assert ended.code == 0, ended.err
        document = json.loads(ended.out)
        assert (document["read"], document["parcel"]["state"]) == (1, "delivered")
        assert json.loads(here("status", "--json", state=state).out)["service_running"] is True
        assert service.poll() is None
    assert service.returncode == 0
    assert json.loads(here("status", "--json", state=state).out)["service_running"] is False
