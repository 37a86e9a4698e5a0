-- Canaries: synthetic orders that go the whole way (db/canary.h). They have tables of their own, so that
-- no total can ever count one.
ALTER TABLE store ADD COLUMN canary int NOT NULL DEFAULT 0;  -- minutes between two, 0: none
ALTER TABLE api_key DROP CONSTRAINT api_key_scope_check;
ALTER TABLE api_key ADD CONSTRAINT api_key_scope_check CHECK
	(scope IN ('public', 'track', 'read', 'write', 'admin', 'canary'));

CREATE TABLE canary (
	id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	store_id int NOT NULL,
	begun_us bigint NOT NULL,
	stage    smallint NOT NULL DEFAULT 0,              -- enum canary_stage: how far it came
	ended_us bigint,
	ok       boolean,
	detail   text NOT NULL DEFAULT '',                 -- where it stopped and why
	doc      bytea                                     -- what the router made of it, src/lz.h
);
CREATE INDEX ON canary (store_id, id);
CREATE INDEX ON canary (id) WHERE ended_us IS NULL;

-- What the router decided for each pixel of its store, and what came of the test send.
CREATE TABLE canary_pixel (
	canary_id    bigint NOT NULL,
	pixel_id     int NOT NULL,
	decision     smallint NOT NULL,
	reason       smallint NOT NULL,
	rule_id      int NOT NULL,
	rule_version int NOT NULL,
	command_id   bigint NOT NULL DEFAULT 0,            -- the order to the dispatcher
	ok           boolean,
	verdict      text NOT NULL DEFAULT '',
	detail       text NOT NULL DEFAULT '',
	ms           int NOT NULL DEFAULT 0,
	PRIMARY KEY (canary_id, pixel_id)
);
