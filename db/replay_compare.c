/* How the bytes that a replay would send differ from those that were sent last. */
#include "db/replay_planner.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/json_delta.h"

#include <stdlib.h>
#include <string.h>

#define EXAMPLE_CHANGES 12
#define EXAMPLE_VALUE   200 /* bytes of a value that are shown */

bool planner_rebuild(struct planner *p, const struct find_event *e)
{
	const struct replay_shape *shape = replay_shape_of(p->at, p->past.last->version);
	struct replay_build b;
	if (!shape)
		return false;
	const struct replay_case c = {.ev = &e->ev,
		.wire_id = e->wire_id,
		.platform = p->at->row.platform,
		.shape = shape,
		.rule_id = p->past.of->rule_id,
		.rule_version = p->past.of->rule_version,
		.now_s = p->plan->now_us / US_PER_S};
	buf_clear(&p->before);
	if (!replay_case_build(&p->shapes, &c, &p->scratch, &b, &p->why))
		return false;
	p->ask->dests->event(&b, &p->before);
	return !p->before.over;
}

/* Fields ----------------------------------------------------------------------------------------
 */

struct counting {
	struct planner *p;
	struct planner_look *look;
	bool keep;
};

static void count_field(struct planner *p, struct replay_pixel *px, const char *path)
{
	size_t mark = p->plan->nitems + 1, i = 0;
	while (i < px->nfields && strcmp(px->fields[i].path, path) != 0)
		i++;
	if (i == REPLAY_FIELDS)
		return;
	if (i == px->nfields)
		px->fields[px->nfields++] =
			(struct replay_field){.path = arena_strdup(&p->plan->mem, path)};
	px->fields[i].n += px->fields[i].mark != mark; /* a list has the same path many times */
	px->fields[i].mark = mark;
}

static const char *shown(struct arena *a, struct json_slice s)
{
	return s.p ? arena_strndup(a, s.p, TA_MIN(s.n, (size_t)EXAMPLE_VALUE)) : NULL;
}

static void differs(void *arg, const char *path, struct json_slice was, struct json_slice now)
{
	struct counting *c = arg;
	struct planner_look *look = c->look;
	struct arena *a = &c->p->plan->mem;
	count_field(c->p, look->px, path);
	if (!c->keep || look->nchanges == EXAMPLE_CHANGES)
		return;
	if (!look->changes)
		look->changes = arena_alloc(a, EXAMPLE_CHANGES * sizeof(*look->changes));
	look->changes[look->nchanges++] = (struct replay_change){
		.path = arena_strdup(a, path), .was = shown(a, was), .now = shown(a, now)};
}

static bool wanted(const struct planner *p, const struct replay_pixel *px)
{
	return px->changed < (int64_t)p->ask->max_examples;
}

void planner_compare(struct planner *p, struct planner_look *look)
{
	uint8_t hash[SHA256_LEN];
	struct counting c = {p, look, wanted(p, look->px)};
	if (!p->past.last)
		return;
	p->item.sent = true;
	buf_clear(&p->bytes);
	p->ask->dests->event(&p->build, &p->bytes);
	crypto_sha256(p->bytes.p, p->bytes.len, hash);
	p->item.changed = memcmp(hash, p->past.last->hash, sizeof(hash)) != 0;
	if (!p->item.changed || !planner_rebuild(p, look->e))
		return;
	crypto_sha256(p->before.p, p->before.len, hash);
	if (memcmp(hash, p->past.last->hash, sizeof(hash)) != 0)
		return; /* built by another version of the program: what differs is not known */
	const struct json_delta d = {differs, &c};
	json_delta(&d, (struct json_slice){p->before.p, p->before.len},
		(struct json_slice){p->bytes.p, p->bytes.len});
}

/* Examples --------------------------------------------------------------------------------------
 */

static bool example_wanted(const struct planner *p, const struct replay_pixel *px)
{
	int64_t most = (int64_t)p->ask->max_examples;
	const struct replay_item *it = &p->item;
	if (it->fate != REPLAY_SEND)
		return px->chosen - px->fates[REPLAY_SEND] <= most;
	return it->sent && it->changed && px->changed <= most;
}

void planner_example(struct planner *p, struct planner_look *look)
{
	struct replay_plan *plan = p->plan;
	if (!example_wanted(p, look->px))
		return;
	if (plan->nexamples == plan->sexamples) {
		plan->sexamples = plan->sexamples ? plan->sexamples * 2 : 64;
		plan->examples =
			ta_realloc(plan->examples, plan->sexamples * sizeof(*plan->examples));
	}
	bool sent = p->item.fate == REPLAY_SEND;
	plan->examples[plan->nexamples++] = (struct replay_example){.place = plan->nitems,
		.event_name = event_word(look->e->name),
		.label = arena_strdup(&plan->mem, look->e->label),
		.pixel = look->px->name,
		.received_us = look->e->received_us,
		.changes = look->changes,
		.nchanges = look->nchanges,
		.words = sent ? "" : arena_strdup(&plan->mem, buf_str(&p->why))};
}

/* Order -----------------------------------------------------------------------------------------
 */

static int by_count(const void *x, const void *y)
{
	const struct replay_field *a = x, *b = y;
	if (a->n != b->n)
		return a->n < b->n ? 1 : -1;
	return strcmp(a->path, b->path);
}

static int by_name(const void *x, const void *y)
{
	const struct replay_pixel *a = x, *b = y;
	int order = strcmp(a->store, b->store);
	return order ? order : strcmp(a->name, b->name);
}

static int by_pixel(const void *x, const void *y)
{
	const struct replay_example *a = x, *b = y;
	int order = strcmp(a->pixel, b->pixel);
	bool left = a->item->fate != REPLAY_SEND, right = b->item->fate != REPLAY_SEND;
	if (order || left != right)
		return order ? order : left - right;
	return (a->place > b->place) - (a->place < b->place);
}

void planner_finish(struct planner *p)
{
	struct replay_plan *plan = p->plan;
	for (size_t i = 0; i < plan->nexamples; i++)
		plan->examples[i].item = &plan->items[plan->examples[i].place];
	if (plan->nexamples)
		qsort(plan->examples, plan->nexamples, sizeof(*plan->examples), by_pixel);
	for (size_t i = 0; i < plan->npixels; i++)
		qsort(plan->pixels[i].fields, plan->pixels[i].nfields,
			sizeof(*plan->pixels[i].fields), by_count);
	if (plan->npixels)
		qsort(plan->pixels, plan->npixels, sizeof(*plan->pixels), by_name);
}
