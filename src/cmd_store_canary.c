/* trackai store canary: the store's synthetic orders and where they stopped. */
#include "db/canary.h"
#include "db/conn.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/cmd_store.h"
#include "src/cmd_table.h"
#include "src/opt.h"
#include "src/words.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define BEGUN_US (8 * US_PER_S) /* by then a puller has moved it */

struct line {
	bool now, json;
	const char *store;
};

static const char *stage_word(int stage)
{
	static const char *const words[] = {"listener", "router", "dispatcher", "dispatcher"};
	return stage >= 0 && stage < (int)TA_COUNT(words) ? words[stage] : "?";
}

static const char *state_of(const struct canary_row *r)
{
	return !r->ended_us ? "under way" : r->ok ? "arrived" : "lost";
}

static json_t *pixels_json(const struct canary_pixels *v)
{
	json_t *all = json_array();
	for (size_t i = 0; i < v->n; i++) {
		const struct canary_pixel *x = &v->rows[i];
		json_array_append_new(all,
			json_pack("{s:s, s:o, s:s, s:s, s:o, s:I}", "pixel", x->name, "arrived",
				x->state < 0 ? json_null() : json_boolean(x->state > 0), "decision",
				disposition_word(x->decision), "verdict", x->verdict, "detail",
				out_text(x->detail, strlen(x->detail)), "ms", (json_int_t)x->ms));
	}
	return all;
}

static enum ta_rc print_json(
	struct db *db, const struct canary_rows *v, struct arena *a, struct ta_err *err)
{
	json_t *all = json_array();
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < v->n; i++) {
		const struct canary_row *r = &v->rows[i];
		struct canary_pixels pixels = {0};
		rc = canary_pixels(db, r->id, a, &pixels, err);
		json_array_append_new(
			all, json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "id", out_id(r->id),
				     "state", state_of(r), "stage", stage_word(r->stage), "begun",
				     out_time(r->begun_us), "ended", out_time(r->ended_us),
				     "detail", out_text(r->detail, strlen(r->detail)), "pixels",
				     pixels_json(&pixels)));
	}
	if (rc)
		json_decref(all);
	else
		out_json(all);
	return rc;
}

/* The runs, and the pixels of the newest. */
static enum ta_rc print_people(
	struct db *db, const struct canary_rows *v, struct arena *a, struct ta_err *err)
{
	struct out_table t = {0}, p = {0};
	struct canary_pixels pixels = {0};
	char at[32];
	static const char *const heads[] = {"id", "begun", "state", "seconds", "detail"};
	static const char *const pixel_heads[] = {"pixel", "decision", "verdict", "ms", "detail"};
	if (!v->n) {
		puts("no canary was sent yet; trackai store canary STORE --now sends one, trackai "
		     "store set STORE --canary 15 one each 15 minutes");
		return TA_OK;
	}
	enum ta_rc rc = canary_pixels(db, v->rows[0].id, a, &pixels, err);
	for (size_t i = 0; i < TA_COUNT(heads); i++) {
		out_head(&t, heads[i]);
		out_head(&p, pixel_heads[i]);
	}
	for (size_t i = 0; i < v->n; i++) {
		const struct canary_row *r = &v->rows[i];
		clock_format(r->begun_us - r->begun_us % US_PER_S, at);
		out_cellf(&t, "%lld", (long long)r->id);
		out_cell(&t, at);
		out_cell(&t, state_of(r));
		out_cellf(&t, "%.1f", (double)(r->ended_us ? r->ended_us - r->begun_us : 0) / 1e6);
		out_cell(&t, *r->detail ? r->detail : "-");
	}
	for (size_t i = 0; i < pixels.n; i++) {
		const struct canary_pixel *x = &pixels.rows[i];
		out_cell(&p, x->name);
		out_cell(&p, disposition_word(x->decision));
		out_cell(&p, *x->verdict ? x->verdict : "-");
		out_cellf(&p, "%lld", (long long)x->ms);
		out_cell(&p, *x->detail ? x->detail : "-");
	}
	out_print(&t);
	if (pixels.n)
		putchar('\n');
	if (pixels.n)
		out_print(&p);
	else
		out_free(&p);
	return rc;
}

/* The row of a canary that was just begun, when it has ended, or when nothing moves it on. */
static enum ta_rc await(
	struct db *db, int32_t store_id, int64_t id, struct arena *a, struct ta_err *err)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	int64_t begun = clock_mono_us();
	for (;;) {
		struct canary_rows v = {0};
		enum ta_rc rc = canary_list(db, store_id, a, &v, err);
		const struct canary_row *r = v.n && v.rows[0].id == id ? &v.rows[0] : NULL;
		int64_t waited = clock_mono_us() - begun;
		if (rc || !r || r->ended_us)
			return rc;
		if ((r->stage == CANARY_NEW && !*r->detail && waited > BEGUN_US) ||
			waited > CANARY_WITHIN_US + BEGUN_US)
			return ta_fail(err, TA_TIMEOUT,
				"canary %lld waits; is a puller running (trackai status)?",
				(long long)id);
		arena_clear(a);
		(void)nanosleep(&pause, NULL);
	}
}

static enum ta_rc run(
	struct db *db, const struct line *l, struct arena *a, bool *lost, struct ta_err *err)
{
	struct table_row row;
	struct canary_rows v = {0};
	int64_t id = 0;
	enum ta_rc rc = cmd_table_row(db, table_get("store"), l->store, a, &row, err);
	if (rc)
		return rc;
	int32_t store = (int32_t)row.id;
	if (l->now)
		rc = canary_begin(db, store, clock_now_us(), &id, err);
	if (!rc && l->now)
		rc = await(db, store, id, a, err);
	if (!rc)
		rc = canary_list(db, store, a, &v, err);
	for (size_t i = 0; i < v.n; i++)
		if (v.rows[i].ended_us) {
			*lost = !v.rows[i].ok;
			break;
		}
	if (rc)
		return rc;
	return l->json ? print_json(db, &v, a, err) : print_people(db, &v, a, err);
}

int store_canary(int argc, char **argv)
{
	struct line l = {0};
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena a = ARENA_INIT;
	bool lost = false;
	const struct opt opts[] = {{"now", OPT_FLAG, &l.now, "send one and wait for its end"},
		{"json", OPT_FLAG, &l.json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 3)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[3]);
	l.store = argc > 2 ? argv[2] : NULL;
	if (!rc)
		rc = cmd_db_ready("store", &db, &err);
	if (!rc)
		rc = run(db, &l, &a, &lost, &err);
	db_close(db);
	arena_release(&a);
	return rc ? cmd_fail("store", &err) : lost ? ta_rc_exit(TA_CHECK) : 0;
}
