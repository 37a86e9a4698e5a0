/* Rules that change an event before it is built: which one pins a delivery, and what it makes of
 * the event. */
#include "net/shape.h"

#include "net/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 240

enum ta_rc shapes_load(struct dispatch *d, struct ta_err *err)
{
	struct arena mem = ARENA_INIT;
	struct delivery_rule *rows = NULL;
	size_t n = 0;
	int64_t rev = 0;
	enum ta_rc rc = delivery_rules(d->stage.db, &mem, &rows, &n, &rev, err);
	if (rc) {
		arena_release(&mem);
		return rc;
	}
	arena_release(&d->shape_mem);
	d->shape_mem = mem;
	d->shapes = arena_alloc(&d->shape_mem, (n + 1) * sizeof(*d->shapes));
	d->nshapes = n;
	d->shapes_rev = rev;
	for (size_t i = 0; i < n; i++) {
		struct shape *s = &d->shapes[i];
		struct ta_err why = {0};
		s->id = rows[i].id;
		s->version = rows[i].version;
		if (rule_action_parse(
			    &d->shape_mem, rows[i].action, rows[i].with, &s->act, NULL, &why))
			s->fault = arena_strdup(&d->shape_mem, why.msg);
	}
	return TA_OK;
}

enum ta_rc shapes_follow(
	struct dispatch *d, const struct delivery_route *rows, size_t n, struct ta_err *err)
{
	int64_t rev = d->shapes_rev;
	for (size_t i = 0; i < n; i++)
		rev = TA_MAX(rev, rows[i].rev);
	return rev > d->shapes_rev ? shapes_load(d, err) : TA_OK;
}

enum ta_rc shapes_of(struct dispatch *d, const int64_t *ids, size_t n, struct arena *a,
	struct delivery_ruled_rows *out, struct ta_err *err)
{
	*out = (struct delivery_ruled_rows){0};
	if (!d->nshapes || !n)
		return TA_OK;
	return delivery_ruled(d->stage.db, ids, n, a, out, err);
}

static int by_delivery(const void *a, const void *b)
{
	const struct delivery_ruled *x = a, *y = b;
	if (x->event_id != y->event_id)
		return x->event_id < y->event_id ? -1 : 1;
	if (x->pixel_id != y->pixel_id)
		return x->pixel_id < y->pixel_id ? -1 : 1;
	return (x->run > y->run) - (x->run < y->run);
}

void shapes_join(
	struct delivery_ruled_rows *to, const struct delivery_ruled_rows *more, struct arena *a)
{
	size_t n = to->n + more->n;
	struct delivery_ruled *all = arena_alloc(a, (n + 1) * sizeof(*all));
	if (to->n)
		memcpy(all, to->rows, to->n * sizeof(*all));
	if (more->n)
		memcpy(all + to->n, more->rows, more->n * sizeof(*all));
	qsort(all, n, sizeof(*all), by_delivery);
	*to = (struct delivery_ruled_rows){all, n};
}

static int by_rule(const void *a, const void *b)
{
	const struct shape *x = a, *y = b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->version > y->version) - (x->version < y->version);
}

static const struct shape *find(
	const struct dispatch *d, const struct delivery_ruled_rows *s, const struct shape_case *c)
{
	const struct delivery_ruled key = {
		.event_id = c->event_id, .pixel_id = c->pixel->row.id, .run = c->run};
	const struct delivery_ruled *r =
		s->n ? bsearch(&key, s->rows, s->n, sizeof(*s->rows), by_delivery) : NULL;
	if (!r)
		return NULL;
	const struct shape rule = {.id = r->rule_id, .version = r->rule_version};
	return bsearch(&rule, d->shapes, d->nshapes, sizeof(*d->shapes), by_rule);
}

const struct event *shape_event(
	const struct dispatch *d, const struct shape_case *c, struct arena *a, char why[WHY_MAX])
{
	const struct shape *shape = find(d, c->of, c);
	struct ta_err err = {0};
	if (!shape)
		return c->ev;
	struct event *changed = arena_alloc(a, sizeof(*changed));
	if (!shape->fault && rule_action_apply(a, &shape->act, c->pixel->row.platform, c->ev,
				     changed, &err) == TA_OK)
		return changed;
	snprintf(why, WHY_MAX, "rule %d, version %d: %.190s", (int)shape->id, (int)shape->version,
		shape->fault ? shape->fault : err.msg);
	return NULL;
}
