-- What ad platforms say of campaigns: names, and figures per day. Written by imports, the API and the
-- puller; a figure that changed leaves its former value behind.

CREATE TABLE ad_entity (
	store_id   int NOT NULL REFERENCES store (id),
	platform   smallint NOT NULL,
	level      smallint NOT NULL,                      -- src/ad_levels.def
	id         text NOT NULL,                          -- the platform's; the name where it gave none
	campaign   text NOT NULL,                          -- ids above it, '' where none was told
	ad_group   text NOT NULL,
	pin        text NOT NULL,                          -- of an ad
	name       text NOT NULL,
	status     text NOT NULL,
	changed_us bigint NOT NULL,
	PRIMARY KEY (store_id, platform, level, id)
);

CREATE TABLE ad_day (
	store_id            int NOT NULL,
	platform            smallint NOT NULL,
	level               smallint NOT NULL,
	id                  text NOT NULL,
	day                 int NOT NULL,                  -- since 1970, as the ad account counts days
	currency            text NOT NULL,
	spend_micro         bigint NOT NULL,
	impressions         bigint,                        -- null: not told
	clicks              bigint,
	claimed             double precision,
	claimed_click       double precision,
	claimed_view        double precision,
	claimed_value_micro bigint,
	fetched_us          bigint NOT NULL,               -- when this was so for the first time
	PRIMARY KEY (store_id, platform, level, id, day)
) WITH (fillfactor = 80);
CREATE INDEX ad_day_time ON ad_day (store_id, day);

-- Figures that were replaced.
CREATE TABLE ad_day_before (LIKE ad_day, replaced_us bigint NOT NULL);
CREATE INDEX ON ad_day_before (store_id, day);
