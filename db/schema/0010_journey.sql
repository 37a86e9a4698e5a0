-- Journeys: who came to a shop from where, and what they bought. Written by the folder behind the
-- cursor 'journey' over the documents; can be made anew from them at any time.

-- One visit with a source, or a direct one (src/visit.h); id is the event that told of it.
CREATE TABLE touch (
	id          bigint PRIMARY KEY,
	store_id    int NOT NULL,
	person      bigint NOT NULL,
	at_us       bigint NOT NULL,
	late        boolean NOT NULL,                      -- told by an order
	channel     smallint NOT NULL,                     -- src/channels.def
	platform    smallint NOT NULL,                     -- whose ad or link, -1: none of ours
	source      text NOT NULL,
	medium      text NOT NULL,
	campaign    text NOT NULL,
	campaign_id text NOT NULL,
	ad_group_id text NOT NULL,
	ad_id       text NOT NULL,
	pin_id      text NOT NULL,
	click       text NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX touch_at ON touch (store_id, at_us);
CREATE INDEX touch_person ON touch (person);

-- One purchase; id is its event. Its amount stands in event.
CREATE TABLE conversion (
	id       bigint PRIMARY KEY,
	store_id int NOT NULL,
	person   bigint NOT NULL,
	at_us    bigint NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX conversion_at ON conversion (store_id, at_us);
CREATE INDEX conversion_person ON conversion (person);

-- What a person is known by in a store. A person's number is the first event that showed one.
CREATE TABLE person_key (
	store_id int NOT NULL,
	key      bytea NOT NULL,                           -- src/visit.h
	person   bigint NOT NULL,
	since    bigint NOT NULL,                          -- event that told of the key
	PRIMARY KEY (store_id, key)
);

-- Two persons that turned out to be one: the younger number means the older. Appended; old rows keep
-- the number they were written with.
CREATE TABLE person_alias (
	person   bigint PRIMARY KEY,
	store_id int NOT NULL,
	means    bigint NOT NULL
);
CREATE INDEX ON person_alias (store_id);
CREATE INDEX ON person_alias (means);
