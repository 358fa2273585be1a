-- Version 4: one run of all printers at a time, and beside it one of a few.
DROP INDEX jobs_one_at_a_time;
CREATE UNIQUE INDEX jobs_one_at_a_time ON jobs (json_extract(arguments, '$.printers') IS NULL) WHERE state = 'running';
