/* trackai delivery replay list, show and cancel. */
#include "db/audit.h"
#include "db/command.h"
#include "db/conn.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_delivery.h"
#include "src/cmd_out.h"
#include "src/cmd_replay.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *row_json(const struct replay_row *r)
{
	json_t *o = json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:i, s:I, s:I, s:I}", "id",
		out_id(r->id), "state", replay_state_word(r->state), "actor", r->actor, "versions",
		r->mode == REPLAY_PINNED ? "pinned" : "current", "what", r->what, "at",
		out_time(r->at_us), "opened_at", out_time(r->opened_us), "done_at",
		out_time(r->done_us), "rate", (int)r->rate, "items", (json_int_t)r->items, "taken",
		(json_int_t)r->taken, "left_out", (json_int_t)r->left_out);
	if (r->delivered < 0)
		return o;
	json_t *left = json_object();
	for (int f = 0; f < REPLAY_FATES; f++)
		if (f != REPLAY_SEND && r->fates[f])
			json_object_set_new(left, replay_fate_word((enum replay_fate)f),
				json_integer(r->fates[f]));
	json_object_set_new(o, "delivered", json_integer(r->delivered));
	json_object_set_new(o, "failed", json_integer(r->failed));
	json_object_set_new(o, "open", json_integer(r->open));
	json_object_set_new(o, "passed_over", json_integer(r->passed_over));
	json_object_set_new(o, "fates", left);
	return o;
}

static void print_rows(const struct replay_rows *rows)
{
	struct out_table o = {0};
	const char *const heads[] = {
		"id", "at", "by", "state", "versions", "sent", "of", "left out", "rate", "what"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&o, heads[i]);
	for (size_t i = 0; i < rows->n; i++) {
		const struct replay_row *r = &rows->rows[i];
		char at[32];
		out_cellf(&o, "%lld", (long long)r->id);
		out_cell(&o, delivery_at(r->at_us, at));
		out_cell(&o, r->actor);
		out_cell(&o, replay_state_word(r->state));
		out_cell(&o, r->mode == REPLAY_PINNED ? "pinned" : "current");
		out_cellf(&o, "%lld", (long long)r->taken);
		out_cellf(&o, "%lld", (long long)r->items);
		out_cellf(&o, "%lld", (long long)r->left_out);
		if (r->rate)
			out_cellf(&o, "%d/s", (int)r->rate);
		else
			out_cell(&o, NULL);
		out_cell(&o, r->what);
	}
	out_print(&o);
}

int replay_cmd_list(int argc, char **argv)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena a = ARENA_INIT;
	struct replay_rows rows = {0};
	bool json = false;
	long limit = 20;
	const struct opt opts[] = {{"limit", OPT_INT, &limit, "at most so many"},
		{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 1)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc && limit < 1)
		rc = ta_fail(&err, TA_USAGE, "--limit: at least 1");
	if (!rc)
		rc = cmd_db_ready("replay", &db, &err);
	if (!rc)
		rc = replay_list(db, 0, limit, &a, &rows, &err);
	if (!rc && json) {
		json_t *all = json_array();
		for (size_t i = 0; i < rows.n; i++)
			json_array_append_new(all, row_json(&rows.rows[i]));
		out_json(all);
	} else if (!rc) {
		print_rows(&rows);
	}
	db_close(db);
	arena_release(&a);
	return rc ? cmd_fail("delivery replay list", &err) : 0;
}

static enum ta_rc read_id(int argc, char **argv, int64_t *id, struct ta_err *err)
{
	size_t n = argc > 1 ? strlen(argv[1]) : 0;
	if (argc != 2 || !n || n > 18 || strspn(argv[1], "0123456789") != n)
		return ta_fail(err, TA_USAGE, "give the replay's number; `replay list` shows them");
	*id = strtoll(argv[1], NULL, 10);
	return TA_OK;
}

static void print_row(const struct replay_rows *rows)
{
	const struct replay_row *r = rows->rows;
	print_rows(rows);
	printf("delivered %lld, failed %lld, under way %lld, passed over %lld\n",
		(long long)r->delivered, (long long)r->failed, (long long)r->open,
		(long long)r->passed_over);
	for (int f = 0; f < REPLAY_FATES; f++)
		if (f != REPLAY_SEND && r->fates[f])
			printf("left out: %lld %s\n", (long long)r->fates[f],
				replay_fate_word((enum replay_fate)f));
}

int replay_cmd_show(int argc, char **argv)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena a = ARENA_INIT;
	struct replay_rows rows = {0};
	bool json = false;
	int64_t id = 0;
	const struct opt opts[] = {{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc)
		rc = read_id(argc, argv, &id, &err);
	if (!rc)
		rc = cmd_db_ready("replay", &db, &err);
	if (!rc)
		rc = replay_list(db, id, 1, &a, &rows, &err);
	if (!rc && json)
		out_json(row_json(&rows.rows[0]));
	else if (!rc)
		print_row(&rows);
	db_close(db);
	arena_release(&a);
	return rc ? cmd_fail("delivery replay show", &err) : 0;
}

int replay_cmd_cancel(int argc, char **argv)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena a = ARENA_INIT;
	struct replay_order order = {0};
	const char *answer = "";
	int64_t id = 0;
	const struct opt opts[] = {{0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc)
		rc = read_id(argc, argv, &id, &err);
	if (!rc)
		rc = cmd_db_ready("replay", &db, &err);
	if (!rc)
		rc = replay_cancel(db, id, audit_actor(), &order, &err);
	if (!rc)
		rc = command_wait(db, order.command, &a, &answer, &err);
	if (!rc)
		puts(answer);
	db_close(db);
	arena_release(&a);
	return rc ? cmd_fail("delivery replay cancel", &err) : 0;
}
