/* Orders that are done at once, each in a transaction of its own: a circuit opened or closed by
 * hand, retries by hand. */
#include "db/audit.h"
#include "db/command.h"
#include "db/retry_order.h"
#include "net/circuits.h"
#include "src/clock.h"
#include "src/log.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* One order under way. */
struct order {
	const struct command *c;
	json_t *args;
	struct audit_entry audit;
	char object[200], after[400];
	bool ok;
	struct buf answer;
};

static enum ta_rc finish(struct dispatch *d, struct order *o, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	o->audit.at_us = clock_now_us();
	o->audit.actor = o->c->actor;
	o->audit.object = o->object;
	o->audit.after = o->after;
	if (o->ok)
		rc = audit_add(d->stage.db, &o->audit, err);
	return rc ? rc : command_answer(d->stage.db, o->c->id, o->ok, buf_str(&o->answer), err);
}

/* A pixel's circuit ------------------------------------------------------------------------------
 */

static struct pixel *pixel_named(const struct dispatch *d, const struct order *o)
{
	json_int_t id = json_integer_value(json_object_get(o->args, "pixel"));
	struct pixel *p = id > 0 && id <= INT32_MAX ? pixel_find(d, (int32_t)id) : NULL;
	return p && !p->row.deleted ? p : NULL;
}

/* The row as it shall be; the pixel follows when it is committed. */
static struct circuit_row circuit_wanted(
	const struct order *o, const struct pixel *p, bool open, int64_t now)
{
	struct circuit_row row = circuit_row_of(p);
	int64_t until = json_integer_value(json_object_get(o->args, "until_us"));
	if (open)
		circuit_force(&row.circuit, until > 0 ? until : CIRCUIT_FOR_EVER);
	else
		circuit_probe(&row.circuit, now);
	row.forced_by = open ? o->c->actor : "";
	row.since_us = now;
	return row;
}

static void circuit_answer(struct order *o, const struct circuit_row *row, const struct pixel *p)
{
	buf_addf(&o->answer, "%.100s: its circuit is ", p->row.name);
	circuit_text(row, clock_now_us(), &o->answer);
	if (p->held)
		buf_adds(&o->answer, "; the pixel is held, too: nothing goes before its release");
}

static enum ta_rc circuit_order(struct dispatch *d, struct order *o, struct ta_err *err)
{
	struct pixel *p = pixel_named(d, o);
	const char *what = json_string_value(json_object_get(o->args, "do"));
	int64_t now = clock_now_us();
	bool open = what && strcmp(what, "open") == 0;
	if (!p || (!open && (!what || strcmp(what, "close") != 0))) {
		buf_adds(
			&o->answer, p ? "a circuit is opened or closed" : "there is no such pixel");
		return finish(d, o, err);
	}
	struct circuit_row row = circuit_wanted(o, p, open, now);
	o->ok = true;
	o->audit.action = open ? "pixel.circuit_open" : "pixel.circuit_close";
	snprintf(o->object, sizeof(o->object), "pixel %d (%.100s)", (int)p->row.id, p->row.name);
	snprintf(o->after, sizeof(o->after), "{\"forced_us\":%lld}",
		(long long)row.circuit.forced_us);
	circuit_answer(o, &row, p);
	enum ta_rc rc = circuit_write(d->stage.db, &row, now, err);
	if (!rc)
		rc = finish(d, o, err);
	if (!rc)
		rc = db_commit(d->stage.db, err);
	if (rc)
		return rc;
	p->circuit = p->circuit_saved = row.circuit;
	p->circuit_since_us = now;
	snprintf(p->forced_by, sizeof(p->forced_by), "%s", row.forced_by);
	d->next_retry_us = 0; /* retries go before what was never sent */
	log_info("%s", buf_str(&o->answer));
	return TA_OK;
}

/* Retries ----------------------------------------------------------------------------------------
 */

struct retrying {
	struct dispatch *d;
	struct retry_pick *v; /* those that may wait */
	bool *took;
	size_t n;
	bool force;
	struct retry_answer answer;
};

static bool carries(const struct batch *b, int64_t event_id)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->ev[i].id == event_id)
			return true;
	return false;
}

/* Claimed: on the wire, or about to be. */
static bool on_the_wire(const struct pixel *p, int64_t event_id)
{
	for (int i = 0; i < p->nflying; i++)
		if (carries(p->flying[i], event_id))
			return true;
	for (const struct batch *b = p->ready.first; b; b = b->next)
		if (carries(b, event_id))
			return true;
	return false;
}

static void read_picks(struct retrying *r, const json_t *list)
{
	size_t i;
	json_t *pair;
	json_array_foreach(list, i, pair)
	{
		json_int_t event = json_integer_value(json_array_get(pair, 0));
		json_int_t id = json_integer_value(json_array_get(pair, 1));
		const struct pixel *p =
			id > 0 && id <= INT32_MAX ? pixel_find(r->d, (int32_t)id) : NULL;
		if (!p || r->n == COMMAND_RETRY_MAX)
			r->answer.not_waiting++;
		else if (p->held)
			r->answer.held++;
		else
			r->v[r->n++] = (struct retry_pick){event, (int32_t)id};
	}
}

