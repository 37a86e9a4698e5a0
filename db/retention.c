#include "db/retention.h"

#include "db/conn.h"
#include "db/ledger.h"
#include "db/log_id.h"
#include "db/tally.h"
#include "src/clock.h"
#include "src/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Is anything in the partition still needed? Each query has $1 = its first id and $2 = the first
 * behind it and answers with one text: who needs it, null for nobody. */
static const char inbox_guard[] =
	"SELECT 'the router has not read writer ' || w.id FROM writer w WHERE (SELECT max(id) FROM "
	"inbox WHERE writer = w.id AND id >= $1 AND id < $2) > coalesce((SELECT max(pos) FROM curlog "
	"WHERE stage = 'router:' || w.id), 0) LIMIT 1";

static const char event_guard[] =
	"SELECT coalesce("
	"(SELECT 'the dispatcher has not read it' WHERE (SELECT max(event_id) FROM route WHERE "
	"event_id >= $1 AND event_id < $2) > coalesce((SELECT max(pos) FROM curlog WHERE stage = "
	"'dispatch'), 0)), "
	"(SELECT 'pixel ' || pixel_id || ' has deliveries waiting in it' FROM range r WHERE state <> "
	"'done' AND end_id >= $1 AND greatest(start_id, (SELECT max(pos) FROM range_pos p WHERE "
	"p.range_id = r.id)) < $2 - 1 LIMIT 1), "
	"(SELECT 'pixel ' || pixel_id || ' has retries in it' FROM retry WHERE event_id >= $1 AND "
	"event_id < $2 LIMIT 1), "
	"(SELECT 'events are held in it' FROM hold WHERE event_id >= $1 AND event_id < $2 LIMIT 1), "
	"(SELECT 'rule ' || rule_id || ' holds deliveries in it' FROM rule_hold WHERE event_id >= $1 "
	"AND event_id < $2 LIMIT 1), "
	"(SELECT 'pixel ' || pixel_id || ' has a batch under way' FROM inflight, unnest(events) e "
	"WHERE e >= $1 AND e < $2 LIMIT 1))";

static const char tally_guard[] =
	"SELECT 'the books have not been added up' WHERE EXISTS (SELECT FROM (VALUES (1, "
	"'" TALLY_CURSOR_ROUTER "'), (2, '" TALLY_CURSOR_DISPATCHER "')) s (stage, cursor) WHERE "
	"(SELECT max(id) FROM tally t WHERE t.stage = s.stage AND id >= $1 AND id < $2) > "
	"coalesce((SELECT max(pos) FROM curlog c WHERE c.stage = s.cursor), 0))";

struct part {
	char name[64];
	int64_t from_us, to_us; /* its day */
	bool attached, pending; /* still a partition; half detached */
};

static enum ta_rc count_day(struct db *db, const struct part *p, struct ta_err *err);
static enum ta_rc drop_keys(struct db *db, const struct part *p, struct ta_err *err);

/* Bodies go first, documents before events, so that what is left always explains itself. */
static const struct kept {
	const char *table;
	int days;
	const char *guard; /* NULL: nobody reads it behind a cursor */
	/* What is to be done before the day goes; may be NULL. */
	enum ta_rc (*before)(struct db *db, const struct part *p, struct ta_err *err);
} kept[] = {
	{"inbox_body", KEEP_BODIES_DAYS, inbox_guard, NULL},
	{"attempt", KEEP_EVENTS_DAYS, NULL, NULL},
	{"verdict", KEEP_EVENTS_DAYS, event_guard, count_day},
	{"route", KEEP_EVENTS_DAYS, event_guard, count_day},
	{"event_doc", KEEP_EVENTS_DAYS, event_guard, NULL},
	{"event", KEEP_EVENTS_DAYS, event_guard, drop_keys},
	{"inbox", KEEP_EVENTS_DAYS, inbox_guard, NULL},
	{"touch", KEEP_EVENTS_DAYS, NULL, NULL},
	{"conversion", KEEP_EVENTS_DAYS, NULL, NULL},
	{"tally", KEEP_EVENTS_DAYS, tally_guard, NULL},
};

/* The day of "event_20261122". */
static bool read_day(const char *name, int64_t *us)
{
	const char *digits = strrchr(name, '_');
	char date[11];
	if (!digits || strlen(digits + 1) != 8)
		return false;
	digits++;
	snprintf(date, sizeof(date), "%.4s-%.2s-%.2s", digits, digits + 4, digits + 6);
	return clock_parse(date, us);
}

static enum ta_rc needed(struct db *db, const struct kept *k, const struct part *p, char why[120],
	struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	why[0] = '\0';
	if (!k->guard)
		return TA_OK;
	db_arg_i64(&a, log_id_at(p->from_us));
	db_arg_i64(&a, log_id_at(p->to_us));
	enum ta_rc rc = db_query(db, k->guard, &a, &r, err);
	if (!rc && db_rows(r))
		snprintf(why, 120, "%s", db_text(r, 0, 0));
	PQclear(r);
	db_args_release(&a);
	return rc;
}

