#!/usr/bin/env python3
"""boot_script.py TEXT SCRIPT: wraps a U-Boot script in its header, as mkimage -T script does."""

import os
import struct
import sys
from binascii import crc32
from pathlib import Path

MAGIC, LINUX, ARM64, SCRIPT, UNCOMPRESSED = 0x27051956, 5, 22, 6, 0


def wrapped(text: bytes, time: int) -> bytes:
    data = struct.pack(">II", len(text), 0) + text  # a list of one part

    def header(checksum: int) -> bytes:
        kind = (LINUX, ARM64, SCRIPT, UNCOMPRESSED)
        return struct.pack(
            ">7I4B32s", MAGIC, checksum, time, len(data), 0, 0, crc32(data), *kind, b"printmonitor"
        )

    return header(crc32(header(0))) + data


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_bytes(wrapped(source.read_bytes(), int(os.environ["SOURCE_DATE_EPOCH"])))
