"""Which object to send for which cell: every cell is asked by its predecessor.

GETNEXT of a cell's predecessor never fails for a cell that is missing, neither in v1 nor in v2c, works with
agents that answer GETNEXT but not GET, then proves at the same time that no row lies between the two. GET
would save nothing: the requests are as long, in v1 one missing cell spoils the whole request.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from appliance.collector.request_batcher import Ask, weight
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import Cells, Table


class CellAsk(NamedTuple):
    """A cell to learn. Without a target, it is asked whether a column ends where it did."""

    ask: Ask
    target: Oid | None
    table: Table | None


class Chain(NamedTuple):
    """Cells of one column that follow each other: GETBULK gives them in one go."""

    asks: tuple[CellAsk, ...]

    @property
    def start(self) -> Oid:
        return self.asks[0].ask.oid

    @property
    def weight(self) -> int:
        return sum(asked.ask.weight for asked in self.asks)


def scalar(oid: Oid, size: int) -> CellAsk:
    """An object that stands alone, or a cell of a row whose neighbours nobody knows."""
    last = oid[-1]
    start = (*oid[:-1], last - 1) if last else oid[:-1]
    return CellAsk(Ask(start, weight(oid, size), oid), oid, None)


def wanted_columns(table: Table, cells: Cells, row: Oid) -> Iterable[int]:
    return table.columns if table.wanted is None else table.wanted(cells, row)


def missing_cells(table: Table, rows: Sequence[Oid], cells: Cells) -> list[Chain]:
    """What is still to be asked of a table, unbroken columns together."""
    wanted = [set(wanted_columns(table, cells, row)) for row in rows]
    chains: list[Chain] = []
    for number, size in table.columns.items():
        column = table.column(number)
        run: list[CellAsk] = []
        for at, row in enumerate(rows):
            target = (*column, *row)
            if number in wanted[at] and target not in cells:
                run.append(_cell(table, column, rows, at, size))
            elif run:
                chains.append(Chain(tuple(run)))
                run = []
        if run:
            chains.append(Chain(tuple(run)))
    return chains


def moving_cells(table: Table, rows: Sequence[Oid], cells: Cells) -> Iterator[CellAsk]:
    """The cells of a known table that may have moved, with a look behind its last row."""
    ended = table.wanted is not None  # such a table's rows belong to the configuration
    for number in table.moving:
        column = table.column(number)
        for at, row in enumerate(rows):
            if cells.get((*column, *row)) is not None and number in wanted_columns(table, cells, row):
                yield _cell(table, column, rows, at, table.columns[number])
        if rows and not ended and cells.get((*column, *rows[-1])) is not None:
            ended = True
            end = (*column, *rows[-1])
            yield CellAsk(Ask(end, weight(end, table.columns[number]), column), None, table)
    if table.moving and not rows:
        column = table.column(table.start)
        yield CellAsk(Ask(column, weight(column, 4), table.entry), None, table)


def last_look(table: Table, rows: Sequence[Oid]) -> Iterator[CellAsk]:
    """Whether another column ends where the first one did: an agent may leave cells out of that one."""
    if rows and table.moving and table.wanted is None:
        column = table.column(table.moving[0])
        end = (*column, *rows[-1])
        yield CellAsk(Ask(end, weight(end, table.columns[table.moving[0]]), column), None, table)


def _cell(table: Table, column: Oid, rows: Sequence[Oid], at: int, size: int) -> CellAsk:
    start = (*column, *rows[at - 1]) if at else column
    target = (*column, *rows[at])
    return CellAsk(Ask(start, weight(target, size), column), target, table)


def split(chain: Chain, size: int) -> Iterator[Chain]:
    """Chains that each fit into one response."""
    most = max(1, size // max(asked.ask.weight for asked in chain.asks))
    for at in range(0, len(chain.asks), most):
        yield Chain(chain.asks[at : at + most])


def by_length(chains: Iterable[Chain]) -> Mapping[int, list[Chain]]:
    groups: dict[int, list[Chain]] = {}
    for chain in chains:
        groups.setdefault(len(chain.asks), []).append(chain)
    return groups


def filled(chains: Sequence[Chain], size: int) -> Iterator[list[Chain]]:
    """Chains in the fewest groups of which each fits into one response, in their order."""
    group: list[Chain] = []
    room = size
    for chain in chains:
        if group and chain.weight > room:
            yield group
            group, room = [], size
        group.append(chain)
        room -= chain.weight
    if group:
        yield group
