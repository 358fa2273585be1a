"""What the licence says about sending: it fills in what the settings leave empty, and it can forbid."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from appliance.domain import sending
from appliance.licensing import status
from appliance.licensing.claims import InvalidLicenceError, Licence
from appliance.settings.schema import Config, Home, TransmissionConfig


def apply_licence(home: Home, config: Config) -> Config:
    """The settings with the licence's key and URL where they have none; what was set by hand stands."""
    found = _read_installed(home)
    if found is None:
        return config
    given = config.transmission
    https = replace(given.https, url=given.https.url or found.upload_url)
    return replace(config, transmission=replace(given, key=given.key or found.transmission_key, https=https))


def resolve_plug_id(home: Home, config: Config) -> str:
    """Who the Plug is for the provider: as its certificate says; its name is free to be changed."""
    found = _read_installed(home)
    return found.plug_id if found else config.plug.name


def find_client_certificate(home: Home) -> tuple[Path, Path] | None:
    """Certificate and key: of the licence, else as somebody put them there; the two belong together."""
    if pair := status.client_credentials(home.folder):
        return pair
    by_hand = home.tls / "client.pem"
    return (by_hand, home.tls / "client.key") if by_hand.exists() else None


def blocking_reason(home: Home, now: datetime) -> str | None:
    """Why the licence lets nothing leave, if so; without any licence the settings alone decide."""
    standing = status.get_status(home.folder, now)
    return None if standing.allows_sending else standing.text


def find_obstacle(home: Home, config: Config, now: datetime) -> sending.SendingObstacle | None:
    """Return why nothing is sent with these settings and this licence, or None."""
    transmission = apply_licence(home, config).transmission
    return sending.find_obstacle(
        mode=transmission.mode,
        has_key=bool(transmission.key),
        licence_obstacle=blocking_reason(home, now),
        missing_setting=missing_destination_setting(transmission),
    )


def find_packing_obstacle(home: Home, config: Config) -> sending.SendingObstacle | None:
    """Return why no parcel is made with these settings and this licence, or None."""
    transmission = apply_licence(home, config).transmission
    return sending.find_packing_obstacle(mode=transmission.mode, has_key=bool(transmission.key))


def missing_destination_setting(transmission: TransmissionConfig) -> str | None:
    """Return the first setting without which parcels have no destination; None if all are there."""
    if transmission.mode == "https":
        return None if transmission.https.url else "transmission.https.url"
    if transmission.mode == "mail":
        mail = transmission.mail
        required = {"host": mail.host, "sender": mail.sender, "recipient": mail.recipient}
        return next((f"transmission.mail.{key}" for key, value in required.items() if not value), None)
    return None


def _read_installed(home: Home) -> Licence | None:
    try:
        return status.read_installed(home.folder)
    except InvalidLicenceError:
        return None  # the obstacle says so
