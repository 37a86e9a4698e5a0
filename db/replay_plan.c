/* The plan of a replay: what would go out, how it differs from last time, what is better left. */
#include "db/conn.h"
#include "db/find.h"
#include "db/replay_planner.h"
#include "src/clock.h"

#include <stdlib.h>
#include <string.h>

/* Words -----------------------------------------------------------------------------------------
 */

const char *replay_fate_word(enum replay_fate f)
{
	static const char *const words[REPLAY_FATES] = {
		"send", "open", "busy", "late", "duplicate", "dropped", "unfit", "gone", "deleted"};
	return words[f];
}

/* Which ---------------------------------------------------------------------------------------
 */

static int by_pick(const void *x, const void *y)
{
	const struct replay_pick *a = x, *b = y;
	if (a->event_id != b->event_id)
		return a->event_id < b->event_id ? -1 : 1;
	return (a->pixel_id > b->pixel_id) - (a->pixel_id < b->pixel_id);
}

bool planner_picked(const struct planner *p, int64_t event_id, int32_t pixel_id)
{
	const struct replay_pick all = {event_id, 0}, one = {event_id, pixel_id};
	if (p->ask->pixel_id && p->ask->pixel_id != pixel_id)
		return false;
	if (!p->ask->picks)
		return true;
	return bsearch(&all, p->picks, p->npicks, sizeof(all), by_pick) ||
	       bsearch(&one, p->picks, p->npicks, sizeof(one), by_pick);
}

static bool latest(const struct find_event *e, size_t i)
{
	for (size_t k = 0; k < e->n; k++)
		if (e->deliveries[k].pixel_id == e->deliveries[i].pixel_id &&
			e->deliveries[k].run > e->deliveries[i].run)
			return false;
	return true;
}

static bool busy(const struct planner *p, int64_t event_id, int32_t pixel_id)
{
	const struct replay_pick key = {event_id, pixel_id};
	return p->nbusy && bsearch(&key, p->busy, p->nbusy, sizeof(key), by_pick);
}

/* Pixels --------------------------------------------------------------------------------------
 */

static struct replay_pixel *plan_pixel(
	struct planner *p, const struct find_event *e, const struct find_delivery *d)
{
	struct replay_plan *plan = p->plan;
	for (size_t i = 0; i < plan->npixels; i++)
		if (plan->pixels[i].id == d->pixel_id)
			return &plan->pixels[i];
	plan->pixels = ta_realloc(plan->pixels, (plan->npixels + 1) * sizeof(*plan->pixels));
	struct replay_pixel *px = &plan->pixels[plan->npixels++];
	const struct delivery_pixel *row = &p->at->row;
	*px = (struct replay_pixel){.id = d->pixel_id,
		.version = row->version,
		.name = arena_strdup(&plan->mem, d->pixel),
		.store = arena_strdup(&plan->mem, e->store),
		.platform = row->platform,
		.held = row->held,
		.deleted = row->deleted};
	return px;
}

/* What the rules in force make of the delivery. */
static const struct route_decision *decide(
	struct planner *p, const struct find_event *e, const struct find_delivery *d)
{
	size_t n = 0;
	const struct route_store *store = catalog_store(&p->now, e->store_id);
	const struct route_pixel *px = catalog_pixels(&p->now, e->store_id, &n);
	if (!store || !n)
		return NULL;
	if (p->decided_for != e->id) {
		const struct route_case c = {.ev = &e->ev,
			.store = store,
			.pixel = px,
			.received_us = e->received_us,
			.event_id = e->id};
		p->decided = arena_alloc(&p->scratch, n * sizeof(*p->decided));
		route_decide_all(&c, p->decided, NULL, &p->scratch);
		p->decided_for = e->id;
	}
	for (size_t i = 0; i < n; i++)
		if (px[i].id == d->pixel_id)
			return &p->decided[i];
	return NULL;
}

/* The past --------------------------------------------------------------------------------------
 */

/* Was it, or may it have been, counted by the platform? A test was not. */
static bool was_taken(const struct planner *p, const struct find_attempt *t)
{
	const struct replay_shape *s = replay_shape_of(p->at, t->version);
	if (s && s->test)
		return false;
	return t->after == DISP_DELIVERED || t->after == DISP_DELIVERED_WARNING ||
	       strcmp(t->code, "no_answer") == 0;
}

