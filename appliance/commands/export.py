"""`printmonitor export`: the XML as it would be sent."""

from pathlib import Path

from appliance import config
from appliance.commands import state, terminal
from appliance.commands.trouble import Wrong
from appliance.delivery import export
from appliance.discovery import entries
from appliance.store import printers
from appliance.system import files


def run(home: config.Home, output: str | None) -> int:
    """Write the XML of all known printers but the excluded ones to a file or to standard output."""
    settings, _ = config.load_last_good(state.existing(home))
    with state.opened(home) as db:
        wanted = entries.wanted(printers.all(db), settings.discovery.exclusions)
        xml = export.render(wanted, settings.schedule.zone, settings.transmission.xml_names)
    if output is None:
        terminal.raw(xml)
    else:
        try:
            _write(Path(output), xml)
        except OSError as error:
            raise Wrong(f"{output}: {error.strerror}") from error
        terminal.tell(f"{len(xml):,} bytes written to {terminal.clean(output)}")
    return 0


def _write(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():  # /dev/stdout, a named pipe
        path.write_bytes(data)
    else:
        files.write(path, data)
