/* Holding and releasing pixels: by order of an operator, or because a platform refused the token or
 * the account. What lies behind a held pixel stays queued; no counter moves. */
#include "db/audit.h"
#include "db/command.h"
#include "net/circuits.h"
#include "net/dispatch.h"
#include "src/clock.h"
#include "src/log.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void range_update_later(struct dispatch *d, const struct lane *l)
{
	*VEC_ADD(&d->w, ranges) = (struct range_change){RANGE_OP_UPDATE, l->r};
}

static void freeze_lane(struct dispatch *d, struct lane *l)
{
	lane_forget(l);
	if (l->r.frozen)
		return;
	l->r.frozen = true;
	range_update_later(d, l);
}

void pixel_freeze(struct dispatch *d, struct pixel *p)
{
	struct batch *b;
	p->held = true;
	if (!pixel_live_lane(p))
		(void)pixel_fall_behind(d, p, true);
	for (size_t i = 0; i < p->nlanes; i++)
		freeze_lane(d, &p->lanes[i]);
	p->nretries = p->next_retry = 0;
	while ((b = batches_take(&p->ready))) {
		if (!b->pinned && b->claim)
			*VEC_ADD(&d->w, refused) = b->claim;
		batch_free(b);
	}
}

static bool listed(const int64_t *ids, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static bool under_way(const struct dispatch *d, const struct pixel *p, int64_t claim)
{
	for (int i = 0; i < p->nflying; i++)
		if (p->flying[i]->claim == claim)
			return true;
	return listed(d->w.unclaims, d->w.nunclaims, claim);
}

/* The rate of all that waits behind live traffic. */
static void pace(struct dispatch *d, struct pixel *p, int32_t rate)
{
	for (size_t i = 0; i < p->nlanes; i++) {
		struct lane *l = &p->lanes[i];
		if (l->r.kind != RANGE_BACKLOG || l->r.rate == rate)
			continue;
		l->r.rate = rate;
		range_update_later(d, l);
	}
}

enum ta_rc pixel_thaw(struct dispatch *d, struct pixel *p, int32_t rate, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct delivery_claim *claims = NULL;
	size_t n = 0;
	enum ta_rc rc = delivery_claims(d->stage.db, &a, p->row.id, &claims, &n, err);
	for (size_t i = 0; !rc && i < n; i++) {
		if (under_way(d, p, claims[i].id))
			continue;
		if (listed(d->w.refused, d->w.nrefused, claims[i].id))
			claims[i].refused = true;
		batches_add(&p->ready, batch_of_claim(d, p, &claims[i]));
	}
	arena_release(&a);
	if (rc)
		return rc;
	p->held = false;
	circuit_worked(d, p);
	d->next_retry_us = 0;
	for (size_t i = 0; i < p->nlanes; i++) {
		struct lane *l = &p->lanes[i];
		if (!l->r.frozen)
			continue;
		l->r.frozen = false;
		if (l->r.kind == RANGE_LIVE) {
			l->r.kind = RANGE_BACKLOG;
			l->r.end_id = TA_MAX(d->head, l->r.start_id);
		}
		range_update_later(d, l);
	}
	pace(d, p, rate);
	return TA_OK;
}

static struct change *add_change(
	struct dispatch *d, int32_t pixel_id, bool release, const char *reason, const char *detail)
{
	struct change *c = VEC_ADD(&d->w, changes);
	c->pixel_id = pixel_id;
	c->release = release;
	snprintf(c->reason, sizeof(c->reason), "%s", reason);
	snprintf(c->detail, sizeof(c->detail), "%s", detail);
	snprintf(c->actor, sizeof(c->actor), "role:dispatcher");
	return c;
}

void hold_for(struct dispatch *d, struct pixel *p, const char *reason, const char *detail)
{
	if (p->held)
		return;
	for (size_t i = 0; i < d->w.nchanges; i++)
		if (d->w.changes[i].pixel_id == p->row.id && !d->w.changes[i].release)
			return;
	(void)add_change(d, p->row.id, false, reason, detail);
	log_warn("pixel %s (%d) is paused: %s: %s", p->row.name, (int)p->row.id, reason, detail);
	snprintf(d->last_error, sizeof(d->last_error), "%.60s paused: %.110s", p->row.name, detail);
}

enum ta_rc apply_changes(struct dispatch *d, struct ta_err *err)
{
	for (size_t i = 0; i < d->w.nchanges; i++) {
		struct change *c = &d->w.changes[i];
		struct pixel *p = c->applied ? NULL : pixel_find(d, c->pixel_id);
		c->applied = true;
		if (p && c->release && !p->held)
			pace(d, p, c->rate);
		if (!p || p->held == !c->release || p->row.deleted)
			continue;
		if (!c->release) {
			pixel_freeze(d, p);
			continue;
		}
		enum ta_rc rc = pixel_thaw(d, p, c->rate, err);
		if (rc)
			return rc;
	}
	return TA_OK;
}

/* Orders ----------------------------------------------------------------------------------------
 */

static enum ta_rc answer_now(struct dispatch *d, int64_t id, const char *text, struct ta_err *err)
{
	return command_answer(d->stage.db, id, false, text, err);
}

static enum ta_rc take_command(struct dispatch *d, const struct command *c, struct ta_err *err)
{
	json_t *o = json_loads(c->args, 0, NULL);
	int64_t id = json_integer_value(json_object_get(o, "pixel"));
	const char *text = json_string_value(json_object_get(o, "pixel"));
	const char *why = json_string_value(json_object_get(o, "reason"));
	const char *detail = json_string_value(json_object_get(o, "detail"));
	json_int_t rate = json_integer_value(json_object_get(o, "rate"));
	bool release = strcmp(c->kind, COMMAND_PIXEL_RELEASE) == 0;
	if (text)
		id = strtoll(text, NULL, 10);
	if (id <= 0 || id > INT32_MAX || !pixel_find(d, (int32_t)id)) {
		json_decref(o);
		return answer_now(d, c->id, "there is no such pixel", err);
	}
	struct change *ch = add_change(d, (int32_t)id, release,
		release ? ""
		: why   ? why
			: "operator",
		!release && detail ? detail : "");
	snprintf(ch->actor, sizeof(ch->actor), "%s", c->actor);
	ch->command = c->id;
	ch->rate = (int32_t)TA_MIN(TA_MAX(rate, 0), PIXEL_RATE_MAX);
	json_decref(o);
	return TA_OK;
}

static bool taken(const struct dispatch *d, int64_t command)
{
	for (size_t i = 0; i < d->w.nchanges; i++)
		if (d->w.changes[i].command == command)
			return true;
	return false;
}

enum ta_rc take_commands(struct dispatch *d, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct command c = {0};
	enum ta_rc rc = command_next(
		d->stage.db, COMMAND_PIXEL_HOLD "," COMMAND_PIXEL_RELEASE, &a, &c, err);
	if (!rc && c.id && !taken(d, c.id)) {
		rc = pixels_load(d, err); /* a token may have come just before a release */
		if (!rc)
			rc = take_command(d, &c, err);
		d->stage.heard |= 2; /* look for more after this one is answered */
	}
	arena_release(&a);
	return rc;
}

static enum ta_rc write_change(
	struct dispatch *d, const struct change *c, int64_t now_us, struct ta_err *err)
{
	const struct pixel *p = pixel_find(d, c->pixel_id);
	char object[160], after[300], answer[200];
	const char *name = p ? p->row.name : "?";
	json_t *text = json_pack("{s:s, s:s, s:s}", "state", c->release ? "active" : "held",
		"reason", c->reason, "detail", c->detail);
	char *dump = text ? json_dumps(text, JSON_COMPACT) : NULL;
	snprintf(object, sizeof(object), "pixel %d (%.100s)", (int)c->pixel_id, name);
	snprintf(after, sizeof(after), "%s", dump && strlen(dump) < sizeof(after) ? dump : "{}");
	snprintf(answer, sizeof(answer), "%.100s is %s", name,
		c->release ? "released: what waited follows behind live traffic" : "held");
	if (c->rate)
		snprintf(answer, sizeof(answer),
			"%.100s is released: what waited follows behind live traffic, %d events a "
			"second",
			name, (int)c->rate);
	free(dump);
	json_decref(text);
	struct audit_entry e = {.at_us = now_us,
		.actor = c->actor,
		.action = c->release ? "pixel.release" : "pixel.hold",
		.object = object,
		.after = after};
	enum ta_rc rc = delivery_pixel_state(
		d->stage.db, c->pixel_id, c->release ? "" : c->reason, c->detail, now_us, err);
	if (!rc)
		rc = audit_add(d->stage.db, &e, err);
	if (!rc && c->command)
		rc = command_answer(d->stage.db, c->command, true, answer, err);
	return rc;
}

enum ta_rc write_changes(struct dispatch *d, int64_t now_us, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < d->w.nchanges; i++)
		rc = write_change(d, &d->w.changes[i], now_us, err);
	return rc;
}