void planner_past(struct planner *p, const struct find_event *e, int32_t pixel_id)
{
	p->past = (struct planner_past){0};
	for (size_t i = 0; i < e->n; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		for (size_t k = 0; d->pixel_id == pixel_id && k < d->nattempts; k++) {
			const struct find_attempt *t = &d->attempts[k];
			if (t->hash && (!p->past.last || t->at_us >= p->past.last->at_us)) {
				p->past.last = t;
				p->past.of = d;
			}
			if (t->attempt_id && was_taken(p, t))
				p->past.taken_us = TA_MAX(p->past.taken_us, t->at_us);
		}
	}
}

/* Fates -----------------------------------------------------------------------------------------
 */

static bool leave(struct planner *p, enum replay_fate f, const char *words)
{
	p->item.fate = (int16_t)f;
	buf_clear(&p->why);
	buf_adds(&p->why, words);
	return false;
}

static bool drop(struct planner *p, enum disposition to, enum reason why)
{
	p->item.to = (int16_t)to;
	p->item.reason = (int16_t)why;
	return leave(p, REPLAY_DROPPED,
		p->ask->mode == REPLAY_PINNED ? "it was not to be sent then"
					      : "the rules and the store do not send it now");
}

/* What was never the rules' to decide: another report of the same thing went out instead. */
static bool stays(const struct find_delivery *d)
{
	return d->state == DISP_DUPLICATE ||
	       (d->state == DISP_FILTERED && d->reason == REASON_UNCONFIRMED);
}

/* The versions of the run before; false: it is left out. */
static bool pin_past(struct planner *p, const struct find_delivery *d)
{
	const struct find_delivery *of = p->past.of ? p->past.of : d;
	bool unsent = !p->past.of && !d->nattempts;
	if (unsent && (d->state == DISP_FILTERED || d->state == DISP_NO_CONSENT))
		return drop(p, (enum disposition)d->state, (enum reason)d->reason);
	p->item.rule_id = of->rule_id;
	p->item.rule_version = of->rule_version;
	p->shape = p->past.last ? replay_shape_of(p->at, p->past.last->version)
				: replay_shape_at(p->at, d->rev);
	return p->shape || leave(p, REPLAY_GONE, "the settings it was sent under are not kept");
}

static bool pin_now(struct planner *p, const struct find_event *e, const struct find_delivery *d)
{
	const struct route_decision *now = decide(p, e, d);
	if (!now)
		return leave(p, REPLAY_DELETED, "its pixel is not there any more");
	if (now->to != DISP_QUEUED)
		return drop(p, now->to, now->reason);
	p->item.rule_id = now->rule_id;
	p->item.rule_version = now->rule_version;
	p->shape = replay_shape_of(p->at, p->at->row.version);
	return p->shape || leave(p, REPLAY_GONE, "the pixel's settings cannot be read");
}

/* Would the platform take it? */
static bool fit(struct planner *p)
{
	buf_clear(&p->why);
	enum reason why = p->ask->dests->check(&p->build, &p->why);
	p->item.to = (int16_t)(why == REASON_UNMAPPED ? DISP_FILTERED : DISP_REJECTED);
	p->item.reason = (int16_t)why;
	if (why == REASON_TOO_OLD)
		p->item.fate = (int16_t)(p->ask->late ? REPLAY_SEND : REPLAY_LATE);
	else if (why)
		p->item.fate = REPLAY_UNFIT;
	if (p->item.fate == REPLAY_SEND)
		p->item.to = p->item.reason = 0;
	return p->item.fate == REPLAY_SEND;
}

static bool count_twice(struct planner *p)
{
	const struct platform *pf = platform_get(p->at->row.platform);
	int64_t until = p->past.taken_us + pf->dedup_s * US_PER_S;
	if (!p->past.taken_us)
		return true;
	p->item.twice = p->plan->now_us >= until;
	p->item.merged = !p->item.twice;
	p->item.until_us = p->ask->duplicates ? 0 : until;
	if (p->item.twice && p->ask->skip_duplicates)
		return leave(p, REPLAY_DUPLICATE,
			"it was delivered, and the platform would count it twice");
	return true;
}

