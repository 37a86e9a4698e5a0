#include "net/router.h"

#include "db/command.h"
#include "db/log_id.h"
#include "db/stage.h"
#include "net/router_batch.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/fault.h"
#include "src/log.h"
#include "src/role.h"

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define BATCH         500
#define LINGER_MS     12 /* company for thin traffic: small batches cost most of the server time */
#define POLL_MS       1000
#define PRUNE_EACH    2000 /* batches between two clearings of old positions */
#define WRITERS       4096
#define HEARD_COMMAND 4u  /* third of the channels */
#define ORDERS        100 /* carried out in one go */

/* Where one writer's log was read to. */
struct place {
	int16_t writer;
	int64_t pos;
	char stage[24];      /* "router:<writer>", the name in curlog */
	int since_prune;     /* batches */
	int64_t received_us; /* of the last receipt, 0: everything is read */
};

struct router {
	struct stage stage;
	struct catalog cat;
	struct tally tally;
	struct arena batch; /* dies with each batch */
	struct place places[WRITERS];
	size_t nplaces;
	int64_t last_event_id, day_end, next_due_us;
	int limit; /* smaller after a batch that the database refused */
	int64_t routed, beat_routed, beat_mono_us;
	char error[240]; /* the last one, for the heartbeat */
};

static struct place *place_of(struct router *rt, int16_t writer)
{
	for (size_t i = 0; i < rt->nplaces; i++)
		if (rt->places[i].writer == writer)
			return &rt->places[i];
	return NULL;
}

/* New writers may join at any time. */
static enum ta_rc find_writers(struct router *rt, struct ta_err *err)
{
	int16_t *ids = NULL;
	size_t n = 0;
	enum ta_rc rc = writers_read(rt->stage.db, &rt->batch, &ids, &n, err);
	for (size_t i = 0; i < n && !rc; i++) {
		if (place_of(rt, ids[i]) || rt->nplaces == WRITERS)
			continue;
		struct place *p = &rt->places[rt->nplaces];
		*p = (struct place){.writer = ids[i]};
		snprintf(p->stage, sizeof(p->stage), "router:%d", ids[i]);
		rc = cursor_get(rt->stage.db, p->stage, &p->pos, err);
		if (!rc)
			rt->nplaces++;
	}
	return rc;
}

/* Everything that is known from the database alone: at start and after a lost connection. */
static enum ta_rc begin(struct router *rt, struct ta_err *err)
{
	rt->nplaces = 0;
	rt->day_end = 0;
	rt->limit = BATCH;
	catalog_release(&rt->cat);
	tally_release(&rt->tally);
	enum ta_rc rc = tally_open(&rt->tally, rt->stage.db, TALLY_ROUTER, err);
	if (!rc)
		rc = event_last_id(rt->stage.db, &rt->last_event_id, err);
	if (!rc)
		rc = hold_next_due(rt->stage.db, &rt->next_due_us, err);
	return rc ? rc : find_writers(rt, err);
}

static enum ta_rc refresh_catalog(struct router *rt, struct ta_err *err)
{
	int64_t rev = 0;
	enum ta_rc rc = catalog_rev(rt->stage.db, &rev, err);
	if (!rc && rev != rt->cat.rev)
		rc = catalog_load(rt->stage.db, &rt->cat, err);
	return rc;
}

/* Ids of the batch may reach into a day without partitions. */
static enum ta_rc need_partitions(struct router *rt, struct ta_err *err)
{
	int64_t now = clock_now_us(), next = TA_MAX(log_id_at(now), rt->last_event_id + 1);
	if (next + 2 * BATCH < rt->day_end)
		return TA_OK;
	enum ta_rc rc =
		partitions_ensure(rt->stage.db, TA_MAX(now, log_id_us(rt->last_event_id)), 1, err);
	if (!rc)
		rt->day_end = partition_end(partition_end(next));
	return rc;
}

