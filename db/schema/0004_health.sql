-- The health of each pixel as the folder judged it last: status and cause as in src/health.h, parts
-- a JSON object by component.
CREATE TABLE health (
	pixel_id int PRIMARY KEY,
	at_us    bigint NOT NULL,
	status   smallint NOT NULL,
	cause    smallint NOT NULL,
	parts    text NOT NULL
) WITH (fillfactor = 50);
