-- Version 2: traps, and the printers whose reading after a trap is still to be reported.

-- The newest of each sender; one that repeats itself is counted instead of kept again.
CREATE TABLE traps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  printer_id INTEGER REFERENCES printers (id) ON DELETE SET NULL,  -- NULL: a stranger's
  sender TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  data TEXT NOT NULL
);
CREATE INDEX traps_by_sender ON traps (sender, id);
CREATE INDEX traps_by_printer ON traps (printer_id, id);

CREATE TABLE reports_owed (
  printer_id INTEGER PRIMARY KEY REFERENCES printers (id) ON DELETE CASCADE,
  since INTEGER NOT NULL
);
