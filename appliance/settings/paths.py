"""Where a Plug keeps what it knows; apart from the settings, so that root's small steps start quickly."""

from dataclasses import dataclass
from pathlib import Path

INSTALLED = Path("/var/lib/printmonitor")  # the state folder on the Plug itself


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds everything a Plug knows."""

    folder: Path

    @property
    def settings(self) -> Path:
        return self.folder / "settings.toml"

    @property
    def last_good(self) -> Path:
        return self.folder / "settings.last-good.toml"

    @property
    def database(self) -> Path:
        return self.folder / "printmonitor.db"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def tls(self) -> Path:
        return self.folder / "tls"

    @property
    def licence(self) -> Path:
        return self.folder / "licence.pem"

    @property
    def updates(self) -> Path:
        """The bundle that is to be installed."""
        return self.folder / "updates"

    @property
    def run(self) -> Path:
        """Sockets, requests and status files."""
        return Path("/run/printmonitor") if self.folder == INSTALLED else self.folder / "run"

    @property
    def wake(self) -> Path:
        """The socket on which the poller hears that a job waits."""
        return self.run / "poller.sock"

    @property
    def lock(self) -> Path:
        """Held by the process that does a round."""
        return self.run / "round.lock"

    @property
    def changing(self) -> Path:
        """Held by the process that changes the settings."""
        return self.run / "settings.lock"

    def stamp(self) -> tuple[int, int, int] | None:
        """What changes when somebody writes the settings."""
        try:
            found = self.settings.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def create(self) -> None:
        for folder in (self.folder, self.outbox, self.tls, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
