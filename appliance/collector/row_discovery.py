"""The rows of one table, learned from what comes after what."""

from appliance.domain.messages import Message
from appliance.mib.oids import Oid
from appliance.mib.printer_mib import MibTable
from appliance.snmp.client import Varbind

MAX_ROWS = 200  # a printer's tables have tens; a broken agent never ends
FIRST_EXCEPTION_TAG = 128  # tags from here on are noSuchObject, noSuchInstance, endOfMibView


class RowDiscovery:
    """One table, as far as its rows are known: `position` is the last cell that was found."""

    def __init__(self, table: MibTable) -> None:
        self.table = table
        self.column = table.column(table.discovery_column)
        self.position = self.column
        self.rows: list[Oid] = []
        self.ended = False
        self.failure: str | None = None
        self.looped_after: Oid | None = (
            None  # the agent goes back behind this row: others may be hidden there
        )
        self._failed_steps = 0

    def accept(self, varbind: Varbind | None) -> bool:
        """Takes what comes after the position: a further row, or else the table's end. True for a row."""
        row = self._row_index(varbind.oid) if varbind and varbind.tag < FIRST_EXCEPTION_TAG else None
        if row is None or varbind is None or varbind.oid <= self.position:
            self.ended = not (
                varbind and row and self._skip_to_expected_row()
            )  # whoever follows it back never ends
            if self.ended and varbind and varbind.tag < FIRST_EXCEPTION_TAG:
                self.record_loop(varbind.oid)
            return False
        if len(self.rows) >= MAX_ROWS:
            self.ended, self.failure = True, Message("snmp.too_many_rows", count=MAX_ROWS)
            return False
        self.rows.append(row)
        self.position = varbind.oid
        return True

    def record_loop(self, oid: Oid) -> None:
        """Behind the position comes what has been. Where a column begins anew, each of its rows was seen."""
        row = self._row_index(oid)
        is_round = len(self.rows) > 1 and row == self.rows[0]
        if row in self.rows and not is_round:
            self.looped_after = self.rows[-1]

    def _skip_to_expected_row(self) -> bool:
        """Where an agent begins anew, rows that are likely may still lie further on."""
        for row in self.table.expected_rows:
            place = (*self.column, *row[:-1], row[-1] - 1)
            if place > self.position:
                self.position = place
                return True
        return False

    def record_failed_step(self, steps: int, max_steps: int) -> None:
        """Nothing could be learned from the position; the next guesses are further on, up to `most` steps."""
        self._failed_steps += steps
        if self._failed_steps >= max_steps:
            self.ended = True
            self.failure = None if self.rows else Message("snmp.table_unreadable")

    def start_oids(self, device: Oid, count: int) -> list[Oid]:
        """The position, then guesses at the rows that may come after it."""
        if self.table.expected_rows and not self._failed_steps:
            ahead = [row for row in self.table.expected_rows if not self.rows or row > self.rows[-1]]
            return [self.position, *((*self.column, *row) for row in ahead[: count - 1])]
        if self.rows:
            before, last = self.position[:-1], self.position[-1]
        else:
            before, last = ((*self.column, *device) if self.table.is_indexed_by_device else self.column), 0
        first = last + 1 + self._failed_steps
        return [self.position, *((*before, first + at) for at in range(count - 1))]

    def _row_index(self, oid: Oid) -> Oid | None:
        length = len(self.table.entry)
        if oid[:length] != self.table.entry or len(oid) < length + 2:
            return None
        if not self.rows:  # an agent without the column that was asked answers with the next one it has
            self.column = oid[: length + 1]
        return oid[length + 1 :] if oid[: length + 1] == self.column else None
