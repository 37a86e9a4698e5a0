-- The ledger, checked all the time (db/ledger_watch.h).

-- Events first_id < id <= next_id, sealed with what they count: routes per pixel, and the sum of
-- their event ids above first_id, so that a single one that is missing names itself. Each block has a
-- row of pixel 0: its events. Blocks whose days are gone are one block from 0 on.
CREATE TABLE ledger_block (
	first_id bigint NOT NULL,
	next_id  bigint NOT NULL,
	pixel_id int NOT NULL,
	n        bigint NOT NULL,
	ids      bigint NOT NULL,
	PRIMARY KEY (first_id, pixel_id)
);

-- What does not add up at the moment. event_id 0: no event can be named.
CREATE TABLE ledger_fault (
	pixel_id int NOT NULL,
	event_id bigint NOT NULL,
	kind     smallint NOT NULL,                        -- enum ledger_fault_kind
	rows     smallint NOT NULL,                        -- dispositions, -1 nothing
	book     smallint NOT NULL,
	found_us bigint NOT NULL,
	detail   text NOT NULL,
	PRIMARY KEY (pixel_id, event_id)
);
