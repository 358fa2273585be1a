-- Version 1 of the Plug's database.
-- Times are integers: milliseconds since 1970 in UTC. Columns of JSON hold records of model.py (see codec.py).
-- Later versions only ever add: after an update is rolled back, the older software works on with the newer file.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- What seldom changes of a printer. serial, maker and mac are normalised for comparison; the records are as read.
CREATE TABLE printers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  serial TEXT,
  maker TEXT,
  mac TEXT,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  name TEXT,                                  -- the DNS name by which it is asked, where it goes by name
  lost INTEGER NOT NULL DEFAULT 0,            -- 1: another printer answers at its last address
  target TEXT NOT NULL,
  identity TEXT NOT NULL,
  details TEXT NOT NULL,                      -- without the uptime, which is in sightings
  device_group INTEGER NOT NULL DEFAULT 0,
  ignore INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
);
CREATE INDEX printers_by_serial ON printers (serial) WHERE serial IS NOT NULL;
CREATE INDEX printers_by_mac ON printers (mac) WHERE mac IS NOT NULL;
CREATE INDEX printers_by_host ON printers (host, port);
CREATE INDEX printers_by_name ON printers (name) WHERE name IS NOT NULL;

-- What changes with every attempt, in small rows that share pages: an SD card pays by the page.
CREATE TABLE sightings (
  printer_id INTEGER PRIMARY KEY REFERENCES printers (id) ON DELETE CASCADE,
  seen_at INTEGER NOT NULL,
  failed_at INTEGER,                          -- the last attempt, if that one failed
  failure TEXT,
  uptime INTEGER,
  cost TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE plans (
  printer_id INTEGER PRIMARY KEY REFERENCES printers (id) ON DELETE CASCADE,
  plan TEXT NOT NULL
);

-- A held value was read but is not believed yet; `value` is the last one that was.
CREATE TABLE counters (
  printer_id INTEGER NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  source TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  held_value INTEGER,
  held_source TEXT,
  held_reason TEXT,
  held_at INTEGER,
  PRIMARY KEY (printer_id, name)
) WITHOUT ROWID;

CREATE TABLE supplies (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  printer_id INTEGER NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  row_index INTEGER NOT NULL,
  data TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  UNIQUE (printer_id, row_index)
);
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  printer_id INTEGER NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  row_index INTEGER NOT NULL,
  data TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  UNIQUE (printer_id, row_index)
);
CREATE TABLE inputs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  printer_id INTEGER NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  row_index INTEGER NOT NULL,
  data TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  UNIQUE (printer_id, row_index)
);
CREATE TABLE outputs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  printer_id INTEGER NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  row_index INTEGER NOT NULL,
  data TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  UNIQUE (printer_id, row_index)
);
CREATE TABLE storages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  printer_id INTEGER NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  row_index INTEGER NOT NULL,
  data TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  UNIQUE (printer_id, row_index)
);

-- Where a printer has been. last_at of the present address is when the printer came there or was back there.
CREATE TABLE addresses (
  printer_id INTEGER NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  name TEXT,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (printer_id, host, port)
) WITHOUT ROWID;

-- What changed since the row before, as {"total": 1234, "supply:1": 60}; null: no longer known.
CREATE TABLE history (
  printer_id INTEGER NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  since INTEGER NOT NULL,                     -- the start of the hour, later of the day, that the row sums up
  at INTEGER NOT NULL,                        -- the last change in it
  data TEXT NOT NULL,
  PRIMARY KEY (printer_id, since)
) WITHOUT ROWID;

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  arguments TEXT NOT NULL DEFAULT '{}',
  state TEXT NOT NULL DEFAULT 'waiting',      -- waiting, running, done, failed, interrupted
  progress TEXT NOT NULL DEFAULT '{}',
  result TEXT NOT NULL DEFAULT '{}',
  put_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER
);
CREATE INDEX jobs_unfinished ON jobs (id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX jobs_one_at_a_time ON jobs (state) WHERE state = 'running';

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  text TEXT NOT NULL,
  begun_at INTEGER NOT NULL,
  ended_at INTEGER
);
CREATE UNIQUE INDEX events_going_on ON events (kind, subject) WHERE ended_at IS NULL;

-- The outbox's list; the parcels themselves are files.
CREATE TABLE parcels (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which they leave
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  size INTEGER NOT NULL,
  digest TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER,
  error TEXT,
  delivered_at INTEGER
);
CREATE INDEX parcels_by_state ON parcels (state, sequence);
