"""A look inside: root's shell at the serial port, which exists in copies of the image alone.

The image has no login, no SSH and no hook for tests. A test that has to see what systemd thinks puts a unit
into its own copy of the root file system. It reads lines `@@ID BASE64` from the console, runs what they say,
and writes the output back between marks, as the kernel may speak in between.
"""

import base64
import hashlib
import re

from tests.image.disk import Disk

UNIT = """\
[Unit]
Description=Probe of the tests: never part of an image
DefaultDependencies=no
After=systemd-udevd.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
ExecStart=/bin/sh /usr/lib/probe
Restart=always
RestartSec=1
StandardOutput=null
StandardError=null
OOMScoreAdjust=-900
KillMode=process
"""

# A line may be broken by what the kernel says: then the sum is wrong, and the same is asked again.
SHELL = r"""
tty=/dev/$(sed 's/.* //' /sys/class/tty/console/active)
exec <"$tty"
stty -F "$tty" raw -echo
echo "@@ready" >"$tty"
while read -r id command; do
  case $id in @@*) ;; *) continue ;; esac
  (
    timeout 300 /bin/sh -c "$(printf %s "$command" | base64 -d)" >/run/probe.$$ 2>&1 </dev/null
    echo "rc=$?" >>/run/probe.$$
    sum=$(sha256sum </run/probe.$$ | cut -c1-16)
    printf '\r\n' >"$tty"
    base64 -w 120 /run/probe.$$ | while read -r line; do printf '%s+%s\r\n' "$id" "$line" >"$tty"; done
    printf '%s=%s\r\n' "$id" "$sum" >"$tty"
  )
done
"""


def inject(disk: Disk, *slots: int) -> None:
    """Put it into slots of a copy."""
    for slot in slots:
        files = disk.files(slot)
        files.write("/usr/lib/probe", SHELL, 0o755)
        files.write("/usr/lib/systemd/system/probe.service", UNIT)
        wants = "/usr/lib/systemd/system/sysinit.target.wants"
        files.folder(wants)
        files.link(f"{wants}/probe.service", "../probe.service")


def question(number: int, command: str) -> bytes:
    return f"@@{number} {base64.b64encode(command.encode()).decode()}\n".encode()


def answer(number: int, said: str) -> tuple[str, int] | None:
    """Output and exit code, None while it has not come, or came broken. Raises Broken."""
    end = re.search(rf"@@{number}=([0-9a-f]{{16}})", said)
    if not end:
        return None
    packed = "".join(re.findall(rf"@@{number}\+([A-Za-z0-9+/=]+)", said[: end.start()]))
    try:
        data = base64.b64decode(packed, validate=True)
    except ValueError as error:
        raise Broken from error
    if hashlib.sha256(data).hexdigest()[:16] != end[1]:
        raise Broken
    text, _, code = data.decode(errors="replace").rpartition("rc=")
    return text, int(code)


class Broken(Exception):
    """The kernel spoke in between: ask again."""
