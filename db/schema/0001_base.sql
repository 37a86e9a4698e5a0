-- The first schema: catalogue, receipts, events, deliveries, books.
-- Times are bigint microseconds since 1970 UTC (suffix _us): the clock is the program's, never the
-- server's. Ids of logs are (Unix milliseconds << 21 | counter), never below the writer's last:
-- they carry time, so days are partitions by id and id order is commit order.
-- Small numbers are the vocabularies of src/*.def. Nothing hot is updated in place.

CREATE FUNCTION ta_time(us bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT 'epoch'::timestamptz + us * interval '1 microsecond' $$;

-- Catalogue -----------------------------------------------------------------------------------

-- Public halves of the sealing keys; the private ones live in the key dir of `serve`.
CREATE TABLE sealing_key (
	purpose     text PRIMARY KEY CHECK (purpose IN ('ingest', 'deliver')),
	public      bytea NOT NULL,
	fingerprint text NOT NULL,
	created_us  bigint NOT NULL
);

-- Every change of the catalogue takes the next revision; routes name the revision they saw.
CREATE TABLE revision (
	rev    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at_us  bigint NOT NULL,
	actor  text NOT NULL,
	what   text NOT NULL
);

CREATE TABLE store (
	id                  int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	uid                 bytea NOT NULL UNIQUE,         -- 16 random bytes, survives export and import
	name                text NOT NULL UNIQUE,
	platform            text NOT NULL CHECK (platform IN ('shopify', 'meta', 'custom')),
	domain              text UNIQUE,
	currency            text NOT NULL,
	timezone            text NOT NULL DEFAULT 'UTC',
	consent             text NOT NULL DEFAULT 'optional' CHECK (consent IN ('optional', 'required')),
	purchase_on         text NOT NULL DEFAULT 'created' CHECK (purchase_on IN ('created', 'paid')),
	basis               text NOT NULL DEFAULT 'total' CHECK (basis IN ('total', 'subtotal', 'net')),
	send_pos            boolean NOT NULL DEFAULT false,
	send_draft          boolean NOT NULL DEFAULT false,
	webhook_secret      bytea,                         -- sealed to 'ingest', aad store:<uid hex>:webhook_secret
	webhook_secret_prev bytea,
	state               text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'uninstalled')),
	version             int NOT NULL DEFAULT 1,
	created_us          bigint NOT NULL,
	updated_us          bigint NOT NULL
);

CREATE TABLE pixel (
	id           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	uid          bytea NOT NULL UNIQUE,
	store_id     int NOT NULL REFERENCES store (id),
	name         text NOT NULL,
	platform     text NOT NULL CHECK (platform IN ('pinterest', 'meta', 'tiktok', 'sheets')),
	account      text NOT NULL,
	token        bytea,                                -- sealed to 'deliver', aad pixel:<uid hex>:token
	test_code    text,
	content_id   text NOT NULL DEFAULT 'auto' CHECK (content_id IN ('auto', 'variant_id', 'product_id', 'sku')),
	since_id     bigint NOT NULL,                      -- gets events with a greater id
	state        text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'held')),
	state_reason text NOT NULL DEFAULT '',             -- operator, auth, config, restored
	state_detail text NOT NULL DEFAULT '',
	state_us     bigint NOT NULL DEFAULT 0,
	deleted_us   bigint,
	version      int NOT NULL DEFAULT 1,
	created_us   bigint NOT NULL,
	updated_us   bigint NOT NULL,
	UNIQUE (store_id, name)
);

-- What a pixel's settings were at each version (no secrets): in-flight batches are rebuilt with it.
CREATE TABLE pixel_version (
	pixel_id int NOT NULL,
	version  int NOT NULL,
	rev      bigint NOT NULL,
	settings jsonb NOT NULL,
	PRIMARY KEY (pixel_id, version)
);

-- Temporal: the rule set at revision R is every row with from_rev <= R and (to_rev is null or > R).
CREATE SEQUENCE rule_id_seq AS int;
CREATE TABLE rule (
	id         int NOT NULL DEFAULT nextval('rule_id_seq'),
	version    int NOT NULL,
	from_rev   bigint NOT NULL,
	to_rev     bigint,
	name       text NOT NULL,
	priority   int NOT NULL,
	store_id   int,
	pixel_id   int,
	platform   text,
	expr       text NOT NULL,
	logic      text NOT NULL,                          -- JsonLogic, compact JSON
	action     text NOT NULL CHECK (action IN ('send', 'drop')),
	enabled    boolean NOT NULL DEFAULT true,
	author     text NOT NULL,
	note       text NOT NULL DEFAULT '',
	created_us bigint NOT NULL,
	PRIMARY KEY (id, version)
);
CREATE UNIQUE INDEX rule_current ON rule (id) WHERE to_rev IS NULL;

CREATE TABLE api_key (
	id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	hash       bytea NOT NULL UNIQUE,                  -- SHA-256 of the key
	shown      text,                                   -- the key itself for public ones, else its first 8 characters
	store_id   int NOT NULL REFERENCES store (id),
	scope      text NOT NULL CHECK (scope IN ('public', 'track', 'read', 'write', 'admin')),
	created_us bigint NOT NULL,
	revoked_us bigint
);

-- Receipts: written by listeners only, one log per writer ---------------------------------------

CREATE TABLE writer (
	id   smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE                          -- host/address of the listener
);

CREATE TABLE inbox (
	writer      smallint NOT NULL,
	id          bigint NOT NULL,
	received_us bigint NOT NULL,
	store_id    int NOT NULL,
	source      smallint NOT NULL,
	topic       text NOT NULL DEFAULT '',
	webhook_id  text NOT NULL DEFAULT '',
	remote      text NOT NULL DEFAULT '',
	meta        text NOT NULL DEFAULT '',              -- other headers worth keeping, compact JSON
	body_hash   bytea NOT NULL,
	PRIMARY KEY (writer, id)
) PARTITION BY RANGE (id);

CREATE TABLE inbox_body (
	writer smallint NOT NULL,
	id     bigint NOT NULL,
	body   bytea NOT NULL,                             -- src/lz.h
	PRIMARY KEY (writer, id)
) PARTITION BY RANGE (id);
ALTER TABLE inbox_body ALTER body SET STORAGE EXTERNAL;

-- Kept 8 days: the same receipt is stored once.
CREATE TABLE receipt_key (
	key       bytea PRIMARY KEY,
	writer    smallint NOT NULL,
	id        bigint NOT NULL,
	at_us     bigint NOT NULL,
	body_hash bytea NOT NULL
);

CREATE TABLE receipt_repeat (
	writer       smallint NOT NULL,
	id           bigint NOT NULL,
	first_writer smallint NOT NULL,
	first_id     bigint NOT NULL,
	at_us        bigint NOT NULL,
	body_hash    bytea NOT NULL,
	body         bytea,                                -- only when it differs from the first
	PRIMARY KEY (writer, id)
);
CREATE INDEX ON receipt_repeat (first_id);

-- Evidence of refused signatures, bounded: the folder keeps the newest 10,000.
CREATE TABLE refused (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at_us   bigint NOT NULL,
	domain  text NOT NULL,
	topic   text NOT NULL,
	remote  text NOT NULL,
	reason  text NOT NULL,
	hash    bytea NOT NULL,
	head    bytea NOT NULL                             -- first 512 bytes of the body
);

-- Written by the router: receipts that cannot become events.
CREATE TABLE failed_receipt (
	writer   smallint NOT NULL,
	id       bigint NOT NULL,
	store_id int NOT NULL,
	failure  smallint NOT NULL,
	detail   text NOT NULL,
	at_us    bigint NOT NULL,
	PRIMARY KEY (writer, id)
);

-- Events: written by the router only --------------------------------------------------------------

CREATE TABLE event (
	id          bigint PRIMARY KEY,
	store_id    int NOT NULL,
	name        smallint NOT NULL,
	source      smallint NOT NULL,
	at_us       bigint NOT NULL,                       -- when it happened
	received_us bigint NOT NULL,
	writer      smallint NOT NULL,
	receipt     bigint NOT NULL,
	item        smallint NOT NULL DEFAULT 0,           -- position inside the receipt
	key         bytea NOT NULL,                        -- book key, 16 bytes
	wire_id     text NOT NULL,
	amount      bigint,                                -- minor units
	currency    text,
	order_id    text,
	label       text NOT NULL DEFAULT '',              -- "#1001", custom name, …
	test        boolean NOT NULL DEFAULT false
) PARTITION BY RANGE (id);
CREATE INDEX event_store ON event (store_id, id);
CREATE INDEX event_order ON event (store_id, order_id) WHERE order_id IS NOT NULL;
CREATE INDEX event_receipt ON event (receipt, writer);

CREATE TABLE event_doc (
	id  bigint PRIMARY KEY,
	doc bytea NOT NULL                                 -- src/lz.h over src/event.h
) PARTITION BY RANGE (id);
ALTER TABLE event_doc ALTER doc SET STORAGE EXTERNAL;

CREATE TABLE event_key (
	key      bytea PRIMARY KEY,
	event_id bigint NOT NULL
);

-- Wire ids that a shop set itself: one order each.
CREATE TABLE wire (
	store_id int NOT NULL,
	wire_id  text NOT NULL,
	event_id bigint NOT NULL,
	PRIMARY KEY (store_id, wire_id)
);

-- Further reports of an event (paid after created, browser copy, redelivery under another id).
CREATE TABLE event_report (
	event_id bigint NOT NULL,
	writer   smallint NOT NULL,
	receipt  bigint NOT NULL,
	item     smallint NOT NULL DEFAULT 0,
	at_us    bigint NOT NULL,
	topic    text NOT NULL,
	PRIMARY KEY (event_id, writer, receipt, item)
);
CREATE INDEX ON event_report (receipt);

CREATE TABLE order_state (
	store_id       int NOT NULL,
	order_id       text NOT NULL,
	updated_us     bigint NOT NULL,
	financial      text NOT NULL DEFAULT '',
	total          bigint,
	currency       text,
	refunded       bigint NOT NULL DEFAULT 0,
	cancelled_us   bigint,
	purchase_event bigint,
	identity       text NOT NULL DEFAULT '',           -- click ids and identity lent by the browser, JSON
	PRIMARY KEY (store_id, order_id)
);

-- Events that wait: a browser purchase for its webhook, a refund for its order.
CREATE TABLE hold (
	event_id bigint PRIMARY KEY,
	store_id int NOT NULL,
	reason   smallint NOT NULL,
	due_us   bigint NOT NULL,
	order_id text,
	wire_id  text
);
CREATE INDEX ON hold (due_us);
CREATE INDEX ON hold (store_id, order_id);
CREATE INDEX ON hold (store_id, wire_id);

-- One row per event x pixel. decision is a disposition: queued goes on to the dispatcher, the rest
-- is final here (or held).
CREATE TABLE route (
	event_id     bigint NOT NULL,
	pixel_id     int NOT NULL,
	decision     smallint NOT NULL,
	reason       smallint NOT NULL,
	rule_id      int NOT NULL DEFAULT 0,               -- 0: no rule, the default decided
	rule_version int NOT NULL DEFAULT 0,
	rev          bigint NOT NULL,
	PRIMARY KEY (event_id, pixel_id)
) PARTITION BY RANGE (event_id);

-- Deliveries: written by the dispatcher only --------------------------------------------------------

-- Claimed before it is sent; its verdicts delete it. Rows found at start are ambiguous outcomes.
CREATE TABLE inflight (
	id            bigint PRIMARY KEY,
	pixel_id      int NOT NULL,
	range_id      bigint NOT NULL DEFAULT 0,           -- 0: live
	events        bigint[] NOT NULL,
	runs          smallint[] NOT NULL,
	tries         smallint[] NOT NULL,                 -- attempts before this one
	pixel_version int NOT NULL,
	first_sent_us bigint NOT NULL,
	state         smallint NOT NULL DEFAULT 0          -- 0 sent, 1 refused (auth or config), waits for release
);

CREATE TABLE retry (
	event_id      bigint NOT NULL,
	pixel_id      int NOT NULL,
	run           smallint NOT NULL,
	tries         smallint NOT NULL,
	due_us        bigint NOT NULL,
	deadline_us   bigint NOT NULL,
	first_sent_us bigint NOT NULL DEFAULT 0,           -- of the first attempt of unknown outcome, 0: none
	pixel_version int NOT NULL DEFAULT 0,              -- pinned while the outcome is unknown
	reason        smallint NOT NULL,
	alone         boolean NOT NULL DEFAULT false,      -- bisected: goes in a batch of its own
	PRIMARY KEY (event_id, pixel_id)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX retry_due ON retry (due_us);

-- A stretch of the routes that one pixel still has to take: what waited while it was held or slow.
CREATE TABLE range (
	id         bigint PRIMARY KEY,
	pixel_id   int NOT NULL,
	kind       text NOT NULL CHECK (kind IN ('live', 'backlog', 'replay')),
	start_id   bigint NOT NULL,                        -- takes events with start_id < id <= end_id
	end_id     bigint NOT NULL,                        -- live: open, 2^63-1
	rate       int NOT NULL DEFAULT 0,                 -- events per second, 0: no limit
	run        smallint NOT NULL DEFAULT 1,
	state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'frozen', 'done')),
	created_us bigint NOT NULL
);
CREATE INDEX ON range (pixel_id);

-- Positions are appended, never updated (an updated row decays under an old snapshot).
CREATE TABLE range_pos (
	range_id bigint NOT NULL,
	pos      bigint NOT NULL,
	PRIMARY KEY (range_id, pos)
);

CREATE TABLE curlog (
	stage text NOT NULL,
	pos   bigint NOT NULL,
	PRIMARY KEY (stage, pos)
);

CREATE TABLE verdict (
	event_id   bigint NOT NULL,
	pixel_id   int NOT NULL,
	run        smallint NOT NULL,
	attempt    smallint NOT NULL,                      -- 1…; 0: decided without sending
	at_us      bigint NOT NULL,
	before     smallint NOT NULL,                      -- disposition it leaves
	after      smallint NOT NULL,
	reason     smallint NOT NULL,
	attempt_id bigint NOT NULL DEFAULT 0,
	position   smallint NOT NULL DEFAULT 0,            -- in the exchange's batch
	code       text NOT NULL DEFAULT '',               -- the platform's code/subcode
	message    text NOT NULL DEFAULT '',
	hash       bytea,                                  -- SHA-256 of the event's own bytes as sent
	PRIMARY KEY (event_id, pixel_id, run, attempt)
) PARTITION BY RANGE (event_id);

-- One HTTP exchange. The token is replaced before storing.
CREATE TABLE attempt (
	id            bigint PRIMARY KEY,
	pixel_id      int NOT NULL,
	at_us         bigint NOT NULL,
	ms            int NOT NULL,
	http          smallint NOT NULL,                   -- 0: no answer
	class         text NOT NULL,                       -- ok, per_event, permanent_batch, auth, config, retry, ambiguous
	error         text NOT NULL DEFAULT '',
	n             int NOT NULL,
	pixel_version int NOT NULL,
	request       bytea NOT NULL,                      -- src/lz.h
	response      bytea NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX attempt_pixel ON attempt (pixel_id, id);

-- Books ---------------------------------------------------------------------------------------------

-- What the stages count, in their own transactions: router and dispatcher each own a log of
-- deltas. The folder adds them up behind a cursor per stage.
CREATE TABLE tally (
	stage    smallint NOT NULL,                        -- 1 router, 2 dispatcher
	id       bigint NOT NULL,
	minute   bigint NOT NULL,                          -- minutes since 1970 of the event's receipt
	store_id int NOT NULL,
	pixel_id int NOT NULL,                             -- 0: counts of the store
	item     smallint NOT NULL,                        -- src/tally.h
	bin      smallint NOT NULL DEFAULT 0,
	currency text NOT NULL DEFAULT '',
	n        bigint NOT NULL,
	amount   bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (stage, id)
) PARTITION BY RANGE (id);

-- Appended as deltas by the folder and compacted later: always read with sum().
CREATE TABLE roll_minute (
	minute bigint NOT NULL, store_id int NOT NULL, pixel_id int NOT NULL, item smallint NOT NULL,
	bin smallint NOT NULL, currency text NOT NULL, n bigint NOT NULL, amount bigint NOT NULL
);
CREATE INDEX ON roll_minute (minute);
CREATE TABLE roll_hour (
	hour bigint NOT NULL, store_id int NOT NULL, pixel_id int NOT NULL, item smallint NOT NULL,
	bin smallint NOT NULL, currency text NOT NULL, n bigint NOT NULL, amount bigint NOT NULL
);
CREATE INDEX ON roll_hour (hour);
CREATE TABLE roll_day (
	day bigint NOT NULL, store_id int NOT NULL, pixel_id int NOT NULL, item smallint NOT NULL,
	bin smallint NOT NULL, currency text NOT NULL, n bigint NOT NULL, amount bigint NOT NULL
);
CREATE INDEX ON roll_day (day);
-- The identity: routed = sum over dispositions, per pixel, since the pixel began.
CREATE TABLE ledger (
	pixel_id int NOT NULL,
	item     smallint NOT NULL,
	n        bigint NOT NULL
);
CREATE INDEX ON ledger (pixel_id);

-- House -----------------------------------------------------------------------------------------------

CREATE TABLE command (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at_us   bigint NOT NULL,
	actor   text NOT NULL,
	kind    text NOT NULL,
	args    text NOT NULL,                             -- JSON
	done_us bigint,
	ok      boolean,
	answer  text NOT NULL DEFAULT ''
);
CREATE INDEX ON command (id) WHERE done_us IS NULL;

-- Append-only and chained: hash = SHA-256(prev hash, at, actor, action, object, before, after).
CREATE TABLE audit (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at_us  bigint NOT NULL,
	actor  text NOT NULL,
	action text NOT NULL,
	object text NOT NULL,
	before text NOT NULL DEFAULT '',
	after  text NOT NULL DEFAULT '',
	note   text NOT NULL DEFAULT '',
	hash   bytea NOT NULL
);

CREATE UNLOGGED TABLE heartbeat (
	role     text NOT NULL,
	instance text NOT NULL,
	pid      int NOT NULL,
	at_us    bigint NOT NULL,
	active   boolean NOT NULL,
	detail   text NOT NULL,                            -- JSON: rates, depths, in flight, last error
	PRIMARY KEY (role, instance)
);
