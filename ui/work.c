#include "ui/work.h"

#include "db/alert.h"
#include "db/audit.h"
#include "db/cause.h"
#include "db/command.h"
#include "db/conn.h"
#include "ui/sample.h"
#include "ui/letters_job.h"
#include "ui/replay_job.h"
#include "db/log_id.h"
#include "db/pixel_test.h"
#include "db/view.h"
#include "src/buf.h"
#include "src/clock.h"
#include "ui/seen.h"
#include "ui/trial.h"
#include "db/docs.h"
#include "ui/distinct.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct work *work_new(enum work_kind kind, const struct table *t)
{
	struct work *w = ta_alloc(sizeof(*w));
	w->kind = kind;
	w->table = t;
	if (t)
		w->edit.v = arena_alloc(&w->mem, t->nfields * sizeof(*w->edit.v));
	w->edit.actor = arena_strdup(&w->mem, audit_actor());
	return w;
}

void work_free(struct work *w)
{
	if (!w)
		return;
	for (size_t i = 0; w->table && i < w->table->nfields; i++) {
		const char *v = w->edit.v[i];
		char *secret = NULL;
		if (!v || !(w->table->fields[i].flags & FIELD_SECRET))
			continue;
		memcpy(&secret, &v, sizeof(secret)); /* ours: it was copied into the arena */
		explicit_bzero(secret, strlen(secret));
	}
	trial_free(w->trial);
	sample_part_free(w->part);
	letters_job_free(w->letters);
	replay_job_free(w->replay);
	if (w->seen)
		seen_release(w->seen);
	free(w->seen);
	arena_release(&w->stats_mem);
	arena_release(&w->mem);
	free(w);
}

bool work_changes(const struct work *w)
{
	return w->kind >= WORK_ADD;
}

struct table_row *work_row(struct arena *a, const struct table *t, const struct table_row *row)
{
	struct table_row *copy = arena_alloc(a, sizeof(*copy));
	*copy = (struct table_row){row->id, row->version, NULL};
	copy->v = arena_alloc(a, t->nfields * sizeof(*copy->v));
	for (size_t i = 0; i < t->nfields; i++)
		copy->v[i] = row->v[i] ? arena_strdup(a, row->v[i]) : NULL;
	return copy;
}

/* The row as it is now; NULL when it is gone or cannot be read. */
static const struct table_row *look(struct db *db, struct work *w)
{
	char id[24];
	struct ta_err ignored = {0};
	struct table_row *row = arena_alloc(&w->mem, sizeof(*row));
	snprintf(id, sizeof(id), "%lld", (long long)w->edit.id);
	return table_find(db, w->table, id, &w->mem, row, &ignored) ? NULL : row;
}

/* Who was it, and which secrets were replaced: the row itself does not say. */
static void look_rival(struct db *db, struct work *w)
{
	struct ta_err ignored = {0};
	char object[60];
	int n = w->after && w->edit.version ? w->after->version - w->edit.version : 1;
	snprintf(object, sizeof(object), "%s %lld", w->table->word, (long long)w->edit.id);
	if (audit_last(db, object, n, &w->mem, &w->rival, &ignored))
		w->rival = (struct audit_last){0};
}

static enum ta_rc order(struct db *db, struct work *w)
{
	bool hold = strcmp(w->order, COMMAND_PIXEL_HOLD) == 0;
	struct command c = {.actor = w->edit.actor,
		.kind = w->order,
		.args = w->args ? w->args
				: arena_fmt(&w->mem,
					  hold ? "{\"pixel\":%lld,\"reason\":\"operator\"}"
					       : "{\"pixel\":%lld}",
					  (long long)w->edit.id)};
	enum ta_rc rc = command_post(db, &c, &w->err);
	return rc ? rc : command_wait(db, c.id, &w->mem, &w->answer, &w->err);
}

static enum ta_rc list(struct db *db, struct work *w)
{
	enum ta_rc rc = table_list(db, w->table, NULL, &w->mem, &w->rows, &w->err);
	if (!rc && w->with_stats)
		rc = rule_stat_read(
			db, clock_now_us() - US_PER_DAY, &w->stats_mem, &w->stats, &w->err);
	return rc;
}

static enum ta_rc back(struct db *db, struct work *w)
{
	const struct history_back b = {.mem = &w->mem,
		.actor = w->edit.actor,
		.note = w->edit.note,
		.id = w->edit.id,
		.to = w->to,
		.seen = w->edit.version};
	return history_rollback(db, w->table, &b, &w->err);
}

static enum ta_rc change(struct db *db, struct work *w)
{
	w->edit.mem = &w->mem;
	if (w->kind != WORK_ADD)
		w->before = look(db, w);
	if (w->kind == WORK_ADD)
		return table_add(db, w->table, &w->edit, &w->err);
	if (w->kind == WORK_SET)
		return table_set(db, w->table, &w->edit, &w->err);
	if (w->kind == WORK_ROLLBACK)
		return back(db, w);
	return table_remove(db, w->table, &w->edit, &w->err);
}

/* The newest documents, and what their fields hold. */
static enum ta_rc see(struct db *db, struct work *w)
{
	struct buf sql = BUF_INIT(1 << 14);
	int64_t now = clock_now_us();
	struct view_page page = {.below = log_id_at(now + 60 * US_PER_S),
		.from = log_id_at(now - US_PER_DAY),
		.limit = SEEN_DOCS,
		.docs = true};
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	view_sql_page(&sql, &page);
	enum ta_rc rc = db_query(db, buf_str(&sql), NULL, &r, &w->err);
	buf_release(&sql);
	if (rc)
		return rc;
	w->seen = ta_alloc(sizeof(*w->seen));
	int64_t last = 0;
	for (int i = 0; i < db_rows(r); i++) {
		struct arena a = ARENA_INIT;
		struct event ev;
		size_t n = 0;
		bool another = db_i64(r, i, 0) != last; /* a line is an event at one pixel */
		last = db_i64(r, i, 0);
		const char *doc = another ? view_take_doc(&a, r, i, &n) : NULL;
		if (doc && !event_read(&a, doc, n, &ev, NULL))
			seen_event(w->seen, &ev);
		arena_release(&a);
	}
	seen_sort(w->seen);
	return TA_OK;
}