/* Decides the item; true: it is to be sent, and p->build says how. */
static bool decide_fate(
	struct planner *p, const struct find_event *e, const struct find_delivery *d)
{
	if (!disposition_final(d->state))
		return leave(p, REPLAY_OPEN_YET, "it is not final yet");
	if (busy(p, e->id, d->pixel_id))
		return leave(p, REPLAY_BUSY, "another replay has it");
	if (p->at->row.deleted)
		return leave(p, REPLAY_DELETED, "its pixel is deleted");
	if (!e->read)
		return leave(p, REPLAY_GONE, "its document is not kept or cannot be read");
	if (stays(d))
		return drop(p, (enum disposition)d->state, (enum reason)d->reason);
	if (!(p->ask->mode == REPLAY_PINNED ? pin_past(p, d) : pin_now(p, e, d)))
		return false;
	const struct replay_case c = {.ev = &e->ev,
		.wire_id = e->wire_id,
		.platform = p->at->row.platform,
		.shape = p->shape,
		.rule_id = p->item.rule_id,
		.rule_version = p->item.rule_version,
		.now_s = p->plan->now_us / US_PER_S};
	p->item.pixel_version = p->shape->version;
	buf_clear(&p->why);
	if (!replay_case_build(&p->shapes, &c, &p->scratch, &p->build, &p->why)) {
		p->item.fate = REPLAY_UNFIT;
		p->item.to = DISP_REJECTED;
		p->item.reason = REASON_BUILD;
		return false;
	}
	return fit(p) && count_twice(p);
}

/* Counting --------------------------------------------------------------------------------------
 */

static void count_item(struct planner *p, struct replay_pixel *px)
{
	const struct replay_item *it = &p->item;
	px->chosen++;
	px->fates[it->fate]++;
	px->states[it->state]++;
	p->plan->chosen++;
	if (it->fate != REPLAY_SEND)
		return;
	p->plan->send++;
	p->plan->twice += it->twice;
	px->twice += it->twice;
	px->merged += it->merged;
	px->first += !it->sent;
	px->changed += it->sent && it->changed;
	px->same += it->sent && !it->changed;
}

static void keep_item(struct replay_plan *plan, const struct replay_item *it)
{
	if (plan->nitems == plan->sitems) {
		plan->sitems = plan->sitems ? plan->sitems * 2 : 1024;
		plan->items = ta_realloc(plan->items, plan->sitems * sizeof(*plan->items));
	}
	plan->items[plan->nitems++] = *it;
}

static enum ta_rc choose(struct planner *p, const struct find_event *e,
	const struct find_delivery *d, struct ta_err *err)
{
	enum ta_rc rc = replay_shapes_pixel(p->db, &p->shapes, d->pixel_id, &p->at, err);
	if (rc || !p->at)
		return rc;
	struct replay_pixel *px = plan_pixel(p, e, d);
	p->item = (struct replay_item){.event_id = e->id,
		.pixel_id = d->pixel_id,
		.run = (int16_t)(d->run + 1),
		.state = (int16_t)d->state,
		.why = (int16_t)d->reason};
	planner_past(p, e, d->pixel_id);
	struct planner_look look = {e, d, px, NULL, 0};
	if (decide_fate(p, e, d))
		planner_compare(p, &look);
	count_item(p, px);
	planner_example(p, &look);
	keep_item(p->plan, &p->item);
	return TA_OK;
}

static void found(void *arg, const struct find_event *e, const bool *match)
{
	struct planner *p = arg;
	bool any = false;
	for (size_t i = 0; i < e->n && !p->rc && !p->plan->full; i++) {
		if (!match[i] || !latest(e, i) ||
			!planner_picked(p, e->id, e->deliveries[i].pixel_id))
			continue;
		any = true;
		p->plan->full = p->plan->nitems == REPLAY_MAX;
		if (!p->plan->full)
			p->rc = choose(p, e, &e->deliveries[i], p->err);
	}
	p->plan->events += any;
	p->decided_for = 0;
	arena_clear(&p->scratch);
}

static bool paused(void *arg, int64_t reached_us)
{
	struct planner *p = arg;
	return p->rc || p->plan->full ||
	       (p->ask->pause && p->ask->pause(p->ask->arg, p->plan->events, reached_us));
}

/* The whole -------------------------------------------------------------------------------------
 */

static void sort_picks(struct planner *p)
{
	size_t n = p->ask->npicks;
	p->picks = arena_alloc(&p->plan->mem, (n + 1) * sizeof(*p->picks));
	memcpy(p->picks, p->ask->picks, n * sizeof(*p->picks));
	qsort(p->picks, n, sizeof(*p->picks), by_pick);
	p->ids = arena_alloc(&p->plan->mem, (n + 1) * sizeof(*p->ids));
	for (size_t i = 0; i < n; i++)
		if (!p->nids || p->ids[p->nids - 1] != p->picks[i].event_id)
			p->ids[p->nids++] = p->picks[i].event_id;
	p->npicks = n;
}

