/* trackai pixel test: a stored event through a pixel's live or draft settings. */
#include "db/audit.h"
#include "db/conn.h"
#include "db/find.h"
#include "db/pixel_test.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/cmd_pixel.h"
#include "src/cmd_table.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 32

struct line {
	const char *draft[FIELDS_MAX]; /* by field of table_pixel */
	const char *event;
	bool json;
};

/* The settings that a request depends on, as options. */
static enum ta_rc parse(
	int *argc, char **argv, struct line *l, struct arena *mem, struct ta_err *err)
{
	const struct table *t = table_get("pixel");
	struct opt opts[FIELDS_MAX + 3] = {{0}};
	size_t n = 0;
	TA_ASSERT(t->nfields <= FIELDS_MAX);
	for (size_t i = 0; i < t->nfields; i++)
		if (pixel_test_depends(t->fields[i].name))
			opts[n++] = (struct opt){cmd_option_name(mem, &t->fields[i]), OPT_STR,
				&l->draft[i], t->fields[i].help};
	opts[n++] = (struct opt){"event", OPT_STR, &l->event, "which; the newest that fits"};
	opts[n++] = (struct opt){"json", OPT_FLAG, &l->json, "one JSON value"};
	enum ta_rc rc = opt_parse(argc, argv, opts, err);
	for (size_t i = 0; !rc && i < t->nfields; i++)
		rc = cmd_field(&t->fields[i], mem, &l->draft[i], err);
	if (!rc && *argc > 3)
		rc = ta_fail(err, TA_USAGE,
			"\"%.40s\" is one word too many; see trackai help pixel", argv[3]);
	return rc;
}

static bool accepted(const struct pixel_test *r)
{
	return strncmp(r->verdict, "delivered", strlen("delivered")) == 0;
}

static void print_json(const struct pixel_test *r)
{
	out_json(json_pack("{s:o, s:s, s:s, s:o, s:s, s:s, s:b, s:o, s:o, s:i, s:I, s:o, s:s, s:s, "
			   "s:s, s:s, s:s, s:s}",
		"pixel", out_id(r->pixel_id), "name", r->name, "platform", r->platform, "event",
		out_id(r->event_id), "event_name", r->event_name, "wire_id", r->wire_id, "live",
		r->live, "at", out_time(r->at_us), "request", out_text(r->request, r->nrequest),
		"http", r->http, "ms", (json_int_t)r->ms, "answer", out_text(r->answer, r->nanswer),
		"class", r->class, "verdict", r->verdict, "code", r->code, "message", r->message,
		"trace", r->trace, "error", r->error));
}

/* Foreign text line by line, cleaned. */
static void print_text(const char *title, const char *text, size_t len)
{
	printf("\n%s\n", title);
	for (size_t i = 0; i < len;) {
		size_t n = 0;
		while (i + n < len && text[i + n] != '\n')
			n++;
		struct buf b = BUF_INIT(16u << 20);
		char *one = ta_asprintf("%.*s", (int)n, text + i);
		out_clean(&b, one);
		puts(buf_str(&b));
		buf_release(&b);
		free(one);
		i += n + 1;
	}
}

static void print_people(const struct pixel_test *r)
{
	char at[32];
	struct buf b = BUF_INIT(8192);
	clock_format(r->at_us, at);
	out_clean(&b, *r->message ? r->message : r->error);
	printf("event %lld as %s to pixel %d (%s), %s settings, %s\n", (long long)r->event_id,
		r->event_name, (int)r->pixel_id, r->name, r->live ? "live" : "draft", at);
	printf("HTTP %d in %lld ms: %s (%s%s%s)%s%s\n", r->http, (long long)r->ms, r->verdict,
		r->class, *r->code ? " " : "", r->code, b.len ? ": " : "", buf_str(&b));
	buf_release(&b);
	print_text("request", r->request, r->nrequest);
	print_text("answer", r->answer, r->nanswer);
}

static enum ta_rc run(struct db *db, const char *which, const struct line *l, struct arena *mem,
	struct pixel_test *out, struct ta_err *err)
{
	struct table_row row;
	struct pixel_test_ask ask = {.draft = l->draft};
	int64_t order = 0;
	enum ta_rc rc = cmd_table_row(db, table_get("pixel"), which, mem, &row, err);
	if (!rc && l->event)
		rc = find_event_id(db, l->event, &ask.event_id, err);
	if (rc)
		return rc;
	ask.pixel_id = (int32_t)row.id;
	rc = pixel_test_post(db, &ask, audit_actor(), &order, err);
	return rc ? rc : pixel_test_wait(db, order, mem, out, err);
}

int pixel_test(int argc, char **argv)
{
	struct line l = {0};
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	struct pixel_test r = {0};
	enum ta_rc rc = parse(&argc, argv, &l, &mem, &err);
	if (!rc)
		rc = cmd_db_ready("pixel", &db, &err);
	if (!rc)
		rc = run(db, argv[2], &l, &mem, &r, &err);
	if (!rc && l.json)
		print_json(&r);
	else if (!rc)
		print_people(&r);
	int status = rc ? cmd_fail("pixel test", &err) : !accepted(&r);
	db_close(db);
	arena_release(&mem);
	return status;
}
