-- Rule actions with an argument, shadow rules, what rules did, deliveries held by a rule, and the
-- maps of a pixel.

ALTER TABLE rule DROP CONSTRAINT rule_action_check;
ALTER TABLE rule ADD CONSTRAINT rule_action_check CHECK (action IN
	('send', 'drop', 'hold', 'rename', 'set', 'remove', 'sample', 'route'));
-- The action's argument (src/rule_action.h), canonical.
ALTER TABLE rule ADD COLUMN with_text text NOT NULL DEFAULT '';
-- Asked in order like any other, decides nothing, counts what it would have done.
ALTER TABLE rule ADD COLUMN shadow boolean NOT NULL DEFAULT false;

-- Maps of a pixel: event names as the platform shall see them, content ids for ours.
ALTER TABLE pixel ADD COLUMN event_names text NOT NULL DEFAULT '';
ALTER TABLE pixel ADD COLUMN content_ids text NOT NULL DEFAULT '';

-- What rules did, in the hour of the event's receipt: appended by the router in its batch's
-- transaction, compacted by the folder; always read with sum(). item and bin: src/rule_count.h.
CREATE TABLE rule_count (
	hour     bigint NOT NULL,                          -- hours since 1970
	rule_id  int NOT NULL,
	version  int NOT NULL,
	item     smallint NOT NULL,
	bin      smallint NOT NULL DEFAULT 0,
	currency text NOT NULL DEFAULT '',
	n        bigint NOT NULL,
	amount   bigint NOT NULL DEFAULT 0                 -- minor units
);
CREATE INDEX ON rule_count (hour);
CREATE INDEX ON rule_count (rule_id, hour);

-- Deliveries that a rule holds. Written by the router only; the route says held: rule_hold.
CREATE TABLE rule_hold (
	event_id bigint NOT NULL,
	pixel_id int NOT NULL,
	rule_id  int NOT NULL,
	due_us   bigint NOT NULL,                          -- when it ends by itself
	expires  boolean NOT NULL,                         -- then: dead, the platform's deadline is over; else sent
	PRIMARY KEY (event_id, pixel_id)
);
CREATE INDEX ON rule_hold (due_us);
CREATE INDEX ON rule_hold (rule_id);
