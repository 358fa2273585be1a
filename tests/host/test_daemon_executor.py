"""A call that never returns delays nobody's end."""

import asyncio
import subprocess
import sys

import pytest

from appliance.host.daemon_executor import DaemonThreads


async def test_results_and_errors_come_back() -> None:
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(DaemonThreads(), divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(DaemonThreads(), divmod, 7, 0)


def test_a_process_ends_while_a_thread_hangs() -> None:
    program = (
        "import asyncio, threading; from appliance.host.daemon_executor import DaemonThreads\n"
        "async def main():\n"
        "    asyncio.get_running_loop().set_default_executor(DaemonThreads())\n"
        "    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)\n"
        "asyncio.run(main())"
    )
    subprocess.run([sys.executable, "-c", program], timeout=10, check=True)
