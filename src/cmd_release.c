/* trackai delivery release, trackai rule release: lets deliveries go that a rule holds. */
#include "db/audit.h"
#include "db/command.h"
#include "db/conn.h"
#include "db/find.h"
#include "db/log_id.h"
#include "db/rule_hold.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_event.h"
#include "src/cmd_out.h"
#include "src/cmd_rule.h"
#include "src/cmd_table.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chosen {
	int64_t event_id;
	int32_t pixel_id;
};

struct release {
	const char *where, *since, *rule;
	bool json;
	struct arena mem;
	struct find_query query;
	int32_t rule_id; /* 0: of all rules */
	struct chosen *v;
	size_t n, size;
	int64_t released;
};

static void choose(struct release *r, int64_t event_id, int32_t pixel_id)
{
	if (r->n == r->size) {
		r->size = r->size ? 2 * r->size : 1024;
		r->v = ta_realloc(r->v, r->size * sizeof(*r->v));
	}
	r->v[r->n++] = (struct chosen){event_id, pixel_id};
}

static void found(void *arg, const struct find_event *e, const bool *match)
{
	struct release *r = arg;
	for (size_t i = 0; i < e->n; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		if (match[i] && d->state == DISP_HELD && d->reason == REASON_RULE_HOLD &&
			(!r->rule_id || d->rule_id == r->rule_id))
			choose(r, e->id, d->pixel_id);
	}
}

/* Everything that the rule, or any rule, holds. */
static enum ta_rc choose_all(struct release *r, struct db *db, struct ta_err *err)
{
	struct rule_hold_page page = {.rule_id = r->rule_id};
	enum ta_rc rc = TA_OK;
	for (int n = 1; n > 0 && !rc;) {
		PGresult *rows = NULL;
		rc = rule_holds_page(db, &page, &rows, err);
		n = rc ? 0 : db_rows(rows);
		for (int i = 0; i < n; i++) {
			page.after_event = db_i64(rows, i, 0);
			page.after_pixel = (int32_t)db_i64(rows, i, 1);
			if (log_id_us(page.after_event) >= r->query.since_us)
				choose(r, page.after_event, page.after_pixel);
		}
		PQclear(rows);
	}
	return rc;
}

/* Nothing is held before the first. */
static enum ta_rc choose_matching(struct release *r, struct db *db, struct ta_err *err)
{
	PGresult *rows = NULL;
	enum ta_rc rc = rule_holds_page(db, &(struct rule_hold_page){0}, &rows, err);
	if (!rc && db_rows(rows)) {
		r->query.after_id = db_i64(rows, 0, 0) - 1;
		rc = find_events(db, &r->query, err);
	}
	PQclear(rows);
	return rc;
}

/* One order to the router, for at most COMMAND_RELEASE_MAX of them. */
static enum ta_rc order(struct release *r, struct db *db, size_t from, size_t n, struct ta_err *err)
{
	struct buf b = BUF_INIT(64 * COMMAND_RELEASE_MAX + 64);
	const char *answer = "";
	buf_adds(&b, "{\"deliveries\":[");
	for (size_t i = from; i < from + n; i++)
		buf_addf(&b, "%s[%lld,%d]", i > from ? "," : "", (long long)r->v[i].event_id,
			(int)r->v[i].pixel_id);
	buf_adds(&b, "]}");
	struct command c = {.actor = audit_actor(), .kind = COMMAND_RELEASE, .args = buf_str(&b)};
	enum ta_rc rc = command_post(db, &c, err);
	if (!rc)
		rc = command_wait(db, c.id, &r->mem, &answer, err);
	if (!rc && strncmp(answer, "released ", 9) == 0)
		r->released += strtoll(answer + 9, NULL, 10);
	buf_release(&b);
	return rc;
}

static enum ta_rc run(struct release *r, struct db *db, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	if (r->rule) {
		struct table_row row;
		rc = cmd_table_row(db, &table_rule, r->rule, &r->mem, &row, err);
		r->rule_id = rc ? 0 : (int32_t)row.id;
	}
	if (!rc)
		rc = r->where ? choose_matching(r, db, err) : choose_all(r, db, err);
	for (size_t i = 0; i < r->n && !rc; i += COMMAND_RELEASE_MAX)
		rc = order(r, db, i, TA_MIN(r->n - i, (size_t)COMMAND_RELEASE_MAX), err);
	if (rc && r->released)
		ta_err_prefix(err, "%lld were released, then", (long long)r->released);
	return rc;
}

static enum ta_rc read_options(struct release *r, int *argc, char **argv, struct ta_err *err)
{
	struct rule_prog *prog = NULL;
	size_t at = 0;
	const struct opt opts[] = {{"where", OPT_STR, &r->where, "an expression"},
		{"rule", OPT_STR, &r->rule, "only what this rule holds"},
		{"since", OPT_STR, &r->since, "10:31, -2h, yesterday or RFC 3339"},
		{"json", OPT_FLAG, &r->json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(argc, argv, opts, err);
	if (!rc && r->since && clock_parse_when(r->since, &r->query.since_us, err))
		rc = ta_err_prefix(err, "--since");
	if (rc || !r->where)
		return rc;
	rc = rule_compile_event(&r->mem, r->where, &prog, &at, err);
	if (rc) {
		struct buf b = BUF_INIT(3 * RULE_MAX_SIZE);
		rule_caret(&b, r->where, at);
		fprintf(stderr, "%s\n", buf_str(&b));
		buf_release(&b);
	}
	r->query.where = prog;
	return rc;
}

static int finish(struct release *r, const char *word, enum ta_rc rc, const struct ta_err *err)
{
	int64_t others = (int64_t)r->n - r->released;
	if (!rc && r->json)
		out_json(json_pack("{s:I}", "released", (json_int_t)r->released));
	else if (!rc && others)
		printf("released %lld; %lld were let go meanwhile\n", (long long)r->released,
			(long long)others);
	else if (!rc)
		printf("released %lld\n", (long long)r->released);
	free(r->v);
	arena_release(&r->mem);
	return rc ? cmd_fail(word, err) : 0;
}

static int release(int argc, char **argv, const char *word, bool rule)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	struct release r = {.query = {.found = found, .per_delivery = true, .limit = INT64_MAX}};
	r.query.arg = &r;
	enum ta_rc rc = read_options(&r, &argc, argv, &err);
	if (!rc && argc > (rule ? 2 : 1))
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[rule ? 2 : 1]);
	if (!rc && rule)
		r.rule = argc > 1 ? argv[1] : r.rule;
	if (!rc && rule && !r.rule)
		rc = ta_fail(&err, TA_USAGE,
			"which rule? Give its name or id; trackai rule list shows "
			"them");
	if (!rc && !r.rule && !r.where)
		rc = ta_fail(&err, TA_USAGE, "what shall go? Give --where EXPR or --rule RULE");
	if (!rc)
		rc = cmd_db_ready(word, &db, &err);
	if (!rc)
		rc = run(&r, db, &err);
	db_close(db);
	return finish(&r, word, rc, &err);
}

int delivery_release(int argc, char **argv)
{
	return release(argc, argv, "delivery release", false);
}

int cmd_rule_release(int argc, char **argv)
{
	return release(argc - 1, argv + 1, "rule release", true);
}
