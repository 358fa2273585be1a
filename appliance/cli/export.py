"""`printmonitor export`: the XML as it would be sent."""

from pathlib import Path

from appliance.cli import state_dir, terminal
from appliance.cli.errors import Wrong
from appliance.delivery import xml_export
from appliance.discovery import entries
from appliance.host import atomic_file
from appliance.settings import schema
from appliance.storage import printers


def run(home: schema.Home, output: str | None) -> int:
    """Write the XML of all known printers but the excluded ones to a file or to standard output."""
    settings, _ = schema.load_last_good(state_dir.existing(home))
    with state_dir.opened(home) as db:
        wanted = entries.drop_excluded(printers.iter_printers(db), settings.discovery.exclusions)
        xml = xml_export.render(wanted, settings.schedule.zone, settings.transmission.xml_names)
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
        atomic_file.write(path, data)
