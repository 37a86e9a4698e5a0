#include "db/backtest_run.h"

#include "db/docs.h"

/* The same pixels with the draft's rules. */
static void scope_draft(struct backtest_run *run)
{
	const struct catalog *now = &run->now;
	struct route_pixel *p = arena_alloc(&run->mem, (now->npixels + 1) * sizeof(*p));
	for (size_t i = 0; i < now->npixels; i++) {
		p[i] = now->pixels[i];
		route_pixel_scope(&p[i], run->draft.rules, run->draft.n, &run->mem);
	}
	route_pixels_link(p, now->npixels);
	run->b.now = now->pixels;
	run->b.draft = p;
}

static void each(void *arg, const struct docs_event *e, struct arena *scratch)
{
	struct backtest_run *run = arg;
	size_t n = 0;
	const struct route_store *s = catalog_store(&run->now, e->store_id);
	const struct route_pixel *p = catalog_pixels(&run->now, e->store_id, &n);
	if (!s)
		return;
	const struct backtest_event be = {.id = e->id,
		.received_us = e->received_us,
		.store = s,
		.first = (size_t)(p - run->now.pixels),
		.n = n,
		.ev = &e->ev};
	backtest_add(&run->b, &be, scratch);
}

static bool paused(void *arg, int64_t reached_us)
{
	struct backtest_run *run = arg;
	return run->pause && run->pause(run, reached_us);
}

enum ta_rc backtest_run(struct db *db, struct backtest_run *run, struct ta_err *err)
{
	struct docs_query docs = {.from_us = run->from_us,
		.to_us = run->to_us,
		.each = each,
		.pause = paused,
		.arg = run};
	enum ta_rc rc = catalog_load(db, &run->now, err);
	if (!rc)
		rc = run->make(run, err);
	if (rc)
		return rc;
	scope_draft(run);
	rc = docs_each(db, &docs, err);
	run->damaged = docs.damaged;
	run->stopped = docs.stopped;
	return rc;
}

void backtest_run_release(struct backtest_run *run)
{
	backtest_release(&run->b);
	catalog_release(&run->now);
	arena_release(&run->mem);
}

const struct route_rule *backtest_rule(
	const struct route_decision *d, const struct route_rule *rules, size_t n)
{
	for (size_t i = 0; d->rule_id && i < n; i++)
		if (rules[i].id == d->rule_id)
			return &rules[i];
	return NULL;
}