static struct batch batch_new(struct router *rt)
{
	return (struct batch){.a = &rt->batch,
		.db = rt->stage.db,
		.cat = &rt->cat,
		.tally = &rt->tally,
		.now_us = clock_now_us(),
		.last_event_id = &rt->last_event_id,
		.keys = MAP_INIT(&rt->batch),
		.orders = MAP_INIT(&rt->batch),
		.wires = MAP_INIT(&rt->batch),
		.counts = RULE_COUNTS_INIT(&rt->batch)};
}

static void due_at(struct router *rt, int64_t due_us)
{
	if (!rt->next_due_us || due_us < rt->next_due_us)
		rt->next_due_us = due_us;
}

/* Writes a batch and the position it leads to (NULL: a batch of holds has none). */
static enum ta_rc commit(
	struct router *rt, struct batch *b, const struct place *p, int64_t pos, struct ta_err *err)
{
	int64_t highest = 0;
	char payload[24];
	enum ta_rc rc = db_begin(b->db, err);
	if (!rc)
		rc = batch_write(b, &highest, err);
	if (!rc && p)
		rc = cursor_put(b->db, p->stage, pos, err);
	snprintf(payload, sizeof(payload), "%lld", (long long)highest);
	if (!rc && (highest || b->nsettled || b->nends))
		rc = stage_notify(b->db, "route", payload, err);
	fault_point("router.before_commit");
	if (!rc)
		rc = db_commit(b->db, err);
	fault_point("router.after_commit");
	if (rc)
		db_rollback(b->db);
	tally_clear(&rt->tally);
	if (!rc) {
		log_debug("%zu receipts gave %zu events", b->nreadings, b->nevents);
		rt->routed += (int64_t)b->nevents;
		for (size_t i = 0; i < b->nheld; i++)
			if (b->held[i]->added && !b->held[i]->settled)
				due_at(rt, b->held[i]->added->hold_due_us);
		for (size_t i = 0; i < b->nrule_holds; i++)
			due_at(rt, b->rule_holds[i].due_us);
	}
	return rc;
}

/* One receipt that the database refuses must not stop the log: it becomes a failed receipt. */
static enum ta_rc set_aside(
	struct router *rt, struct batch *b, const struct receipt *r, struct ta_err *err)
{
	struct batch one = batch_new(rt);
	char *why = arena_fmt(b->a, "cannot be stored: %s", err->msg);
	log_error("receipt %d/%lld %s", r->writer, (long long)r->id, why);
	one.readings = arena_alloc(one.a, sizeof(*one.readings));
	one.nreadings = 1;
	one.readings[0] = (struct reading){.r = r, .store = catalog_store(&rt->cat, r->store_id)};
	one.readings[0].in.failure = FAILURE_INVALID_JSON;
	one.readings[0].in.detail = why;
	enum ta_rc rc = batch_book(&one, err);
	return rc ? rc : commit(rt, &one, place_of(rt, r->writer), r->id, err);
}

/* A refusal because of data, not because of the server's state. */
static bool refused(const struct router *rt, const struct ta_err *err)
{
	return !db_lost(rt->stage.db) &&
	       (strncmp(err->sqlstate, "22", 2) == 0 || strncmp(err->sqlstate, "23", 2) == 0 ||
		       strncmp(err->sqlstate, "54", 2) == 0);
}

static enum ta_rc route_receipts(struct router *rt, struct batch *b, struct place *p,
	const struct receipts *rs, struct ta_err *err)
{
	int64_t last = rs->rows[rs->n - 1].id, event_id = rt->last_event_id;
	batch_read(b, rs->rows, rs->n);
	batch_take_canaries(b);
	enum ta_rc rc = batch_load(b, err);
	if (!rc)
		rc = batch_book(b, err);
	if (!rc)
		rc = commit(rt, b, p, last, err);
	if (!rc) {
		rt->limit = TA_MIN(BATCH, rt->limit * 2);
		p->pos = last;
		return TA_OK;
	}
	tally_clear(&rt->tally);
	rt->last_event_id = event_id;
	if (!refused(rt, err))
		return rc;
	if (rs->n == 1) {
		rc = set_aside(rt, b, &rs->rows[0], err);
		if (!rc)
			p->pos = last;
		return rc;
	}
	log_warn("a batch of %zu was refused and is tried again in parts: %s", rs->n, err->msg);
	rt->limit = TA_MAX(1, (int)rs->n / 2);
	return TA_OK;
}