/* Detaching waits for whoever reads the table, but no longer than this; a half detached partition
 * is finished the next time. */
static enum ta_rc detach(struct db *db, const char *table, const struct part *p, struct ta_err *err)
{
	char sql[240];
	struct ta_err ignored;
	enum ta_rc rc = db_exec(db, "SET statement_timeout = '3s'", err);
	if (rc)
		return rc;
	snprintf(sql, sizeof(sql), "ALTER TABLE %s DETACH PARTITION %s %s", table, p->name,
		p->pending ? "FINALIZE" : "CONCURRENTLY");
	rc = db_exec(db, sql, err);
	if (db_exec(db, "RESET statement_timeout", &ignored) && !rc)
		rc = ta_fail(err, TA_DB, "%s", ignored.msg);
	return rc;
}

static enum ta_rc drop(struct db *db, const char *table, const struct part *p, struct ta_err *err)
{
	char sql[200];
	enum ta_rc rc = p->attached ? detach(db, table, p, err) : TA_OK;
	snprintf(sql, sizeof(sql), "BEGIN; SET LOCAL lock_timeout = '500ms'; DROP TABLE %s; COMMIT",
		p->name);
	if (!rc)
		rc = db_exec(db, sql, err);
	if (rc) {
		db_rollback(db);
		return ta_err_prefix(err, "letting %s go", p->name);
	}
	log_info("%s went: its time was over", p->name);
	return TA_OK;
}

/* Day tables of `table`, oldest first, with those that a drop left detached. */
static enum ta_rc list(struct db *db, const char *table, PGresult **out, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, table);
	enum ta_rc rc = db_query(db,
		"SELECT c.relname::text, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false) "
		"FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.relnamespace = "
		"(SELECT relnamespace FROM pg_class WHERE oid = $1::regclass) AND c.relkind = 'r' AND "
		"c.relname ~ ('^' || $1 || '_[0-9]{8}$') ORDER BY c.relname",
		&a, out, err);
	db_args_release(&a);
	return rc;
}

static enum ta_rc drop_old(
	struct db *db, const struct kept *k, int64_t now_us, char alarm[160], struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = list(db, k->table, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct part p = {.attached = db_bool(r, i, 1), .pending = db_bool(r, i, 2)};
		char why[120];
		snprintf(p.name, sizeof(p.name), "%s", db_text(r, i, 0));
		if (!read_day(p.name, &p.from_us))
			continue;
		p.to_us = p.from_us + US_PER_DAY;
		if (p.to_us + k->days * US_PER_DAY > now_us)
			break;
		rc = needed(db, k, &p, why, err);
		if (!rc && !*why && k->before)
			rc = k->before(db, &p, err);
		if (!rc && !*why)
			rc = drop(db, k->table, &p, err);
		else if (!rc)
			snprintf(alarm, 160, "%.30s stays: %.110s", p.name, why);
	}
	PQclear(r);
	return rc;
}

/* Verdicts go before routes: the recount of both is taken before either. */
static enum ta_rc count_day(struct db *db, const struct part *p, struct ta_err *err)
{
	return ledger_keep(db, log_id_at(p->from_us), log_id_at(p->to_us), err);
}

/* Book keys and wire ids are unique as long as their events live. They have no time of their own,
 * so they go by their event's row, in slices, before it goes: no look through the whole table. What
 * has come here nobody waits for any more (the guard), and its receipt's key went long before. */
static enum ta_rc drop_keys(struct db *db, const struct part *p, struct ta_err *err)
{
	char sql[800];
	int64_t last = 0;
	enum ta_rc rc = TA_OK;
	snprintf(sql, sizeof(sql),
		"WITH e AS MATERIALIZED (SELECT id, key, store_id, wire_id FROM %s WHERE id > $1 "
		"ORDER BY id LIMIT 5000), k AS (DELETE FROM event_key USING e WHERE event_key.key = "
		"e.key AND event_key.event_id = e.id), w AS (DELETE FROM wire USING e WHERE "
		"wire.store_id = e.store_id AND wire.wire_id = e.wire_id AND wire.event_id = e.id) "
		"SELECT max(id) FROM e",
		p->name);
	while (!rc) {
		struct db_args a = DB_ARGS_INIT;
		PGresult *r = NULL;
		db_arg_i64(&a, last);
		rc = db_query(db, sql, &a, &r, err);
		bool end = rc || db_null(r, 0, 0);
		if (!end)
			last = db_i64(r, 0, 0);
		PQclear(r);
		db_args_release(&a);
		if (end)
			break;
	}
	return rc;
}

