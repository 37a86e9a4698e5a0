-- What the platform itself says of a pixel's events (db/quality.h), asked every few hours.
CREATE TABLE pixel_quality (
	pixel_id int PRIMARY KEY,
	asked_us bigint NOT NULL,                          -- the last time it was asked …
	error    text NOT NULL DEFAULT '',                 -- … and why there was no answer
	read_us  bigint NOT NULL DEFAULT 0,                -- when scores and tags were read, 0 never
	scores   text NOT NULL DEFAULT '',
	tags     text NOT NULL DEFAULT ''
) WITH (fillfactor = 50);