/* One batch of one writer; *n = receipts read. */
static enum ta_rc route_writer(struct router *rt, struct place *p, size_t *n, struct ta_err *err)
{
	struct receipts rs;
	enum ta_rc rc = need_partitions(rt, err);
	if (!rc)
		rc = refresh_catalog(rt, err);
	struct receipt_span s = {.writer = p->writer, .after = p->pos, .limit = rt->limit};
	if (!rc)
		rc = receipts_read(rt->stage.db, &s, &rt->batch, &rs, err);
	if (rc)
		return rc;
	*n = rs.n;
	if (rs.n > 0) {
		fault_point("router.batch_read");
		struct batch b = batch_new(rt);
		/* Behind the read: a store is never younger than its first receipt. */
		rc = refresh_catalog(rt, err);
		if (!rc)
			rc = route_receipts(rt, &b, p, &rs, err);
		if (!rc && ++p->since_prune >= PRUNE_EACH) {
			p->since_prune = 0;
			rc = cursor_prune(rt->stage.db, p->stage, err);
		}
	}
	p->received_us = rs.n == (size_t)BATCH ? rs.rows[rs.n - 1].received_us : 0;
	receipts_release(&rs);
	arena_clear(&rt->batch);
	return rc;
}

/* What rules hold, and no longer. */
static enum ta_rc end_rule_holds(struct router *rt, struct ta_err *err)
{
	PGresult *r = NULL;
	struct batch b = batch_new(rt);
	enum ta_rc rc = rule_holds_due(rt->stage.db, b.now_us, BATCH, &r, err);
	if (!rc && db_rows(r) > 0) {
		rc = batch_end_holds(&b, r, false, err);
		if (!rc)
			rc = commit(rt, &b, NULL, 0, err);
	}
	tally_clear(&rt->tally);
	PQclear(r);
	arena_clear(&rt->batch);
	return rc;
}

static enum ta_rc expire_holds(struct router *rt, struct ta_err *err)
{
	PGresult *r = NULL;
	struct batch b = batch_new(rt);
	enum ta_rc rc = refresh_catalog(rt, err);
	if (!rc)
		rc = holds_due(rt->stage.db, b.now_us, BATCH, &r, err);
	if (!rc && db_rows(r) > 0) {
		rc = batch_add_held(&b, r, err);
		if (!rc)
			rc = batch_expire(&b, err);
		if (!rc)
			rc = commit(rt, &b, NULL, 0, err);
	}
	tally_clear(&rt->tally);
	PQclear(r);
	arena_clear(&rt->batch);
	if (!rc)
		rc = end_rule_holds(rt, err);
	return rc ? rc : hold_next_due(rt->stage.db, &rt->next_due_us, err);
}

/* Orders: failed receipts that are to be read again, deliveries that are to be let go ---------- */

static enum ta_rc refuse(struct router *rt, int64_t command, const char *why, struct ta_err *err)
{
	return command_answer(rt->stage.db, command, false, why, err);
}

/* Reads one receipt as if it had just come; what it still cannot be is said, and changes nothing.
 */
