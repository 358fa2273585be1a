"""The tables of a printer: a row keeps its identifier while it stands, and only changes are written."""

import sqlite3
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from appliance.domain.model import Alert, InputTray, Kept, OutputTray, Reading, Storage, Supply
from appliance.storage import database, json_codec

RowT = TypeVar("RowT", Supply, Alert, InputTray, OutputTray, Storage)

MAX_SQLITE_INTEGER = 2**63 - 1  # what SQLite can hold: a device may say more


@dataclass(frozen=True, slots=True)
class RowTable(Generic[RowT]):
    """One of the tables that hold rows of printers; its name is the name of the reading's part, too."""

    name: str
    kind: type[RowT]
    identity_fields: tuple[str, ...] = ()  # fields that, besides the index, make a row what it is

    def load(self, db: sqlite3.Connection, first_id: int, last_id: int) -> dict[int, list[Kept[RowT]]]:
        """The rows of the printers in this range of ids, in order of their index."""
        found: dict[int, list[Kept[RowT]]] = {}
        for row_id, printer_id, data, created_at, changed_at in db.execute(
            f"SELECT id, printer_id, data, created_at, changed_at FROM {self.name}"  # noqa: S608 own names only
            " WHERE printer_id BETWEEN ? AND ? ORDER BY printer_id, row_index",
            (first_id, last_id),
        ):
            created = database.from_ms(created_at)
            changed = created if changed_at == created_at else database.from_ms(changed_at)
            kept = Kept(row_id, json_codec.decode(self.kind, data), created, changed)
            found.setdefault(printer_id, []).append(kept)
        return found

    def _has_rows(self, db: sqlite3.Connection, printer_id: int) -> bool:
        query = f"SELECT 1 FROM {self.name} WHERE printer_id = ? LIMIT 1"  # noqa: S608 own names only
        return db.execute(query, (printer_id,)).fetchone() is not None

    def save(
        self,
        db: sqlite3.Connection,
        printer_id: int,
        rows: Iterable[RowT],
        failed: Container[str],
        moment: int,
    ) -> None:
        """Make the table say what `rows` say; a row that is another thing than before is a new row."""
        if self.name in failed and self._has_rows(db, printer_id):
            return
        news = {row.index: row for row in rows if 0 <= row.index <= MAX_SQLITE_INTEGER}
        for row_id, index, data in db.execute(
            f"SELECT id, row_index, data FROM {self.name} WHERE printer_id = ?",  # noqa: S608 own names only
            (printer_id,),
        ).fetchall():
            old = json_codec.decode(self.kind, data)
            new = news.get(index)
            if new is None or any(
                getattr(new, field) != getattr(old, field) for field in self.identity_fields
            ):
                db.execute(f"DELETE FROM {self.name} WHERE id = ?", (row_id,))  # noqa: S608 own names only
                continue
            del news[index]
            if new != old:
                db.execute(
                    f"UPDATE {self.name} SET data = ?, changed_at = ? WHERE id = ?",  # noqa: S608 own names only
                    (json_codec.encode(new), moment, row_id),
                )
        db.executemany(
            f"INSERT INTO {self.name} (printer_id, row_index, data, created_at, changed_at)"  # noqa: S608 own names
            " VALUES (?, ?, ?, ?, ?)",
            [(printer_id, index, json_codec.encode(row), moment, moment) for index, row in news.items()],
        )


SUPPLIES_TABLE = RowTable("supplies", Supply)
# Printers use an index again: with another cause it is another alert, which did not stand as long.
ALERTS_TABLE = RowTable("alerts", Alert, identity_fields=("group", "group_index", "code"))
INPUTS_TABLE = RowTable("inputs", InputTray)
OUTPUTS_TABLE = RowTable("outputs", OutputTray)
STORAGES_TABLE = RowTable("storages", Storage)


def save_tables(
    db: sqlite3.Connection, printer_id: int, reading: Reading, failed: Container[str], moment: int
) -> None:
    """Keep all tables of a reading; one whose name is in `failed` stays as it was, if it ever was."""
    SUPPLIES_TABLE.save(db, printer_id, reading.supplies, failed, moment)
    ALERTS_TABLE.save(db, printer_id, reading.alerts, failed, moment)
    INPUTS_TABLE.save(db, printer_id, reading.inputs, failed, moment)
    OUTPUTS_TABLE.save(db, printer_id, reading.outputs, failed, moment)
    STORAGES_TABLE.save(db, printer_id, reading.storages, failed, moment)
