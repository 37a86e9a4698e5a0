-- Alerts (src/alert.h), one row from raised to cleared; written by the folder, acknowledged by operators.
CREATE TABLE alert (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	scope      smallint NOT NULL,
	object     int NOT NULL,                           -- pixel id, platform, 0
	part       smallint NOT NULL,                      -- src/health.def
	level      smallint NOT NULL,                      -- 2 warn, 3 crit
	why        text NOT NULL,
	raised_us  bigint NOT NULL,
	changed_us bigint NOT NULL,
	cleared_us bigint,
	acked_us   bigint,
	acked_by   text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX alert_open ON alert (scope, object, part) WHERE cleared_us IS NULL;
CREATE INDEX ON alert (raised_us);

-- Causes that stay silent for a while, also when they are raised anew.
CREATE TABLE alert_mute (
	scope    smallint NOT NULL,
	object   int NOT NULL,
	part     smallint NOT NULL,
	until_us bigint NOT NULL,
	muted_by text NOT NULL,
	PRIMARY KEY (scope, object, part)
);
