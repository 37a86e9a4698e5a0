/* What rules do to deliveries: decide them, hold them for a while, and be counted. */
#include "db/audit.h"
#include "db/command.h"
#include "db/rule_stat.h"
#include "net/router_batch.h"
#include "src/clock.h"
#include "src/platform.h"

#include <jansson.h>

const struct route_decision *batch_decide(struct batch *b, const struct route_case *c)
{
	size_t n = c->pixel->siblings ? c->pixel->nsiblings : 1;
	struct route_decision *out = arena_alloc(b->a, n * sizeof(*out));
	b->notes.n = 0;
	route_decide_all(c, out, &b->notes, b->a);
	rule_counts_add(&b->counts, &b->notes, c->ev, c->received_us);
	return out;
}

/* The platform's deadline ends every hold. */
void batch_rule_hold(struct batch *b, const struct route_case *c, const struct route_decision *d)
{
	int64_t hold_us = d->rule->act.hold_us, due_us = b->now_us + hold_us;
	int64_t deadline_us =
		(c->ev->time_s + platform_get(c->pixel->platform)->max_age_s) * US_PER_S;
	bool expires = !hold_us || due_us > deadline_us;
	BATCH_PUSH(b, rule_holds, nrule_holds, rule_hold_size,
		(struct rule_hold_row){.event_id = c->event_id,
			.pixel_id = c->pixel->id,
			.rule_id = d->rule_id,
			.due_us = expires ? TA_MAX(deadline_us, b->now_us) : due_us,
			.expires = expires});
}

static void end_hold(struct batch *b, const PGresult *r, int i, bool by_hand)
{
	struct rule_hold_end e = {.event_id = db_i64(r, i, 0),
		.pixel_id = (int32_t)db_i64(r, i, 1),
		.to = DISP_RETRYING,
		.reason = REASON_BACKOFF};
	if (!by_hand && db_bool(r, i, 3)) {
		e.to = DISP_DEAD;
		e.reason = REASON_EXPIRED;
	}
	tally_move(b->tally,
		(struct tally_place){db_i64(r, i, 5), (int32_t)db_i64(r, i, 4), e.pixel_id},
		DISP_HELD, (int)e.to);
	BATCH_PUSH(b, ends, nends, end_size, e);
}

static enum ta_rc end_named(
	struct batch *b, const struct rule_hold_names *names, bool by_hand, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = names->n ? rule_holds_find(b->db, names, &r, err) : TA_OK;
	for (int i = 0; !rc && r && i < db_rows(r); i++)
		end_hold(b, r, i, by_hand);
	PQclear(r);
	return rc;
}

enum ta_rc batch_end_holds(struct batch *b, const PGresult *names, bool by_hand, struct ta_err *err)
{
	size_t n = (size_t)db_rows(names);
	int64_t *events = arena_alloc(b->a, n * sizeof(*events));
	int32_t *pixels = arena_alloc(b->a, n * sizeof(*pixels));
	for (size_t i = 0; i < n; i++) {
		events[i] = db_i64(names, (int)i, 0);
		pixels[i] = (int32_t)db_i64(names, (int)i, 1);
	}
	return end_named(b, &(struct rule_hold_names){events, pixels, n}, by_hand, err);
}

enum ta_rc batch_release(struct batch *b, const char *args, struct release *v, struct ta_err *err)
{
	json_t *o = json_loads(args, 0, NULL), *list = json_object_get(o, "deliveries");
	size_t n = json_array_size(list);
	enum ta_rc rc = TA_OK;
	if (n == 0 || n > COMMAND_RELEASE_MAX)
		rc = ta_fail(err, TA_INVALID, "an order to release names 1 to %d deliveries",
			COMMAND_RELEASE_MAX);
	int64_t *events = arena_alloc(b->a, (n + 1) * sizeof(*events));
	int32_t *pixels = arena_alloc(b->a, (n + 1) * sizeof(*pixels));
	for (size_t i = 0; i < n && !rc; i++) {
		const json_t *pair = json_array_get(list, i);
		events[i] = json_integer_value(json_array_get(pair, 0));
		pixels[i] = (int32_t)json_integer_value(json_array_get(pair, 1));
	}
	json_decref(o);
	if (!rc)
		rc = end_named(b, &(struct rule_hold_names){events, pixels, n}, true, err);
	v->n = b->nends;
	v->answer = v->n == n ? arena_fmt(b->a, "released %zu", n)
			      : arena_fmt(b->a, "released %zu; %zu were not held by a rule", v->n,
					n - v->n);
	return rc;
}

static enum ta_rc write_release(struct batch *b, const struct release *v, struct ta_err *err)
{
	struct audit_entry e = {.at_us = b->now_us,
		.actor = v->actor,
		.action = "delivery.release",
		.object = arena_fmt(b->a, "%zu deliveries, the first of event %lld", v->n,
			(long long)b->ends[0].event_id)};
	enum ta_rc rc = audit_add(b->db, &e, err);
	return rc ? rc : command_answer(b->db, v->command, true, v->answer, err);
}

enum ta_rc batch_write_rules(struct batch *b, struct ta_err *err)
{
	enum ta_rc rc = rule_holds_append(b->db, b->rule_holds, b->nrule_holds, err);
	if (!rc)
		rc = rule_holds_end(b->db, b->ends, b->nends, b->now_us, err);
	if (!rc)
		rc = rule_stat_append(b->db, &b->counts, err);
	if (!rc && b->release)
		rc = write_release(b, b->release, err);
	return rc;
}
