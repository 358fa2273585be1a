"""The XML goes into a ZIP that only the key opens: AES-256, WinZip AE-2, one file."""

# ruff: noqa: PLC0415  pyzipper brings a crypto library: half a second of the page's start on a Plug, which packs seldom

import re
from io import BytesIO

MAX_PARCEL_BYTES = 64 << 20  # bytes; the parcel of 3,000 printers has 3 million
MAX_XML_BYTES = 128 << 20  # bytes; the XML of 3,000 printers has 35 million
ZIP_TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # the file's time in the ZIP; the XML carries the true ones
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class ParcelKeyError(Exception):
    """There is no key, or it does not open this parcel."""


class InvalidParcelError(Exception):
    """This is not a parcel of a Plug, or it is damaged."""


def pack(name: str, xml: bytes, key: str, suffix: str = ".xml") -> bytes:
    """A ZIP with the one file `<name>.xml`; raises BadKey where there is no key."""
    import pyzipper

    if not key:
        raise ParcelKeyError("there is no transmission key, and nothing leaves unencrypted")
    if not NAME_PATTERN.fullmatch(name):
        raise ValueError(f"not a parcel's name: {name!r}")
    packed = BytesIO()
    with pyzipper.AESZipFile(packed, "w") as archive:
        archive.setpassword(key.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=256, force_wz_aes_version=2)
        entry = archive.zipinfo_cls(f"{name}{suffix}", ZIP_TIMESTAMP)
        archive.writestr(entry, xml, compress_type=pyzipper.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(data: bytes, key: str, suffix: str = ".xml") -> tuple[str, bytes]:
    """The name and the XML of a parcel; raises BadKey or BadParcel. `data` may come from anybody."""
    if not key:
        raise ParcelKeyError("there is no key to open it with")
    if len(data) > MAX_PARCEL_BYTES:
        raise InvalidParcelError(f"larger than {MAX_PARCEL_BYTES} bytes")
    try:
        name, xml = _read_entry(data, key, suffix)
    except InvalidParcelError:
        raise
    except Exception as error:  # a hostile ZIP makes the library raise almost anything
        if isinstance(error, RuntimeError) and "password" in str(error):
            raise ParcelKeyError("the key does not open it") from error
        raise InvalidParcelError(f"damaged, or closed with another key ({error})") from error
    if len(xml) > MAX_XML_BYTES:
        raise InvalidParcelError(f"holds more than {MAX_XML_BYTES} bytes")
    return name, xml


def _read_entry(data: bytes, key: str, suffix: str) -> tuple[str, bytes]:
    import pyzipper

    with pyzipper.AESZipFile(BytesIO(data)) as archive:
        if len(archive.infolist()) != 1:
            raise InvalidParcelError(f"holds {len(archive.infolist())} files, not one")
        entry = archive.infolist()[0]
        name = entry.filename.removesuffix(suffix)
        if name == entry.filename or not NAME_PATTERN.fullmatch(name):
            raise InvalidParcelError(f"holds {entry.filename!r}, not an XML")
        if (entry.wz_aes_version, entry.wz_aes_strength) != (2, 3):
            raise InvalidParcelError("is not encrypted with AES-256 (AE-2)")
        if entry.compress_type != pyzipper.ZIP_DEFLATED:
            raise InvalidParcelError("is compressed in a way that parcels are not")  # LZMA may claim 4 GB
        archive.setpassword(key.encode())
        with archive.open(entry) as content:
            return name, content.read(MAX_XML_BYTES + 1)
