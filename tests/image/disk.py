"""A disk image without mounting it: its partitions, and the files in them, read and changed in a copy."""

import re
import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

SECTOR = 512
SIZE = "2G"  # what a card has at least; a power of two, as the emulated SD slot wants it
BOOT, ROOT_A, ROOT_B, DATA = 1, 2, 3, 4
ENVIRONMENT = 0x4000  # octets of slots.env: a CRC, then name=value, each ended by NUL
SCRIPT_HEADER = ">7I4B32s"  # the legacy image header of U-Boot; a script has two lengths behind it


@dataclass(frozen=True)
class Partition:
    """Where a partition lies, in octets."""

    start: int
    size: int


def tool(*command: str | Path, stdin: bytes = b"") -> bytes:
    """What a tool prints; an error tells all that it said."""
    done = subprocess.run([str(each) for each in command], input=stdin, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {said}"
    return done.stdout


class Disk:
    """A raw image file that belongs to the test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def copy(self, into: Path) -> "Disk":
        """Another file with the same contents; what is empty takes no room."""
        tool("cp", "--sparse=always", "--reflink=auto", self.path, into)
        return Disk(into)

    def grow(self) -> None:
        """As large as a card; the partitions stay."""
        tool("truncate", "-s", SIZE, self.path)

    @property
    def id(self) -> str:
        with self.path.open("rb") as file:
            file.seek(440)
            return f"{struct.unpack('<I', file.read(4))[0]:08x}"

    def partition(self, number: int) -> Partition:
        with self.path.open("rb") as file:
            file.seek(446 + 16 * (number - 1) + 8)
            start, size = struct.unpack("<II", file.read(8))
        return Partition(start * SECTOR, size * SECTOR)

    def damage(self, number: int, octets: int = 8 << 20, *, at: int = 0) -> None:
        """Noise where a file system began."""
        noise = b"\xa5\x5a\xff\x00broken" * (octets // 10)
        with self.path.open("r+b") as file:
            file.seek(self.partition(number).start + at)
            file.write(noise)

    def take(self, number: int, into: Path) -> None:
        """A partition's contents as a file of its own."""
        where = self.partition(number)
        block = 1 << 20
        tool(
            *("dd", f"if={self.path}", f"of={into}", f"bs={block}", "conv=sparse", "status=none"),
            *("iflag=skip_bytes,count_bytes", f"skip={where.start}", f"count={where.size}"),
        )
        tool("truncate", "-s", str(where.size), into)

    def put(self, number: int, source: Path) -> None:
        """A partition's contents from a file."""
        where = self.partition(number)
        assert source.stat().st_size <= where.size
        tool(
            *("dd", f"if={source}", f"of={self.path}", "bs=1M", "conv=notrunc", "status=none"),
            *("oflag=seek_bytes", f"seek={where.start}"),
        )

    def mend(self, number: int) -> None:
        """After a cut the journal is read first; in a copy, as e2fsck forgets an offset while it does so."""
        copy = self.path.with_suffix(".part")
        self.take(number, copy)
        done = subprocess.run(["e2fsck", "-f", "-p", copy], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        self.put(number, copy)
        copy.unlink()

    # --- the FAT partition

    def _fat(self) -> str:
        return f"{self.path}@@{self.partition(BOOT).start}"

    def boot_files(self) -> list[str]:
        listed = tool("mdir", "-b", "-i", self._fat(), "::")
        return [line.removeprefix("::/") for line in listed.decode().splitlines()]

    def boot_read(self, name: str) -> bytes:
        return tool("mtype", "-i", self._fat(), f"::{name}")

    def boot_write(self, name: str, data: bytes) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_bytes(data)
        tool("mcopy", "-o", "-i", self._fat(), draft, f"::{name}")
        draft.unlink()

    def boot_remove(self, name: str) -> None:
        tool("mdel", "-i", self._fat(), f"::{name}")

    def slots(self, name: str = "slots.env") -> dict[str, str]:
        """The state of the two slots; empty where the file is torn."""
        data = self.boot_read(name)
        (said,) = struct.unpack("<I", data[:4])
        if zlib.crc32(data[4:ENVIRONMENT]) != said:
            return {}
        rows = data[4:ENVIRONMENT].split(b"\0\0")[0].decode().split("\0")
        return dict(row.split("=", 1) for row in rows if "=" in row)

    def set_slots(self, **values: str) -> None:
        """Both copies of the state, as they are but for these values."""
        data = environment({**self.slots(), **values})
        for name in ("slots.env", "slots.bak"):
            self.boot_write(name, data)

    def add_arguments(self, words: str) -> None:
        """The kernel's command line gets further words: in this copy alone."""
        text = script_text(self.boot_read("boot.scr"))
        assert " panic=10" in text
        self.boot_write("boot.scr", script(text.replace(" panic=10", f" panic=10 {words}")))

    # --- the ext4 partitions

    def files(self, number: int) -> "Files":
        return Files(f"{self.path}?offset={self.partition(number).start}")


class Files:
    """The files of an ext4 file system in a file, or at `?offset=` in one; changed by debugfs."""

    def __init__(self, place: str | Path) -> None:
        self.place = str(place)

    def _ask(self, *requests: str, write: bool = False) -> str:
        command = ["debugfs", *(["-w"] if write else []), "-f", "-", self.place]
        done = subprocess.run(
            command, input="\n".join(requests) + "\n", capture_output=True, text=True, check=False
        )
        said = done.stdout + "\n".join(done.stderr.splitlines()[1:])  # the first line is its version
        for line in said.splitlines():
            assert not re.search("not found|denied|No such|Could not", line), said
        return said

    def exists(self, path: str) -> bool:
        done = subprocess.run(
            ["debugfs", "-R", f"stat {path}", self.place], capture_output=True, text=True, check=False
        )
        return "Inode:" in done.stdout

    def read(self, path: str) -> bytes:
        assert self.exists(path), f"{self.place}: no {path}"
        return tool("debugfs", "-R", f"cat {path}", self.place)

    def names(self, folder: str) -> list[str]:
        rows = tool("debugfs", "-R", f"ls -p {folder}", self.place).decode().splitlines()
        names = [row.split("/")[5] for row in rows if row.count("/") >= 6]
        return sorted(name for name in names if name not in ("", ".", ".."))

    def fetch(self, folder: str, into: Path) -> None:
        """A folder with all that is in it."""
        into.mkdir(parents=True, exist_ok=True)
        tool("debugfs", "-R", f"rdump {folder} {into}", self.place)

    def size(self) -> int:
        """Octets of the file system."""
        said = tool("debugfs", "-R", "stats -h", self.place).decode()
        count, block = (
            int(re.findall(rf"{name}: +([0-9]+)", said)[0]) for name in ("Block count", "Block size")
        )
        return count * block

    def owner(self, path: str) -> int:
        """Number of the user whose it is."""
        found = re.search(r"User: +([0-9]+)", tool("debugfs", "-R", f"stat {path}", self.place).decode())
        assert found, path
        return int(found[1])

    def write(self, path: str, data: bytes | str, mode: int = 0o644, *, owner: int = 0) -> None:
        """A file, new or instead of the one that is there."""
        folder, _, name = path.rpartition("/")
        draft = Path(self.place.split("?")[0]).with_suffix(".draft")
        draft.write_bytes(data if isinstance(data, bytes) else data.encode())
        if self.exists(path):
            self._ask(f"rm {path}", write=True)
        self._ask(
            f"cd {folder or '/'}",
            f"write {draft} {name}",
            f"sif {name} mode 0{0o100000 | mode:o}",
            f"sif {name} uid {owner}",
            f"sif {name} gid {owner}",
            write=True,
        )
        draft.unlink()
        assert self.exists(path), f"{path} was not written"

    def remove(self, path: str) -> None:
        self._ask(f"rm {path}", write=True)
        assert not self.exists(path), path

    def folder(self, path: str) -> None:
        if not self.exists(path):
            self._ask(f"mkdir {path}", write=True)

    def link(self, path: str, target: str) -> None:
        folder, _, name = path.rpartition("/")
        if not self.exists(path):
            self._ask(f"cd {folder}", f"symlink {name} {target}", write=True)


def environment(values: dict[str, str]) -> bytes:
    """U-Boot's form of names and values."""
    data = b"".join(f"{name}={value}\0".encode() for name, value in sorted(values.items()))
    data = data.ljust(ENVIRONMENT - 4, b"\0")
    return struct.pack("<I", zlib.crc32(data)) + data


def script_text(data: bytes) -> str:
    """The text of a U-Boot script."""
    start = struct.calcsize(SCRIPT_HEADER) + 8
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    return data[start : start + length].decode()


def script(text: str) -> bytes:
    """A U-Boot script with this text."""
    body = text.encode()
    data = struct.pack(">II", len(body), 0) + body

    def header(crc: int) -> bytes:
        words = (0x27051956, crc, 0, len(data), 0, 0, zlib.crc32(data))
        return struct.pack(SCRIPT_HEADER, *words, 5, 22, 6, 0, b"boot")

    return header(zlib.crc32(header(0))) + data


def unpacked(image: Path, into: Path) -> Path:
    """The raw image of a `.img.xz`, or a `.img` itself."""
    if image.suffix != ".xz":
        return image
    with into.open("wb") as file:
        subprocess.run(["xz", "-dc", "-T0", str(image)], stdout=file, check=True)
    return into


def missing(*tools: str) -> list[str]:
    return [each for each in tools if shutil.which(each) is None]
