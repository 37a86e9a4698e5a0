/* Replays as the dispatcher takes them: a range per pixel over the items of db/replay.h, read ahead
 * like any other range, and opened, each delivery in the transaction that claims it. */
#include "net/replay.h"

#include "db/audit.h"
#include "db/command.h"
#include "db/replay.h"
#include "net/dispatch.h"
#include "net/shape.h"
#include "src/clock.h"
#include "src/log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reading ---------------------------------------------------------------------------------------
 */

/* Room for one more read behind what is still waiting. */
static void make_room(struct lane *l)
{
	size_t left = l->ndue - l->next_due;
	struct replay_due *due = ta_alloc((left + REPLAY_READ) * sizeof(*due));
	if (left)
		memcpy(due, l->due + l->next_due, left * sizeof(*due));
	free(l->due);
	l->due = due;
	l->next_due = 0;
	l->ndue = left;
}

enum ta_rc replay_read_lane(struct dispatch *d, struct pixel *p, struct lane *l, struct ta_err *err)
{
	struct replay_read read = {.replay_id = l->r.replay_id,
		.after = l->read,
		.end = l->r.end_id,
		.now_us = clock_now_us(),
		.pixel_id = p->row.id};
	size_t n = 0;
	int64_t to = l->r.end_id;
	enum ta_rc rc = TA_OK;
	make_room(l);
	if (!p->row.deleted) /* nothing is opened that could not go out */
		rc = replay_next(d->stage.db, &read, l->due + l->ndue, &n, &to, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		TA_ASSERT(idq_push(&l->q, l->due[l->ndue + i].event_id));
	l->ndue += n;
	l->read = to;
	return TA_OK;
}

struct batch *replay_batch(struct pixel *p, struct lane *l, size_t most)
{
	const struct replay_due *due = &l->due[l->next_due];
	size_t n = 1;
	while (n < most && due[n].version == due[0].version)
		n++;
	struct batch *b = batch_new(p, n);
	b->range_id = l->r.id;
	b->replay = true;
	b->version = due[0].version;
	for (size_t i = 0; i < n; i++) {
		TA_ASSERT(idq_shift(&l->q) == due[i].event_id);
		b->ev[i] = (struct batch_event){.id = due[i].event_id,
			.received_us = due[i].received_us,
			.store_id = due[i].store_id,
			.run = due[i].run,
			.opens = due[i].before};
	}
	l->next_due += n;
	return b;
}

/* Orders ----------------------------------------------------------------------------------------
 */

static enum ta_rc write_open(struct dispatch *d, const struct replay_head *h, int64_t now_us,
	const struct command *c, struct ta_err *err)
{
	struct db *db = d->stage.db;
	char answer[160];
	enum ta_rc rc = db_begin(db, err);
	for (size_t i = 0; !rc && i < h->n; i++)
		rc = range_insert(db, &h->ranges[i], now_us, err);
	if (!rc)
		rc = replay_opened(db, h->id, now_us, err);
	if (!rc && !h->n)
		rc = replay_over(db, h->id, NULL, now_us, err);
	snprintf(answer, sizeof(answer), "replay %lld goes out behind live traffic",
		(long long)h->id);
	if (!rc)
		rc = command_answer(db, c->id, true, answer, err);
	return rc ? rc : db_commit(db, err);
}

static enum ta_rc begin_replay(
	struct dispatch *d, struct replay_head *h, const struct command *c, struct ta_err *err)
{
	enum ta_rc rc = pixels_load(d, err);
	if (!rc && h->rev > d->shapes_rev)
		rc = shapes_load(d, err);
	for (size_t i = 0; !rc && i < h->n; i++) {
		const struct pixel *p = pixel_find(d, h->ranges[i].pixel_id);
		h->ranges[i].id = ++d->last_range;
		h->ranges[i].frozen = p && p->held;
	}
	if (!rc)
		rc = write_open(d, h, clock_now_us(), c, err);
	for (size_t i = 0; !rc && i < h->n; i++) {
		struct pixel *p = pixel_find(d, h->ranges[i].pixel_id);
		if (p)
			(void)pixel_add_lane(p, &h->ranges[i]);
	}
	if (!rc)
		log_info("replay %lld begins at %zu pixels", (long long)h->id, h->n);
	return rc;
}

/* Of one replay: the lanes end where they are. */
static enum ta_rc end_lanes(struct dispatch *d, int64_t replay_id, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; i < d->npixels; i++)
		for (size_t k = 0; !rc && k < d->pixels[i]->nlanes; k++) {
			const struct lane *l = &d->pixels[i]->lanes[k];
			struct range_row r = l->r;
			if (r.replay_id != replay_id)
				continue;
			r.end_id = r.pos = lane_position(l);
			rc = range_update(d->stage.db, &r, err);
			if (!rc)
				rc = range_end(d->stage.db, &r, err);
		}
	return rc;
}

