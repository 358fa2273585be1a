#!/usr/bin/env python3
"""The state of the slots as U-Boot and fw_setenv keep it.

slots.py FILE prints it, slots.py FILE NAME=VALUE... writes it.
"""

import struct
import sys
from binascii import crc32
from pathlib import Path

SIZE = 0x4000  # also in boot.cmd and fw_env.config


def packed(variables: dict[str, str]) -> bytes:
    data = b"".join(f"{name}={value}\0".encode() for name, value in sorted(variables.items()))
    data = data.ljust(SIZE - 4, b"\0")
    if len(data) != SIZE - 4:
        raise ValueError(f"more than {SIZE} bytes")
    return struct.pack("<I", crc32(data)) + data


def unpacked(file: bytes) -> dict[str, str]:
    data = file[4:SIZE]
    if len(file) != SIZE or struct.unpack("<I", file[:4])[0] != crc32(data):
        raise ValueError("the checksum is wrong")
    words = data.split(b"\0\0")[0].decode("ascii").split("\0")
    return dict(word.split("=", 1) for word in words if word)


if __name__ == "__main__":
    path, *words = sys.argv[1:]
    if words:
        Path(path).write_bytes(packed(dict(word.split("=", 1) for word in words)))
    else:
        for name, value in unpacked(Path(path).read_bytes()).items():
            print(f"{name}={value}")
