-- What the dispatcher knows of each pixel's circuit (src/circuit.h), written when it changes: read
-- back after a restart, and by whoever wants to see it. A pixel without a row is closed.
CREATE TABLE circuit (
	pixel_id  int PRIMARY KEY,
	failures  int NOT NULL,                            -- in a row
	opened    int NOT NULL,                            -- times in a row
	until_us  bigint NOT NULL,                         -- 0: closed
	forced_us bigint NOT NULL,                         -- held open by hand until then, 0: it is not
	forced_by text NOT NULL DEFAULT '',
	since_us  bigint NOT NULL,                         -- of this state
	error_us  bigint NOT NULL DEFAULT 0,               -- of the last failure
	error     text NOT NULL DEFAULT '',
	at_us     bigint NOT NULL
) WITH (fillfactor = 50);

-- Work that does not move although nothing keeps it (db/sweep.h): found by the folder.
CREATE TABLE stuck (
	kind      smallint NOT NULL,
	pixel_id  int NOT NULL,
	n         bigint NOT NULL,
	event_id  bigint NOT NULL,                         -- one of them
	since_us  bigint NOT NULL,                         -- it should have moved then
	found_us  bigint NOT NULL,
	ended_us  bigint,                                  -- it moves again
	note      text NOT NULL DEFAULT '',
	PRIMARY KEY (kind, pixel_id)
);

-- Nearest deadline first, and what is past it.
CREATE INDEX retry_deadline ON retry (deadline_us);
-- Dead letters.
CREATE INDEX verdict_failed ON verdict (event_id, pixel_id) WHERE after IN (8, 9);