static enum ta_rc route_again(
	struct router *rt, struct replay *v, const struct receipts *rs, struct ta_err *err)
{
	struct batch b = batch_new(rt);
	int64_t event_id = rt->last_event_id;
	b.replay = v;
	batch_read(&b, rs->rows, 1);
	const struct reading *rd = &b.readings[0];
	if (rd->in.failure)
		return refuse(rt, v->command,
			arena_fmt(b.a, "it still makes no event: %s: %s",
				failure_word((int)rd->in.failure),
				rd->in.detail ? rd->in.detail : failure_text((int)rd->in.failure)),
			err);
	enum ta_rc rc = batch_load(&b, err);
	if (!rc)
		rc = batch_book(&b, err);
	batch_unfail(&b, &rs->rows[0], v->failure);
	v->answer = b.nevents    ? arena_fmt(b.a, "is event %lld now", (long long)b.events[0]->id)
		    : b.nreports ? "was read; it is a further report of an event"
				 : "was read; it makes no event";
	if (!rc)
		rc = commit(rt, &b, NULL, 0, err);
	tally_clear(&rt->tally);
	if (!rc || !refused(rt, err))
		return rc;
	rt->last_event_id = event_id;
	return refuse(rt, v->command, arena_fmt(b.a, "it cannot be stored: %s", err->msg), err);
}

static enum ta_rc replay(struct router *rt, const struct command *c, struct ta_err *err)
{
	struct receipts rs = {0};
	json_t *o = json_loads(c->args, 0, NULL);
	struct replay v = {.command = c->id,
		.writer = (int16_t)json_integer_value(json_object_get(o, "writer")),
		.receipt = json_integer_value(json_object_get(o, "id"))};
	json_decref(o);
	enum ta_rc rc = failed_find(rt->stage.db, v.writer, v.receipt, &v.failure, err);
	if (!rc && v.failure == FAILURE_NONE)
		return refuse(rt, c->id, "it is no failed receipt; nothing was done", err);
	if (!rc)
		rc = receipt_read(rt->stage.db, v.writer, v.receipt, &rt->batch, &rs, err);
	if (!rc && (!rs.n || !rs.rows[0].body.p))
		rc = refuse(rt, c->id, "its body is not kept any more", err);
	else if (!rc)
		rc = route_again(rt, &v, &rs, err);
	receipts_release(&rs);
	return rc;
}

static enum ta_rc release(struct router *rt, const struct command *c, struct ta_err *err)
{
	struct batch b = batch_new(rt);
	struct release v = {.command = c->id, .actor = c->actor};
	enum ta_rc rc = batch_release(&b, c->args, &v, err);
	if (rc == TA_INVALID)
		return refuse(rt, c->id, err->msg, err);
	if (!rc && !v.n)
		return command_answer(rt->stage.db, c->id, true, v.answer, err);
	b.release = &v;
	if (!rc)
		rc = commit(rt, &b, NULL, 0, err);
	tally_clear(&rt->tally);
	return rc;
}

static enum ta_rc take_orders(struct router *rt, struct ta_err *err)
{
	struct command c = {.id = 1};
	enum ta_rc rc = TA_OK;
	for (int i = 0; !rc && c.id && i < ORDERS; i++) {
		rc = command_next(rt->stage.db, COMMAND_RECEIPT_REPLAY "," COMMAND_RELEASE,
			&rt->batch, &c, err);
		if (!rc && c.id)
			rc = need_partitions(rt, err);
		if (!rc && c.id)
			rc = refresh_catalog(rt, err);
		if (!rc && c.id)
			rc = strcmp(c.kind, COMMAND_RELEASE) == 0 ? release(rt, &c, err)
								  : replay(rt, &c, err);
		arena_clear(&rt->batch);
	}
	return rc;
}

/* Rate since the last beat; how old the newest routed receipt is while a log is behind. */
static void beat(struct router *rt)
{
	struct buf b = BUF_INIT(1024);
	int64_t mono = clock_mono_us(), oldest = 0;
	if (mono - rt->beat_mono_us < US_PER_S)
		return;
	for (size_t i = 0; i < rt->nplaces; i++)
		if (rt->places[i].received_us && (!oldest || rt->places[i].received_us < oldest))
			oldest = rt->places[i].received_us;
	int64_t behind_s = oldest ? TA_MAX(0, (clock_now_us() - oldest) / US_PER_S) : 0;
	int64_t rate = rt->beat_mono_us ? (rt->routed - rt->beat_routed) * US_PER_S /
						  (mono - rt->beat_mono_us)
					: 0;
	buf_addf(&b,
		"{\"rate\":%lld,\"behind_s\":%lld,\"events\":%lld,\"writers\":%zu,\"rev\":%lld,"
		"\"last_error\":\"",
		(long long)rate, (long long)behind_s, (long long)rt->routed, rt->nplaces,
		(long long)rt->cat.rev);
	for (const char *s = rt->error; *s; s++)
		buf_addc(&b, *s == '"' || *s == '\\' || (unsigned char)*s < 0x20 ? '\'' : *s);
	buf_adds(&b, "\"}");
	stage_beat(&rt->stage, true, buf_str(&b));
	rt->beat_mono_us = mono;
	rt->beat_routed = rt->routed;
	buf_release(&b);
}

