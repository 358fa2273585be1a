"""Run `printmonitor export`: write the XML as it would be sent."""

from pathlib import Path

from appliance.cli import state_dir, terminal
from appliance.cli.errors import CommandError
from appliance.delivery import xml_export
from appliance.discovery import entries
from appliance.host import atomic_file
from appliance.settings import schema
from appliance.storage import printers


def run(home: schema.Home, output: str | None) -> int:
    """Write the XML of all known printers, without excluded ones, to a file or standard output."""
    settings, _ = schema.load_last_good_settings(state_dir.require_existing(home))
    with state_dir.open_state_database(home) as db:
        exported = entries.drop_excluded(printers.iter_printers(db), settings.discovery.exclusions)
        xml = xml_export.render(exported, settings.schedule.zone, settings.transmission.xml_names)
    if output is None:
        terminal.print_bytes(xml)
    else:
        try:
            _write_output(Path(output), xml)
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}") from error
        terminal.print_message(f"{len(xml):,} bytes written to {terminal.sanitize(output)}")
    return 0


def _write_output(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():  # /dev/stdout, a named pipe
        path.write_bytes(data)
    else:
        atomic_file.write(path, data)
