-- What is told of alerts to the outside: written with the alert's change, in its transaction.
CREATE TABLE notice (
	id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	alert_id bigint NOT NULL,                          -- 0: a test
	turn     smallint NOT NULL,                        -- enum notice_turn
	level    smallint NOT NULL,                        -- of the alert then
	why      text NOT NULL,
	at_us    bigint NOT NULL
);
CREATE INDEX ON notice (alert_id, id);
CREATE INDEX ON notice (at_us);

-- What came of a notice on one way (webhook, mail); written by the puller. No row: not looked at yet.
CREATE TABLE notice_way (
	notice_id bigint NOT NULL,
	way       smallint NOT NULL,                       -- enum notice_way
	state     smallint NOT NULL,                       -- enum notice_state
	tries     int NOT NULL,
	due_us    bigint NOT NULL,                         -- pending: when it is tried again
	at_us     bigint NOT NULL,                         -- of the last try or the decision
	detail    text NOT NULL,                           -- why not (yet)
	PRIMARY KEY (notice_id, way)
) WITH (fillfactor = 70);
