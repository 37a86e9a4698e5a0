/* trackai health: what the folder judged of each pixel last, and of one pixel why it is so. */
#include "db/conn.h"
#include "db/health.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_health_part.h"
#include "src/cmd_out.h"
#include "src/cmd_pixel.h"
#include "src/cmd_why.h"
#include "src/opt.h"

#include <stdio.h>

#define STALE_US (180 * US_PER_S)

/* What of all pixels is shown, and of one. */
struct shown {
	struct cmd_circuits circuits;
	struct why why;
	struct health_detail detail;
};

static void print_json(const struct health_row *rows, size_t n, const struct shown *s)
{
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct health *h = &rows[i].health;
		json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "store", rows[i].store,
			"pixel", rows[i].pixel, "platform", rows[i].platform, "status",
			health_status_word(h->worst), "cause", health_word(h->cause), "judged",
			out_time(rows[i].at_us));
		json_object_set_new(o, "parts", health_parts_json(&rows[i]));
		json_object_set_new(o, "circuit", cmd_circuit_json(&s->circuits, rows[i].pixel_id));
		if (s->why.found)
			json_object_set_new(o, "causes", why_json(&s->why));
		if (s->detail.row)
			health_detail_json(o, &s->detail);
		json_array_append_new(all, o);
	}
	out_json(all);
}

static void print_all(const struct health_row *rows, size_t n)
{
	struct out_table t = {0};
	out_head(&t, "store");
	out_head(&t, "pixel");
	out_head(&t, "health");
	out_head(&t, "cause");
	out_head(&t, "why");
	for (size_t i = 0; i < n; i++) {
		const struct health *h = &rows[i].health;
		out_cell(&t, rows[i].store);
		out_cell(&t, rows[i].pixel);
		out_cell(&t, health_status_word(h->worst));
		out_cell(&t, h->worst >= HEALTH_WARN ? health_word(h->cause) : "-");
		out_cell(&t, h->worst >= HEALTH_WARN ? h->part[h->cause].why : "-");
	}
	out_print(&t);
}

static void print_one(const struct health_row *row, const struct shown *s)
{
	struct buf circuit = BUF_INIT(1000);
	cmd_circuit_text(&s->circuits, row->pixel_id, &circuit);
	health_parts_print(row, buf_str(&circuit));
	buf_release(&circuit);
	health_detail_print(&s->detail);
	why_print(&s->why);
}

/* Exit status: 1 when a pixel is critical; who is told old news hears that too. */
static int verdict(const struct health_row *rows, size_t n)
{
	int64_t newest = 0, now = clock_now_us();
	int critical = 0;
	for (size_t i = 0; i < n; i++) {
		newest = rows[i].at_us > newest ? rows[i].at_us : newest;
		critical |= rows[i].health.worst == HEALTH_CRIT;
	}
	if (n && !newest)
		fprintf(stderr,
			"trackai health: nothing was judged yet; the folder of trackai serve "
			"does it\n");
	else if (n && now - newest > STALE_US)
		fprintf(stderr,
			"trackai health: judged %lld min ago; the folder of trackai serve does it, "
			"trackai status says whether it runs\n",
			(long long)((now - newest) / (60 * US_PER_S)));
	return critical;
}

int cmd_health(int argc, char **argv)
{
	bool json = false;
	const char *code = NULL;
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	struct health_row *rows = NULL;
	struct shown shown = {0};
	size_t n = 0;
	int status = 0;
	const struct opt opts[] = {{"json", OPT_FLAG, &json, "one JSON value"},
		{"code", OPT_STR, &code, "what a platform's code means: meta:190/463"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && code) {
		rc = why_code(code, json, &err);
		return rc ? cmd_fail("health", &err) : 0;
	}
	if (!rc && argc > 2)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[2]);
	if (!rc)
		rc = cmd_db_ready("health", &db, &err);
	if (!rc)
		rc = health_read(db, argc > 1 ? argv[1] : NULL, &mem, &rows, &n, &err);
	if (!rc)
		rc = cmd_circuits(db, &mem, &shown.circuits, &err);
	if (!rc && argc > 1 && n == 1)
		rc = why_read(db, rows, &mem, &shown.why, &err);
	if (!rc && argc > 1 && n == 1)
		rc = health_detail_read(db, rows, &mem, &shown.detail, &err);
	if (!rc) {
		if (json)
			print_json(rows, n, &shown);
		else if (shown.why.found)
			print_one(rows, &shown);
		else
			print_all(rows, n);
		status = verdict(rows, n);
	}
	db_close(db);
	arena_release(&mem);
	return rc ? cmd_fail("health", &err) : status;
}
