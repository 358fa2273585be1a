"""The objects of one simulated printer, in the order in which an agent walks them."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from tests.fakes import ber
from tests.fakes.ber import Oid

Cell = tuple[int, Any]  # BER tag, value; encode_value() raises what cannot be sent


class Mib(MutableMapping[str, Cell]):
    """Dotted OID to (tag, value); may be changed while the agent runs."""

    def __init__(self, rows: Mapping[str, Cell]) -> None:
        self._cells = {ber.parse_oid(oid): cell for oid, cell in rows.items()}
        self._order: list[Oid] | None = None

    def __getitem__(self, oid: str) -> Cell:
        return self._cells[ber.parse_oid(oid)]

    def __setitem__(self, oid: str, cell: Cell) -> None:
        ber.encode_value(*cell)  # a value that cannot be sent is told to the test, not to the printer's asker
        arcs = ber.parse_oid(oid)
        if arcs not in self._cells:
            self._order = None
        self._cells[arcs] = cell

    def __delitem__(self, oid: str) -> None:
        del self._cells[ber.parse_oid(oid)]
        self._order = None

    def __iter__(self) -> Iterator[str]:
        return map(ber.dotted, self._sorted())

    def __len__(self) -> int:
        return len(self._cells)

    def remove(self, prefix: str) -> None:
        """Takes a whole subtree away."""
        root = ber.parse_oid(prefix)
        self._cells = {oid: cell for oid, cell in self._cells.items() if oid[: len(root)] != root}
        self._order = None

    def cell(self, oid: Oid) -> Cell | None:
        return self._cells.get(oid)

    def after(self, oid: Oid) -> Oid | None:
        order = self._sorted()
        at = bisect_right(order, oid)
        return order[at] if at < len(order) else None

    def holds_object_of(self, oid: Oid) -> bool:
        """Whether another instance of the same object exists: what tells noSuchInstance from noSuchObject."""
        following = self.after(oid[:-1])
        return following is not None and following[: len(oid) - 1] == oid[:-1]

    def _sorted(self) -> list[Oid]:
        if self._order is None:
            self._order = sorted(self._cells)
        return self._order
