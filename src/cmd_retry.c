/* trackai delivery retry: the next attempt of what waits for one, now. */
#include "db/audit.h"
#include "db/command.h"
#include "db/conn.h"
#include "db/find.h"
#include "db/log_id.h"
#include "db/retry_order.h"
#include "db/table.h"
#include "db/waiting.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_delivery.h"
#include "src/cmd_out.h"
#include "src/cmd_table.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD "delivery retry"

struct retry {
	const char *ids, *where, *pixel, *since;
	bool json, force;
	struct arena mem;
	struct find_query query;
	int32_t pixel_id; /* 0: any */
	struct retry_pick *v;
	size_t n, size;
	struct retry_answer sum;
};

static void choose(struct retry *r, int64_t event_id, int32_t pixel_id)
{
	if (r->n == r->size) {
		r->size = r->size ? 2 * r->size : 1024;
		r->v = ta_realloc(r->v, r->size * sizeof(*r->v));
	}
	r->v[r->n++] = (struct retry_pick){event_id, pixel_id};
}

/* Which -----------------------------------------------------------------------------------------
 */

static void found(void *arg, const struct find_event *e, const bool *match)
{
	struct retry *r = arg;
	for (size_t i = 0; i < e->n; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		bool ours = !r->pixel_id || d->pixel_id == r->pixel_id;
		if (match[i] && ours && (r->ids || d->state == DISP_RETRYING))
			choose(r, e->id, d->pixel_id);
	}
}

/* One event at all its pixels, or at --pixel. */
static enum ta_rc choose_event(struct retry *r, struct db *db, const char *text, struct ta_err *err)
{
	struct find_event e = {0};
	int64_t id = 0;
	struct arena a = ARENA_INIT;
	enum ta_rc rc = find_event_id(db, text, &id, err);
	if (!rc)
		rc = find_event(db, id, &a, &e, err);
	bool *all = ta_alloc(e.n + 1);
	memset(all, true, e.n + 1);
	if (!rc)
		found(r, &e, all);
	free(all);
	arena_release(&a);
	return rc;
}

static enum ta_rc choose_ids(struct retry *r, struct db *db, struct ta_err *err)
{
	char *list = arena_strdup(&r->mem, r->ids), *rest = list, *one;
	enum ta_rc rc = TA_OK;
	while (!rc && (one = strsep(&rest, ", \n")))
		if (*one)
			rc = choose_event(r, db, one, err);
	return rc;
}

/* All that waits, page by page. */
static enum ta_rc choose_all(struct retry *r, struct db *db, struct ta_err *err)
{
	struct waiting_query q = {.pixel_id = r->pixel_id};
	enum ta_rc rc = TA_OK;
	for (size_t n = WAITING_PAGE; !rc && n == WAITING_PAGE;) {
		struct arena a = ARENA_INIT;
		struct waiting_row *rows = NULL;
		rc = waiting_list(db, &q, &a, &rows, &n, err);
		for (size_t i = 0; !rc && i < n; i++) {
			q.after_deadline_us = rows[i].deadline_us;
			q.after_event = rows[i].event_id;
			q.after_pixel = rows[i].pixel_id;
			if (log_id_us(rows[i].event_id) >= r->query.since_us)
				choose(r, rows[i].event_id, rows[i].pixel_id);
		}
		arena_release(&a);
	}
	return rc;
}

/* Nothing waits before the first. */
static enum ta_rc choose_matching(struct retry *r, struct db *db, struct ta_err *err)
{
	PGresult *rows = NULL;
	enum ta_rc rc = db_query(db, "SELECT min(event_id) FROM retry", NULL, &rows, err);
	if (!rc && !db_null(rows, 0, 0)) {
		r->query.after_id = db_i64(rows, 0, 0) - 1;
		rc = find_events(db, &r->query, err);
	}
	PQclear(rows);
	return rc;
}

/* -------------------------------------------------------------------------------------------------
 */