static void drop_lanes(struct dispatch *d, int64_t replay_id)
{
	for (size_t i = 0; i < d->npixels; i++)
		for (size_t k = d->pixels[i]->nlanes; k-- > 0;)
			if (d->pixels[i]->lanes[k].r.replay_id == replay_id)
				pixel_remove_lane(d->pixels[i], k);
}

static enum ta_rc cancel_replay(struct dispatch *d, const struct replay_head *h,
	const struct command *c, struct ta_err *err)
{
	struct db *db = d->stage.db;
	char object[60], answer[160];
	snprintf(object, sizeof(object), "replay %lld", (long long)h->id);
	snprintf(answer, sizeof(answer),
		"replay %lld is cancelled: what is under way goes through, the rest stays as it is",
		(long long)h->id);
	struct audit_entry e = {.at_us = clock_now_us(),
		.actor = c->actor,
		.action = "replay.cancel",
		.object = object};
	enum ta_rc rc = db_begin(db, err);
	if (!rc)
		rc = audit_lock(db, err);
	if (!rc)
		rc = end_lanes(d, h->id, err);
	if (!rc)
		rc = replay_over(db, h->id, c->actor, e.at_us, err);
	if (!rc)
		rc = audit_add(db, &e, err);
	if (!rc)
		rc = command_answer(db, c->id, true, answer, err);
	if (!rc)
		rc = db_commit(db, err);
	if (!rc)
		drop_lanes(d, h->id);
	return rc;
}

static enum ta_rc execute(
	struct dispatch *d, const struct command *c, struct arena *a, struct ta_err *err)
{
	bool open = strcmp(c->kind, COMMAND_REPLAY_OPEN) == 0, found = false;
	struct replay_head h = {0};
	json_t *o = json_loads(c->args, 0, NULL);
	int64_t id = json_integer_value(json_object_get(o, "replay"));
	json_decref(o);
	enum ta_rc rc = replay_head(d->stage.db, id, a, &h, &found, err);
	const char *no = !found             ? "there is no such replay"
			 : h.done           ? "that replay is over"
			 : open && h.opened ? "that replay was taken up already"
					    : NULL;
	if (rc)
		return rc;
	if (no)
		return command_answer(d->stage.db, c->id, false, no, err);
	return open ? begin_replay(d, &h, c, err) : cancel_replay(d, &h, c, err);
}

enum ta_rc replays_take(struct dispatch *d, struct ta_err *err)
{
	for (;;) {
		struct arena a = ARENA_INIT;
		struct command c = {0};
		enum ta_rc rc = command_next(
			d->stage.db, COMMAND_REPLAY_OPEN "," COMMAND_REPLAY_CANCEL, &a, &c, err);
		if (!rc && c.id)
			rc = execute(d, &c, &a, err);
		arena_release(&a);
		if (rc || !c.id)
			return rc;
	}
}
