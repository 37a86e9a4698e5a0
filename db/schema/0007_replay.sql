-- Replays: final deliveries that go out again as run n+1 (db/replay.h).
CREATE TABLE replay (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at_us        bigint NOT NULL,
	actor        text NOT NULL,
	mode         text NOT NULL CHECK (mode IN ('current', 'pinned')),
	what         text NOT NULL,                        -- the selection in words
	rate         int NOT NULL,                         -- events per second at each pixel, 0: no limit
	rev          bigint NOT NULL,                      -- revision of the catalogue it was planned under
	items        bigint NOT NULL,                      -- deliveries to be sent
	left_out     bigint NOT NULL,                      -- chosen, and left out by the plan
	opened_us    bigint,                               -- the dispatcher took it up
	done_us      bigint,                               -- nothing of it waits any more
	cancelled_by text
);

-- Written before the dispatcher is told, and never touched again. What shapes the delivery is fixed
-- here; the dispatcher's position in it is its range's (range_pos, in event ids).
CREATE TABLE replay_item (
	replay_id     bigint NOT NULL,
	event_id      bigint NOT NULL,
	pixel_id      int NOT NULL,
	run           smallint NOT NULL,                   -- the one it opens
	fate          smallint NOT NULL,                   -- 0: to be sent; else why it was left out
	becomes       smallint NOT NULL,                   -- left out: the disposition it would have got
	reason        smallint NOT NULL,
	rule_id       int NOT NULL,
	rule_version  int NOT NULL,
	pixel_version int NOT NULL,
	until_us      bigint NOT NULL,                     -- not sent later than this, 0: no bound
	PRIMARY KEY (replay_id, pixel_id, event_id)
);
-- The rule of a run beyond the first; of several rows the newest replay's opened it.
CREATE INDEX replay_item_run ON replay_item (event_id, pixel_id, run);

ALTER TABLE range ADD COLUMN replay_id bigint NOT NULL DEFAULT 0;