/* Every pick must have found something. */
static enum ta_rc missing_pick(const struct planner *p, struct ta_err *err)
{
	const struct replay_plan *plan = p->plan;
	size_t at = 0;
	for (size_t i = 0; i < p->npicks; i++) {
		const struct replay_pick *k = &p->picks[i];
		while (at < plan->nitems && plan->items[at].event_id < k->event_id)
			at++;
		bool there = at < plan->nitems && plan->items[at].event_id == k->event_id;
		for (size_t n = at; there && k->pixel_id; n++) {
			there = n < plan->nitems && plan->items[n].event_id == k->event_id;
			if (there && plan->items[n].pixel_id == k->pixel_id)
				break;
		}
		if (!there)
			return ta_fail(err, TA_NOTFOUND,
				k->pixel_id ? "event %lld has no delivery at pixel %d"
					    : "event %lld has no delivery (pixel %d: any)",
				(long long)k->event_id, (int)k->pixel_id);
	}
	return TA_OK;
}

static enum ta_rc load_busy(struct planner *p, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(p->db,
		"SELECT i.event_id, i.pixel_id FROM replay r JOIN replay_item i ON i.replay_id = "
		"r.id AND i.fate = 0 WHERE r.done_us IS NULL ORDER BY 1, 2",
		NULL, &r, err);
	if (rc)
		return rc;
	p->nbusy = (size_t)db_rows(r);
	p->busy = arena_alloc(&p->plan->mem, (p->nbusy + 1) * sizeof(*p->busy));
	for (int i = 0; i < db_rows(r); i++)
		p->busy[i] = (struct replay_pick){db_i64(r, i, 0), (int32_t)db_i64(r, i, 1)};
	return TA_OK;
}

enum ta_rc planner_read(struct planner *p, planner_found *each, struct ta_err *err)
{
	struct rule_prog *prog = NULL;
	size_t at = 0;
	struct find_query q = {.since_us = p->ask->since_us,
		.until_us = p->ask->until_us,
		.limit = INT64_MAX,
		.oldest_first = true,
		.per_delivery = true,
		.bytes = true,
		.found = each,
		.pause = paused,
		.arg = p};
	enum ta_rc rc = p->ask->where
				? rule_compile_event(&p->plan->mem, p->ask->where, &prog, &at, err)
				: TA_OK;
	if (rc)
		return rc;
	q.where = prog;
	if (p->ask->picks) {
		sort_picks(p);
		q.ids = p->ids;
		q.nids = p->nids;
	}
	rc = find_events(p->db, &q, err);
	p->plan->stopped = q.stopped && !p->rc && !p->plan->full;
	if (!rc)
		rc = p->rc;
	return rc;
}

enum ta_rc planner_open(struct planner *p, struct ta_err *err)
{
	p->why = BUF_INIT(2000);
	p->bytes = BUF_INIT(REPLAY_BYTES);
	p->before = BUF_INIT(REPLAY_BYTES);
	p->err = err;
	*p->plan = (struct replay_plan){.now_us = clock_now_us()};
	enum ta_rc rc = catalog_load(p->db, &p->now, err);
	p->plan->rev = p->now.rev;
	return rc ? rc : replay_shapes_load(p->db, &p->shapes, err);
}

void planner_close(struct planner *p)
{
	catalog_release(&p->now);
	replay_shapes_release(&p->shapes);
	arena_release(&p->scratch);
	buf_release(&p->why);
	buf_release(&p->bytes);
	buf_release(&p->before);
}

enum ta_rc replay_plan(
	struct db *db, const struct replay_ask *ask, struct replay_plan *plan, struct ta_err *err)
{
	struct planner p = {.db = db, .ask = ask, .plan = plan};
	enum ta_rc rc = planner_open(&p, err);
	if (!rc)
		rc = load_busy(&p, err);
	if (!rc)
		rc = planner_read(&p, found, err);
	if (!rc && !plan->stopped && !plan->full)
		rc = missing_pick(&p, err);
	planner_finish(&p);
	planner_close(&p);
	return rc;
}

void replay_plan_release(struct replay_plan *plan)
{
	free(plan->pixels);
	free(plan->items);
	free(plan->examples);
	arena_release(&plan->mem);
	*plan = (struct replay_plan){0};
}
