#!/usr/bin/env python3
"""disk.py IMAGE MIB:FILE...: lays files into the image, prints which of its blocks a card needs.

The format is bmaptool's, version 2.0. Of an ext4 file system a card needs the blocks in use, also where they
hold zeros, as an old card's bytes would take their place; of anything else all up to the last byte that is no
zero; of a MIB without FILE the first megabyte, so that no old file system comes to light there.
"""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

BLOCK = 4096
MIB = 1024 * 1024
NO_CHECKSUM = "0" * 64


def used(file: str) -> Iterable[int]:
    if not file:
        return range(MIB // BLOCK)
    if file.endswith(".ext4"):
        return _used_of_ext4(file)
    return range(-(-len(Path(file).read_bytes().rstrip(b"\0")) // BLOCK))


def _used_of_ext4(file: str) -> Iterable[int]:
    said = subprocess.run(["dumpe2fs", file], check=True, capture_output=True, text=True).stdout
    free: set[int] = set()
    for ranges in re.findall(r"^  Free blocks: (.*)$", said, re.MULTILINE):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", ranges):
            free.update(range(int(first), int(last or first) + 1))
    return (block for block in range(Path(file).stat().st_size // BLOCK) if block not in free)


def runs(blocks: Iterable[int]) -> Iterator[tuple[int, int]]:
    for _, group in groupby(enumerate(sorted(blocks)), lambda pair: pair[1] - pair[0]):
        members = [block for _, block in group]
        yield members[0], members[-1]


def written(image: Path, blocks: set[int]) -> str:
    lines = []
    with image.open("rb") as file:
        for first, last in runs(blocks):
            file.seek(first * BLOCK)
            digest = hashlib.sha256(file.read((last - first + 1) * BLOCK)).hexdigest()
            span = f"{first}-{last}" if last > first else f"{first}"
            lines.append(f'        <Range chksum="{digest}"> {span} </Range>\n')
    size = image.stat().st_size
    return (
        f'<?xml version="1.0" ?>\n<bmap version="2.0">\n    <ImageSize> {size} </ImageSize>\n'
        f"    <BlockSize> {BLOCK} </BlockSize>\n    <BlocksCount> {size // BLOCK} </BlocksCount>\n"
        f"    <MappedBlocksCount> {len(blocks)} </MappedBlocksCount>\n"
        f"    <ChecksumType> sha256 </ChecksumType>\n"
        f"    <BmapFileChecksum> {NO_CHECKSUM} </BmapFileChecksum>\n"
        f"    <BlockMap>\n{''.join(lines)}    </BlockMap>\n</bmap>\n"
    )


def lay(image: Path, file: str, at: int) -> None:
    """As a sparse file: blocks of zeros stay holes."""
    with image.open("r+b") as target, Path(file).open("rb") as source:
        while data := source.read(BLOCK):
            if data.strip(b"\0"):
                target.seek(at + source.tell() - len(data))
                target.write(data)


def main(image: str, *pieces: str) -> None:
    blocks = {0}  # the partition table
    for piece in pieces:
        mib, _, file = piece.partition(":")
        if file:
            lay(Path(image), file, int(mib) * MIB)
        blocks.update(int(mib) * MIB // BLOCK + block for block in used(file))
    text = written(Path(image), blocks)
    print(text.replace(NO_CHECKSUM, hashlib.sha256(text.encode()).hexdigest()), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