/* One round over all writers; *full: somewhere a whole batch was read, so there is more. */
static enum ta_rc one_round(struct router *rt, bool *full, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	*full = false;
	for (size_t i = 0; i < rt->nplaces && !rc; i++) {
		size_t n = 0;
		int limit = rt->limit;
		rc = route_writer(rt, &rt->places[i], &n, err);
		*full |= n >= (size_t)limit;
	}
	if (!rc && rt->next_due_us && rt->next_due_us <= clock_now_us())
		rc = expire_holds(rt, err);
	return rc;
}

static int wait_ms(const struct router *rt)
{
	int64_t left = rt->next_due_us ? (rt->next_due_us - clock_now_us()) / 1000 + 1 : POLL_MS;
	return (int)TA_MAX(0, TA_MIN(left, POLL_MS));
}

static void linger(void)
{
	struct pollfd p = {.fd = role_stop_fd(), .events = POLLIN};
	(void)poll(&p, 1, LINGER_MS);
}

static enum ta_rc serve(struct router *rt, struct ta_err *err)
{
	int64_t writers_mono_us = clock_mono_us();
	enum ta_rc rc = begin(rt, err);
	while (!rc && !role_stopping()) {
		bool full = false;
		rc = one_round(rt, &full, err);
		if (rc)
			break;
		beat(rt);
		if (rt->stage.heard & HEARD_COMMAND)
			rc = take_orders(rt, err);
		rt->stage.heard = 0;
		if (rc)
			break;
		if (!full && stage_wait(&rt->stage, wait_ms(rt)) == WOKE_NOTIFY)
			linger();
		if (clock_mono_us() - writers_mono_us > US_PER_S / 2) {
			writers_mono_us = clock_mono_us();
			rt->stage.heard |= HEARD_COMMAND;
			rc = find_writers(rt, err);
			arena_clear(&rt->batch);
		}
	}
	return rc;
}

/* An error that is not the connection's repeats at once: the pause keeps it from filling the log.
 */
static void pause_after_error(void)
{
	struct pollfd p = {.fd = role_stop_fd(), .events = POLLIN};
	(void)poll(&p, 1, POLL_MS);
}

int router_run(const struct role *role)
{
	static struct router rt;
	static const char *const channels[] = {"inbox", "config", "command", NULL};
	struct ta_err err = {0};
	rt.cat.rev = -1;
	enum ta_rc rc = stage_open(&rt.stage, role, LOCK_STAGE, STAGE_ROUTER, channels, &err);
	while (!rc) {
		rc = serve(&rt, &err);
		if (role_stopping())
			break;
		if (rc) {
			log_error("%s", err.msg);
			snprintf(rt.error, sizeof(rt.error), "%s", err.msg);
			arena_clear(&rt.batch);
			tally_clear(&rt.tally);
			pause_after_error();
			rc = db_lost(rt.stage.db) ? stage_reopen(&rt.stage, &err) : TA_OK;
		}
	}
	if (rc && rc != TA_CANCELLED && !role_stopping())
		log_error("%s", err.msg);
	catalog_release(&rt.cat);
	tally_release(&rt.tally);
	arena_release(&rt.batch);
	stage_close(&rt.stage);
	return rc && rc != TA_CANCELLED && !role_stopping() ? ta_rc_exit(rc) : 0;
}
