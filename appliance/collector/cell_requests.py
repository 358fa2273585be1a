"""Which object to send for which cell: every cell is asked by its predecessor.

GETNEXT of a cell's predecessor never fails for a cell that is missing, neither in v1 nor in v2c, works with
agents that answer GETNEXT but not GET, then proves at the same time that no row lies between the two. GET
would save nothing: the requests are as long, in v1 one missing cell spoils the whole request.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from appliance.collector.request_batcher import ObjectRequest, estimate_varbind_bytes
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import Cells, MibTable


class CellRequest(NamedTuple):
    """A cell to learn. Without a target, it is asked whether a column ends where it did."""

    request: ObjectRequest
    target: Oid | None
    table: MibTable | None


class CellChain(NamedTuple):
    """Cells of one column that follow each other: GETBULK gives them in one go."""

    requests: tuple[CellRequest, ...]

    @property
    def start(self) -> Oid:
        return self.requests[0].request.oid

    @property
    def size_bytes(self) -> int:
        return sum(asked.request.size_bytes for asked in self.requests)


def scalar_request(oid: Oid, value_bytes: int) -> CellRequest:
    """An object that stands alone, or a cell of a row whose neighbours nobody knows."""
    last = oid[-1]
    start = (*oid[:-1], last - 1) if last else oid[:-1]
    return CellRequest(ObjectRequest(start, estimate_varbind_bytes(oid, value_bytes), oid), oid, None)


def columns_to_request(table: MibTable, cells: Cells, row: Oid) -> Iterable[int]:
    return table.columns if table.select_columns is None else table.select_columns(cells, row)


def missing_cell_chains(table: MibTable, rows: Sequence[Oid], cells: Cells) -> list[CellChain]:
    """What is still to be asked of a table, unbroken columns together."""
    wanted = [set(columns_to_request(table, cells, row)) for row in rows]
    chains: list[CellChain] = []
    for number, size in table.columns.items():
        column = table.column(number)
        run: list[CellRequest] = []
        for at, row in enumerate(rows):
            target = (*column, *row)
            if number in wanted[at] and target not in cells:
                run.append(_predecessor_request(table, column, rows, at, size))
            elif run:
                chains.append(CellChain(tuple(run)))
                run = []
        if run:
            chains.append(CellChain(tuple(run)))
    return chains


def volatile_cell_requests(table: MibTable, rows: Sequence[Oid], cells: Cells) -> Iterator[CellRequest]:
    """The cells of a known table that may have moved, with a look behind its last row."""
    ended = table.select_columns is not None  # such a table's rows belong to the configuration
    for number in table.volatile:
        column = table.column(number)
        for at, row in enumerate(rows):
            if cells.get((*column, *row)) is not None and number in columns_to_request(table, cells, row):
                yield _predecessor_request(table, column, rows, at, table.columns[number])
        if rows and not ended and cells.get((*column, *rows[-1])) is not None:
            ended = True
            end = (*column, *rows[-1])
            yield CellRequest(
                ObjectRequest(end, estimate_varbind_bytes(end, table.columns[number]), column), None, table
            )
    if table.volatile and not rows:
        column = table.column(table.discovery_column)
        yield CellRequest(ObjectRequest(column, estimate_varbind_bytes(column, 4), table.entry), None, table)


def column_end_requests(table: MibTable, rows: Sequence[Oid]) -> Iterator[CellRequest]:
    """Whether another column ends where the first one did: an agent may leave cells out of that one."""
    if rows and table.volatile and table.select_columns is None:
        column = table.column(table.volatile[0])
        end = (*column, *rows[-1])
        yield CellRequest(
            ObjectRequest(end, estimate_varbind_bytes(end, table.columns[table.volatile[0]]), column),
            None,
            table,
        )


def _predecessor_request(
    table: MibTable, column: Oid, rows: Sequence[Oid], position: int, value_bytes: int
) -> CellRequest:
    start = (*column, *rows[position - 1]) if position else column
    target = (*column, *rows[position])
    return CellRequest(
        ObjectRequest(start, estimate_varbind_bytes(target, value_bytes), column), target, table
    )


def split_chain(chain: CellChain, max_bytes: int) -> Iterator[CellChain]:
    """Chains that each fit into one response."""
    most = max(1, max_bytes // max(asked.request.size_bytes for asked in chain.requests))
    for at in range(0, len(chain.requests), most):
        yield CellChain(chain.requests[at : at + most])


def group_chains_by_length(chains: Iterable[CellChain]) -> Mapping[int, list[CellChain]]:
    groups: dict[int, list[CellChain]] = {}
    for chain in chains:
        groups.setdefault(len(chain.requests), []).append(chain)
    return groups


def pack_chains(chains: Sequence[CellChain], max_bytes: int) -> Iterator[list[CellChain]]:
    """Chains in the fewest groups of which each fits into one response, in their order."""
    group: list[CellChain] = []
    room = max_bytes
    for chain in chains:
        if group and chain.size_bytes > room:
            yield group
            group, room = [], max_bytes
        group.append(chain)
        room -= chain.size_bytes
    if group:
        yield group
