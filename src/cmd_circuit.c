/* trackai pixel circuit: how a pixel's circuit is, and opening or closing it by hand. */
#include "db/audit.h"
#include "db/command.h"
#include "db/conn.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_delivery.h"
#include "src/cmd_out.h"
#include "src/cmd_pixel.h"
#include "src/cmd_table.h"
#include "src/opt.h"

#include <stdio.h>
#include <string.h>

#define WORD "pixel circuit"

enum ta_rc cmd_circuits(
	struct db *db, struct arena *a, struct cmd_circuits *out, struct ta_err *err)
{
	out->now_us = clock_now_us();
	return circuits_read(db, 0, a, &out->rows, &out->n, err);
}

json_t *cmd_circuit_json(const struct cmd_circuits *all, int64_t pixel_id)
{
	struct circuit_row row = circuit_of(all->rows, all->n, (int32_t)pixel_id);
	int64_t until = circuit_until_us(&row.circuit, all->now_us);
	return json_pack("{s:s, s:o, s:i, s:o, s:s, s:o, s:s}", "state",
		circuit_state_word(circuit_state(&row.circuit, all->now_us)), "until",
		until == CIRCUIT_FOR_EVER ? json_null() : out_time(until), "failures",
		row.circuit.failures, "since", out_time(row.since_us), "error", row.error,
		"error_at", out_time(row.error_us), "held_by",
		row.circuit.forced_us ? row.forced_by : "");
}

void cmd_circuit_text(const struct cmd_circuits *all, int64_t pixel_id, struct buf *out)
{
	struct circuit_row row = circuit_of(all->rows, all->n, (int32_t)pixel_id);
	if (!row.since_us && !row.circuit.failures)
		buf_addc(out, '-');
	else
		circuit_text(&row, all->now_us, out);
}

struct asked {
	const char *verb; /* NULL: show */
	const char *span;
	int64_t until_us; /* 0: until somebody closes it */
	bool json;
};

static enum ta_rc check(struct asked *q, int argc, char **argv, struct ta_err *err)
{
	int64_t span = 0;
	enum ta_rc rc = TA_OK;
	q->verb = argc > 3 ? argv[3] : NULL;
	if (argc > 4)
		return ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[4]);
	if (q->verb && strcmp(q->verb, "open") != 0 && strcmp(q->verb, "close") != 0)
		return ta_fail(
			err, TA_USAGE, "a circuit is opened or closed, not \"%.40s\"", q->verb);
	if (q->span && (!q->verb || strcmp(q->verb, "open") != 0))
		return ta_fail(err, TA_USAGE, "--for says how long a circuit is held open");
	if (q->span)
		rc = delivery_span(q->span, &span, err);
	q->until_us = span ? clock_now_us() + span : 0;
	return rc;
}

static enum ta_rc order(struct db *db, const struct asked *q, const struct table_row *row,
	struct arena *mem, const char **answer, struct ta_err *err)
{
	char args[120];
	struct command c = {.actor = audit_actor(), .kind = COMMAND_PIXEL_CIRCUIT, .args = args};
	snprintf(args, sizeof(args), "{\"pixel\":%lld,\"do\":\"%s\",\"until_us\":%lld}",
		(long long)row->id, q->verb, (long long)q->until_us);
	enum ta_rc rc = command_post(db, &c, err);
	return rc ? rc : command_wait(db, c.id, mem, answer, err);
}

static void print(const struct asked *q, const struct cmd_circuits *all,
	const struct table_row *row, const char *answer)
{
	struct buf b = BUF_INIT(1000);
	if (q->json) {
		json_t *o = cmd_circuit_json(all, row->id);
		json_object_set_new(o, "id", out_id(row->id));
		if (q->verb)
			json_object_set_new(o, "answer", json_string(answer));
		out_json(o);
	} else if (q->verb) {
		buf_addf(&b, "pixel %lld: %s", (long long)row->id, answer);
	} else {
		cmd_circuit_text(all, row->id, &b);
	}
	if (b.len) {
		struct buf clean = BUF_INIT(4000);
		out_clean(&clean, buf_str(&b));
		puts(strcmp(buf_str(&clean), "-") == 0 ? "closed" : buf_str(&clean));
		buf_release(&clean);
	}
	buf_release(&b);
}

int pixel_circuit(int argc, char **argv)
{
	struct asked q = {0};
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	struct table_row row;
	struct cmd_circuits all = {0};
	const char *answer = "";
	const struct opt opts[] = {{"for", OPT_STR, &q.span, "30m, 2h, 3d"},
		{"json", OPT_FLAG, &q.json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc)
		rc = check(&q, argc, argv, &err);
	if (!rc)
		rc = cmd_db_ready(WORD, &db, &err);
	if (!rc)
		rc = cmd_table_row(
			db, table_get("pixel"), argc > 2 ? argv[2] : NULL, &mem, &row, &err);
	if (!rc && q.verb)
		rc = order(db, &q, &row, &mem, &answer, &err);
	if (!rc)
		rc = cmd_circuits(db, &mem, &all, &err);
	if (!rc)
		print(&q, &all, &row, answer);
	db_close(db);
	arena_release(&mem);
	return rc ? cmd_fail(WORD, &err) : 0;
}
