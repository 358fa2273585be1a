"""The parcel: opened by the key alone, harmless where it is hostile."""

import io
import struct
import zipfile

import pytest
import pyzipper
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.delivery import archive as archive_module

XML = b"<NewDataSet/>\n" * 100
KEY = "Schlüssel 42"


def foreign(
    files: dict[str, bytes], key: str = KEY, compression: int = zipfile.ZIP_DEFLATED, bits: int = 256
) -> bytes:
    packed = io.BytesIO()
    with pyzipper.AESZipFile(packed, "w", compression=compression) as archive:
        archive.setpassword(key.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=bits)
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_what_is_packed_comes_out_with_the_key() -> None:
    assert archive_module.unpack(archive_module.pack("plug-1", XML, KEY), KEY) == ("plug-1", XML)


def test_the_zip_says_aes_256_ae_2_and_nothing_of_what_is_inside() -> None:
    data = archive_module.pack("plug-1", XML, KEY)
    (entry,) = zipfile.ZipFile(io.BytesIO(data)).infolist()  # the standard library reads the directory
    assert entry.filename == "plug-1.xml"
    assert entry.compress_type == 99
    assert entry.CRC == 0  # AE-2: a checksum of the plain text would tell about it
    assert struct.unpack("<HHH2sBH", entry.extra) == (0x9901, 7, 2, b"AE", 3, zipfile.ZIP_DEFLATED)
    assert b"NewDataSet" not in data


def test_the_same_xml_never_makes_the_same_parcel() -> None:
    assert archive_module.pack("plug-1", XML, KEY) != archive_module.pack("plug-1", XML, KEY)  # the salt


@pytest.mark.parametrize("name", ["", "a/b", "../up", "a b", ".hidden", "x" * 101, "a\n"])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="not a parcel's name"):
        archive_module.pack(name, XML, KEY)


def test_without_a_key_nothing_is_packed_or_opened() -> None:
    with pytest.raises(archive_module.ParcelKeyError, match="no transmission key"):
        archive_module.pack("plug-1", XML, "")
    with pytest.raises(archive_module.ParcelKeyError):
        archive_module.unpack(archive_module.pack("plug-1", XML, KEY), "")


def test_another_key_does_not_open_it() -> None:
    data = archive_module.pack("plug-1", XML, KEY)
    with pytest.raises(
        (archive_module.ParcelKeyError, archive_module.InvalidParcelError)
    ):  # one key in 65,536 gets as far as the HMAC
        archive_module.unpack(data, "another")


def test_a_flipped_bit_is_noticed() -> None:
    data = bytearray(archive_module.pack("plug-1", XML, KEY))
    content = 30 + len("plug-1.xml") + 11 + 18  # after the header, the name, the AES field, salt and check
    data[content + 3] ^= 1
    with pytest.raises(archive_module.InvalidParcelError):
        archive_module.unpack(bytes(data), KEY)


HOSTILE = {
    "nothing": b"",
    "no zip": b"PK\x03\x04 and so on",
    "no file": foreign({}),
    "two files": foreign({"a.xml": XML, "b.xml": XML}),
    "a path": foreign({"../../etc/passwd.xml": XML}),
    "no xml": foreign({"a.exe": XML}),
    "weak": foreign({"a.xml": XML}, bits=128),
    "lzma": foreign({"a.xml": XML}, compression=zipfile.ZIP_LZMA),
    "cut": archive_module.pack("a", XML, KEY)[:-30],
    "large": b"\0" * (archive_module.MAX_PARCEL_BYTES + 1),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_foreign_zip_is_refused(data: bytes) -> None:
    with pytest.raises(archive_module.InvalidParcelError):
        archive_module.unpack(data, KEY)


def test_a_zip_without_encryption_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", XML)
    with pytest.raises(archive_module.InvalidParcelError, match="not encrypted"):
        archive_module.unpack(packed.getvalue(), KEY)


def test_a_bomb_ends_at_the_bound() -> None:
    bomb = foreign({"a.xml": bytes(archive_module.MAX_XML_BYTES + 1)})
    assert len(bomb) < 1 << 20
    with pytest.raises(archive_module.InvalidParcelError, match="more than"):
        archive_module.unpack(bomb, KEY)


GOOD = archive_module.pack("plug-1", XML, KEY)


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_whatever_is_bent_either_opens_or_is_refused(position: int, patch: bytes) -> None:
    bent = GOOD[:position] + patch + GOOD[position + len(patch) :]
    try:
        name, xml = archive_module.unpack(bent, KEY)
    except (archive_module.ParcelKeyError, archive_module.InvalidParcelError):
        return
    assert XML.startswith(xml)  # the HMAC does not cover the directory, which says how much there is
    assert archive_module.NAME_PATTERN.fullmatch(name)
