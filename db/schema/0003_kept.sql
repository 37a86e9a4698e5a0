-- What retention lets go leaves the books explained and its keys behind it clean.

-- Nobody ever set it: a bisected batch is told apart by its claim.
ALTER TABLE retry DROP COLUMN alone;

-- When an order was last heard of, by our clock: orders go when their events' time is over.
ALTER TABLE order_state ADD COLUMN seen_us bigint NOT NULL DEFAULT 0;
UPDATE order_state SET seen_us = (SELECT coalesce((max(id) >> 21) * 1000, 0) FROM event);

-- What the ledger's recount counted in a day before its rows went (first_id <= event id < next_id).
-- Each counted day has a row of pixel 0.
CREATE TABLE ledger_gone (
	first_id bigint NOT NULL,
	next_id  bigint NOT NULL,
	pixel_id int NOT NULL,
	item     smallint NOT NULL,                        -- as in ledger
	n        bigint NOT NULL,
	PRIMARY KEY (first_id, pixel_id, item)
);