enum ta_rc retention_drop(struct db *db, int64_t now_us, char alarm[160], struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	alarm[0] = '\0';
	for (size_t i = 0; i < TA_COUNT(kept) && !rc; i++)
		rc = drop_old(db, &kept[i], now_us, alarm, err);
	return rc;
}

/* Rows ---------------------------------------------------------------------------------------- */

static enum ta_rc prune(
	struct db *db, const char *sql, int64_t bound, bool *more, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i64(&a, bound);
	enum ta_rc rc = db_query(db, sql, &a, &r, err);
	if (!rc && strtol(PQcmdTuples(r), NULL, 10) >= 20000)
		*more = true;
	PQclear(r);
	db_args_release(&a);
	return rc;
}

struct step {
	const char *sql;
	int64_t bound;
};

static enum ta_rc prune_all(
	struct db *db, const struct step *steps, size_t n, bool *more, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	*more = false;
	for (size_t i = 0; i < n && !rc; i++)
		rc = prune(db, steps[i].sql, steps[i].bound, more, err);
	return rc;
}

enum ta_rc retention_prune(struct db *db, int64_t now_us, bool *more, struct ta_err *err)
{
	const struct step steps[] = {
		{"DELETE FROM receipt_key WHERE ctid = ANY (ARRAY(SELECT ctid FROM receipt_key WHERE "
		 "at_us < $1 LIMIT 20000))",
			now_us - KEEP_KEYS_DAYS * US_PER_DAY},
		{"DELETE FROM receipt_repeat WHERE ctid = ANY (ARRAY(SELECT ctid FROM receipt_repeat "
		 "WHERE at_us < $1 LIMIT 20000))",
			now_us - KEEP_BODIES_DAYS * US_PER_DAY},
		{"DELETE FROM event_report WHERE ctid = ANY (ARRAY(SELECT ctid FROM event_report "
		 "WHERE event_id < $1 LIMIT 20000))",
			log_id_at(now_us - KEEP_EVENTS_DAYS * US_PER_DAY)},
		{"DELETE FROM replay_item WHERE ctid = ANY (ARRAY(SELECT ctid FROM replay_item WHERE "
		 "event_id < $1 LIMIT 20000))",
			log_id_at(now_us - KEEP_EVENTS_DAYS * US_PER_DAY)},
		{"DELETE FROM failed_receipt WHERE ctid = ANY (ARRAY(SELECT ctid FROM "
		 "failed_receipt WHERE id < $1 LIMIT 20000))",
			log_id_at(now_us - KEEP_EVENTS_DAYS * US_PER_DAY)},
		/* Its purchase came before it was last heard of. */
		{"DELETE FROM order_state WHERE ctid = ANY (ARRAY(SELECT ctid FROM order_state WHERE "
		 "seen_us < $1 AND NOT EXISTS (SELECT FROM hold h WHERE h.store_id = order_state.store_id AND h.order_id = "
		 "order_state.order_id) LIMIT 20000))",
			now_us - KEEP_EVENTS_DAYS * US_PER_DAY},
		/* Whoever comes again after that is a new person: the old touches are gone too. */
		{"DELETE FROM person_key WHERE ctid = ANY (ARRAY(SELECT ctid FROM person_key WHERE since "
		 "< $1 LIMIT 20000))",
			log_id_at(now_us - KEEP_EVENTS_DAYS * US_PER_DAY)},
		{"DELETE FROM person_alias WHERE ctid = ANY (ARRAY(SELECT ctid FROM person_alias WHERE "
		 "person < $1 LIMIT 20000))",
			log_id_at(now_us - KEEP_EVENTS_DAYS * US_PER_DAY)},
		{"DELETE FROM command WHERE done_us < $1", now_us - KEEP_BODIES_DAYS * US_PER_DAY},
	};
	return prune_all(db, steps, TA_COUNT(steps), more, err);
}

enum ta_rc retention_tidy(struct db *db, int64_t now_us, struct ta_err *err)
{
	const struct step steps[] = {
		{"DELETE FROM refused WHERE id <= (SELECT id FROM refused ORDER BY id DESC OFFSET $1 "
		 "LIMIT 1)",
			KEEP_REFUSED},
		/* The newest position of each stage is the one that counts. */
		{"DELETE FROM curlog c USING (SELECT stage, max(pos) AS pos FROM curlog GROUP BY "
		 "stage) m WHERE c.stage = m.stage AND c.pos < m.pos AND $1 > 0",
			1},
		/* A role that is alive elsewhere: its dead instances need not be shown for ever. */
		{"DELETE FROM heartbeat h WHERE at_us < $1 AND EXISTS (SELECT FROM heartbeat n WHERE "
		 "n.role = h.role AND n.at_us > h.at_us)",
			now_us - 600 * US_PER_S},
	};
	bool more;
	return prune_all(db, steps, TA_COUNT(steps), &more, err);
}