/* What was read ahead of the table is old now; an open circuit may have to probe. */
static void took_one(struct retrying *r, struct pixel *p)
{
	int64_t now = clock_now_us(), until = circuit_until_us(&p->circuit, now);
	p->nretries = p->next_retry = 0;
	r->d->next_retry_us = 0;
	r->answer.retried++;
	if (!until)
		return;
	r->answer.behind++;
	r->answer.by_hand = r->answer.by_hand || p->circuit.forced_us;
	r->answer.circuit_us = TA_MAX(r->answer.circuit_us, until);
}

static void count_outcome(struct retrying *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct pixel *p = pixel_find(r->d, r->v[i].pixel_id);
		if (r->took[i])
			took_one(r, p);
		else if (on_the_wire(p, r->v[i].event_id))
			r->answer.under_way++;
		else
			r->answer.not_waiting++;
	}
	r->answer.probed = r->force && r->answer.behind;
}

/* What a hand holds open is not probed by a retry: a hand closes it. */
static void probe_all(struct retrying *r)
{
	int64_t now = clock_now_us();
	for (size_t i = 0; r->force && i < r->n; i++) {
		struct pixel *p = pixel_find(r->d, r->v[i].pixel_id);
		if (r->took[i] && circuit_until_us(&p->circuit, now) && !p->circuit.forced_us)
			circuit_probe(&p->circuit, now);
	}
}

static enum ta_rc retry_order(struct dispatch *d, struct order *o, struct ta_err *err)
{
	struct retry_pick v[COMMAND_RETRY_MAX];
	bool took[COMMAND_RETRY_MAX];
	struct retrying r = {.d = d, .v = v, .took = took};
	r.force = json_is_true(json_object_get(o->args, "force"));
	read_picks(&r, json_object_get(o->args, "deliveries"));
	enum ta_rc rc = retry_order_now(d->stage.db, v, r.n, took, err);
	if (rc)
		return rc;
	count_outcome(&r);
	o->ok = true;
	o->audit.action = "delivery.retry";
	snprintf(o->object, sizeof(o->object), "%lld deliveries, first event %lld",
		(long long)r.answer.retried, r.n ? (long long)v[0].event_id : 0LL);
	retry_answer_json(&r.answer, &o->answer);
	snprintf(o->after, sizeof(o->after), "%s", buf_str(&o->answer));
	rc = finish(d, o, err);
	if (!rc)
		rc = db_commit(d->stage.db, err);
	if (!rc)
		probe_all(&r);
	return rc;
}

/* Taking up again -------------------------------------------------------------------------------
 */

/* Routes that nobody has any more come back as ranges of one event each. */
static enum ta_rc restore(struct dispatch *d, const json_t *list, size_t *n, struct ta_err *err)
{
	size_t i;
	json_t *pair;
	enum ta_rc rc = TA_OK;
	*n = 0;
	json_array_foreach(list, i, pair)
	{
		int64_t event = json_integer_value(json_array_get(pair, 0));
		json_int_t id = json_integer_value(json_array_get(pair, 1));
		if (event <= 0 || id <= 0 || id > INT32_MAX || !pixel_find(d, (int32_t)id))
			continue;
		struct range_row r = {.id = ++d->last_range,
			.pixel_id = (int32_t)id,
			.kind = RANGE_BACKLOG,
			.start_id = event - 1,
			.end_id = event,
			.pos = event - 1,
			.run = 1};
		if (!rc)
			rc = range_insert(d->stage.db, &r, clock_now_us(), err);
		++*n;
	}
	return rc;
}

static enum ta_rc resume_order(struct dispatch *d, struct order *o, struct ta_err *err)
{
	size_t n = 0;
	enum ta_rc rc = restore(d, json_object_get(o->args, "routes"), &n, err);
	o->ok = true;
	o->audit.action = "dispatcher.resume";
	snprintf(o->object, sizeof(o->object), "deliveries that were stuck");
	snprintf(o->after, sizeof(o->after), "{\"routes\":%zu}", n);
	buf_addf(&o->answer, "taken up again, %zu routes among it", n);
	if (!rc)
		rc = finish(d, o, err);
	if (!rc)
		rc = db_commit(d->stage.db, err);
	d->anew = d->anew || !rc;
	return rc;
}

/* -------------------------------------------------------------------------------------------------
 */

static enum ta_rc execute(struct dispatch *d, const struct command *c, struct ta_err *err)
{
	struct order o = {.c = c, .args = json_loads(c->args, 0, NULL), .answer = BUF_INIT(2000)};
	enum ta_rc rc = db_begin(d->stage.db, err);
	if (!rc)
		rc = audit_lock(d->stage.db, err);
	if (!rc && strcmp(c->kind, COMMAND_RETRY) == 0)
		rc = retry_order(d, &o, err);
	else if (!rc && strcmp(c->kind, COMMAND_RESUME) == 0)
		rc = resume_order(d, &o, err);
	else if (!rc)
		rc = circuit_order(d, &o, err);
	if (!rc && !o.ok)
		rc = db_commit(d->stage.db, err);
	if (rc)
		db_rollback(d->stage.db);
	json_decref(o.args);
	buf_release(&o.answer);
	return rc;
}

enum ta_rc orders_take(struct dispatch *d, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	enum ta_rc rc = TA_OK;
	for (struct command c = {.id = 1}; !rc && c.id; arena_clear(&a)) {
		rc = command_next(d->stage.db,
			COMMAND_PIXEL_CIRCUIT "," COMMAND_RETRY "," COMMAND_RESUME, &a, &c, err);
		if (!rc && c.id)
			rc = execute(d, &c, err);
	}
	arena_release(&a);
	return rc;
}