static enum ta_rc order(struct retry *r, struct db *db, size_t from, size_t n, struct ta_err *err)
{
	struct buf b = BUF_INIT(64 * COMMAND_RETRY_MAX + 64);
	const char *answer = "";
	retry_order_args(r->v + from, n, r->force, &b);
	struct command c = {.actor = audit_actor(), .kind = COMMAND_RETRY, .args = buf_str(&b)};
	enum ta_rc rc = command_post(db, &c, err);
	if (!rc)
		rc = command_wait(db, c.id, &r->mem, &answer, err);
	if (!rc)
		retry_answer_add(&r->sum, answer);
	buf_release(&b);
	return rc;
}

static enum ta_rc run(struct retry *r, struct db *db, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	if (r->pixel) {
		struct table_row row;
		rc = cmd_table_row(db, table_get("pixel"), r->pixel, &r->mem, &row, err);
		r->pixel_id = rc ? 0 : (int32_t)row.id;
	}
	if (!rc)
		rc = r->ids     ? choose_ids(r, db, err)
		     : r->where ? choose_matching(r, db, err)
				: choose_all(r, db, err);
	for (size_t i = 0; i < r->n && !rc; i += COMMAND_RETRY_MAX)
		rc = order(r, db, i, TA_MIN(r->n - i, (size_t)COMMAND_RETRY_MAX), err);
	if (rc && r->sum.retried)
		ta_err_prefix(err, "%lld are tried now, then", (long long)r->sum.retried);
	return rc;
}

static enum ta_rc compile(struct retry *r, struct ta_err *err)
{
	struct rule_prog *prog = NULL;
	size_t at = 0;
	enum ta_rc rc = rule_compile_event(&r->mem, r->where, &prog, &at, err);
	if (rc) {
		struct buf b = BUF_INIT(3 * RULE_MAX_SIZE);
		rule_caret(&b, r->where, at);
		fprintf(stderr, "%s\n", buf_str(&b));
		buf_release(&b);
	}
	r->query.where = prog;
	return rc;
}

static enum ta_rc read_options(struct retry *r, int *argc, char **argv, struct ta_err *err)
{
	const struct opt opts[] = {{"ids", OPT_STR, &r->ids, "events, comma between"},
		{"where", OPT_STR, &r->where, "an expression"},
		{"pixel", OPT_STR, &r->pixel, "only at this one"},
		{"since", OPT_STR, &r->since, "10:31, -2h, yesterday or RFC 3339"},
		{"force", OPT_FLAG, &r->force, "an open circuit probes at once"},
		{"json", OPT_FLAG, &r->json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(argc, argv, opts, err);
	if (!rc && *argc > 1)
		rc = ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc && r->ids && (r->where || r->since))
		rc = ta_fail(err, TA_USAGE, "--ids says which; --where and --since do not fit it");
	if (!rc && !r->ids && !r->where && !r->pixel)
		rc = ta_fail(err, TA_USAGE,
			"what shall be tried? Give --ids, --where EXPR or "
			"--pixel P");
	if (!rc && r->since && clock_parse_when(r->since, &r->query.since_us, err))
		rc = ta_err_prefix(err, "--since");
	return rc || !r->where ? rc : compile(r, err);
}

static void print(const struct retry *r)
{
	struct buf b = BUF_INIT(2000);
	if (r->json)
		retry_answer_json(&r->sum, &b);
	else
		retry_answer_text(&r->sum, &b);
	puts(buf_str(&b));
	buf_release(&b);
}

int delivery_retry(int argc, char **argv)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	struct retry r = {.query = {.found = found, .per_delivery = true, .limit = INT64_MAX}};
	r.query.arg = &r;
	enum ta_rc rc = read_options(&r, &argc, argv, &err);
	if (!rc)
		rc = cmd_db_ready(WORD, &db, &err);
	if (!rc)
		rc = run(&r, db, &err);
	if (!rc)
		print(&r);
	free(r.v);
	db_close(db);
	arena_release(&r.mem);
	return rc ? cmd_fail(WORD, &err) : 0;
}