static enum ta_rc send(struct db *db, struct work *w)
{
	struct pixel_test_ask ask = {.pixel_id = (int32_t)w->edit.id,
		.event_id = w->event_id,
		.draft = w->drafted ? w->edit.v : NULL};
	int64_t id = 0;
	w->sent = arena_alloc(&w->mem, sizeof(*w->sent));
	enum ta_rc rc = pixel_test_post(db, &ask, w->edit.actor, &id, &w->err);
	return rc ? rc : pixel_test_wait(db, id, &w->mem, w->sent, &w->err);
}

static void see_event(void *arg, const struct docs_event *e, struct arena *scratch)
{
	struct distinct *d = arg;
	struct rule_event event = {
		.ev = &e->ev, .disposition = -1, .latency_us = -1, .received_us = e->received_us};
	d->read++;
	if (e->store_id == d->store_id)
		distinct_see(d, &event, scratch);
}

static bool seen_enough(void *arg, int64_t reached_us)
{
	const struct distinct *d = arg;
	return d->events >= DISTINCT_EVENTS || d->read >= DISTINCT_READ || reached_us >= d->to_us;
}

static enum ta_rc judge(struct db *db, struct work *w)
{
	struct docs_query q = {.from_us = w->distinct->from_us,
		.to_us = w->distinct->to_us,
		.each = see_event,
		.pause = seen_enough,
		.arg = w->distinct};
	enum ta_rc rc = docs_each(db, &q, &w->err);
	if (!rc)
		distinct_choose(w->distinct);
	return rc;
}

static const char *value(const struct table *t, const char *const *v, const char *name)
{
	int i = field_index(t->fields, t->nfields, name);
	return i >= 0 && v[i] ? v[i] : "";
}

/* The pixels of a store, and the rules whose scope it is, or the pixel is. */
static enum ta_rc look_around(struct db *db, struct work *w)
{
	const struct table *rule = table_get("rule");
	bool store = strcmp(w->table->word, "store") == 0;
	const char *name = value(w->table, w->edit.v, "name");
	const char *scope =
		store ? name
		      : arena_fmt(&w->mem, "%s/%s", value(w->table, w->edit.v, "store"), name);
	struct table_rows all = {0};
	enum ta_rc rc = TA_OK;
	if (store)
		rc = table_list(db, table_get("pixel"), name, &w->mem, &w->rows, &w->err);
	if (!rc)
		rc = table_list(db, rule, NULL, &w->mem, &all, &w->err);
	w->rules.rows = all.rows;
	for (size_t i = 0; !rc && i < all.n; i++)
		if (strcmp(value(rule, all.rows[i].v, store ? "store" : "pixel"), scope) == 0)
			w->rules.rows[w->rules.n++] = all.rows[i];
	return rc;
}

static enum ta_rc look_for_causes(struct db *db, struct work *w)
{
	w->causes = arena_alloc(&w->mem, CAUSES * sizeof(*w->causes));
	return cause_read(db, (int32_t)w->edit.id, clock_now_us(), w->causes, &w->ncauses, &w->err);
}

/* Works about no table; false: it is none. */
static bool other(struct db *db, struct work *w)
{
	if (w->kind == WORK_SEEN)
		w->err.rc = see(db, w);
	else if (w->kind == WORK_CAUSES)
		w->err.rc = look_for_causes(db, w);
	else if (w->kind == WORK_ALERT_ACK)
		w->err.rc = alert_ack(db, w->edit.id, w->edit.actor, &w->err);
	else if (w->kind == WORK_ALERT_MUTE)
		w->err.rc = alert_mute(db, w->edit.id, w->until_us, w->edit.actor, &w->err);
	else
		return false;
	return true;
}

void work_run(struct db *db, struct work *w)
{
	if (other(db, w))
		return;
	enum ta_rc rc;
	if (w->kind == WORK_LETTERS)
		rc = letters_job_run(db, w->letters, &w->err);
	else if (w->kind == WORK_REPLAY)
		rc = replay_job_run(db, w->replay, &w->err);
	else if (w->kind == WORK_DEPENDS)
		rc = look_around(db, w);
	else if (w->kind == WORK_DISTINCT)
		rc = judge(db, w);
	else if (w->kind == WORK_SEND)
		rc = send(db, w);
	else if (w->kind == WORK_LIST)
		rc = list(db, w);
	else if (w->kind == WORK_VERSIONS)
		rc = history_read(db, w->table, w->edit.id, &w->mem, &w->versions, &w->err);
	else if (w->kind == WORK_BACKTEST)
		rc = trial_run(db, w->trial, &w->err);
	else if (w->kind == WORK_SAMPLE)
		rc = sample_read(db, w->part, &w->err);
	else if (w->kind == WORK_ORDER)
		rc = order(db, w);
	else
		rc = change(db, w);
	bool rival = w->edit.id && (rc == TA_CONFLICT || rc == TA_NOTFOUND);
	if (work_changes(w) && (!rc || rival))
		w->after = look(db, w);
	w->err.rc = rc;
	if (work_changes(w) && rival)
		look_rival(db, w);
}
