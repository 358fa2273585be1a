"""The XML goes into a ZIP that only the key opens: AES-256, WinZip AE-2, one file."""

# ruff: noqa: PLC0415  pyzipper brings a crypto library: half a second of the page's start on a Plug, which packs seldom

import re
from io import BytesIO

MOST_PACKED = 64 << 20  # bytes; the parcel of 3,000 printers has 3 million
MOST_XML = 128 << 20  # bytes; the XML of 3,000 printers has 35 million
EPOCH = (1980, 1, 1, 0, 0, 0)  # the file's time in the ZIP; the XML carries the true ones
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class BadKey(Exception):
    """There is no key, or it does not open this parcel."""


class BadParcel(Exception):
    """This is not a parcel of a Plug, or it is damaged."""


def pack(name: str, xml: bytes, key: str, suffix: str = ".xml") -> bytes:
    """A ZIP with the one file `<name>.xml`; raises BadKey where there is no key."""
    import pyzipper

    if not key:
        raise BadKey("there is no transmission key, and nothing leaves unencrypted")
    if not NAME.fullmatch(name):
        raise ValueError(f"not a parcel's name: {name!r}")
    packed = BytesIO()
    with pyzipper.AESZipFile(packed, "w") as archive:
        archive.setpassword(key.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=256, force_wz_aes_version=2)
        entry = archive.zipinfo_cls(f"{name}{suffix}", EPOCH)
        archive.writestr(entry, xml, compress_type=pyzipper.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(data: bytes, key: str, suffix: str = ".xml") -> tuple[str, bytes]:
    """The name and the XML of a parcel; raises BadKey or BadParcel. `data` may come from anybody."""
    if not key:
        raise BadKey("there is no key to open it with")
    if len(data) > MOST_PACKED:
        raise BadParcel(f"larger than {MOST_PACKED} bytes")
    try:
        name, xml = _open(data, key, suffix)
    except BadParcel:
        raise
    except Exception as error:  # a hostile ZIP makes the library raise almost anything
        if isinstance(error, RuntimeError) and "password" in str(error):
            raise BadKey("the key does not open it") from error
        raise BadParcel(f"damaged, or closed with another key ({error})") from error
    if len(xml) > MOST_XML:
        raise BadParcel(f"holds more than {MOST_XML} bytes")
    return name, xml


def _open(data: bytes, key: str, suffix: str) -> tuple[str, bytes]:
    import pyzipper

    with pyzipper.AESZipFile(BytesIO(data)) as archive:
        if len(archive.infolist()) != 1:
            raise BadParcel(f"holds {len(archive.infolist())} files, not one")
        entry = archive.infolist()[0]
        name = entry.filename.removesuffix(suffix)
        if name == entry.filename or not NAME.fullmatch(name):
            raise BadParcel(f"holds {entry.filename!r}, not an XML")
        if (entry.wz_aes_version, entry.wz_aes_strength) != (2, 3):
            raise BadParcel("is not encrypted with AES-256 (AE-2)")
        if entry.compress_type != pyzipper.ZIP_DEFLATED:
            raise BadParcel("is compressed in a way that parcels are not")  # LZMA may claim 4 GB
        archive.setpassword(key.encode())
        with archive.open(entry) as content:
            return name, content.read(MOST_XML + 1)
