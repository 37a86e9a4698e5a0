-- Exchange rates: units of a currency for one euro, in 10^-8. A rate that is there is never changed:
-- what was converted with it would not be what was shown.
CREATE TABLE fx_rate (
	currency text NOT NULL,
	day      int NOT NULL,                             -- since 1970
	per_euro bigint NOT NULL CHECK (per_euro > 0),
	source   text NOT NULL,                            -- ecb, or who set it by hand
	set_us   bigint NOT NULL,
	PRIMARY KEY (currency, day)
);
