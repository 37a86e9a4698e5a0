/* trackai bundle: one file about an incident for somebody who cannot look into this installation.
 * One JSON document, indented, with the summary first: people read it from the top, programs parse
 * it whole. Nobody and no secret is in it (src/redact.h). */
#include "db/conn.h"
#include "db/find.h"
#include "db/incident.h"
#include "db/ledger.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_event.h"
#include "src/cmd_out.h"
#include "src/cmd_table.h"
#include "src/conf.h"
#include "src/crypto.h"
#include "src/opt.h"
#include "src/redact.h"
#include "src/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT     1
#define EVENTS     20 /* of a pixel, without --events */
#define EVENTS_MAX 200
#define AROUND_US  (5 * 60 * US_PER_S)
#define TEXT_MAX   (32 << 10)  /* bytes of one request or answer */
#define FILE_MAX   (16u << 20) /* events are left out behind that */
#define LOG_LINES  400
#define LINE_BYTES 4096

struct bundle {
	const char *event, *pixel, *since, *until, *out;
	long limit;
	struct db *db;
	struct arena mem;
	struct incident in;
	json_t *root, *cut, *events;
	size_t bytes;
};

static void say_cut(struct bundle *b, const char *text)
{
	json_array_append_new(b->cut, json_string(text));
}

/* Which events, which pixels, which time ------------------------------------------------------- */

static void widen(struct bundle *b, int64_t us)
{
	struct incident *in = &b->in;
	in->from_us = TA_MIN(in->from_us, us);
	in->to_us = TA_MAX(in->to_us, us);
}

/* From a while before the event came to a while behind the last that happened to it. */
static enum ta_rc around_event(struct bundle *b, struct ta_err *err)
{
	struct find_event e = {0};
	int64_t id;
	enum ta_rc rc = find_event_id(b->db, b->event, &id, err);
	if (!rc)
		rc = find_event(b->db, id, &b->mem, &e, err);
	if (rc)
		return rc;
	int64_t *ids = arena_alloc(&b->mem, sizeof(*ids));
	int32_t *pixels = arena_alloc(&b->mem, (e.n + 1) * sizeof(*pixels));
	*ids = id;
	b->in = (struct incident){.events = ids, .nevents = 1, .pixels = pixels};
	b->in.from_us = b->in.to_us = e.received_us;
	for (size_t i = 0; i < e.n; i++) {
		pixels[b->in.npixels++] = e.deliveries[i].pixel_id;
		for (size_t k = 0; k < e.deliveries[i].nattempts; k++)
			widen(b, e.deliveries[i].attempts[k].at_us);
	}
	b->in.from_us -= AROUND_US;
	b->in.to_us += AROUND_US;
	return TA_OK;
}

static enum ta_rc of_pixel(struct bundle *b, struct ta_err *err)
{
	struct table_row row = {0};
	int32_t *pixel = arena_alloc(&b->mem, sizeof(*pixel));
	struct incident_found found = {0};
	int64_t now = clock_now_us();
	enum ta_rc rc = table_find(b->db, table_get("pixel"), b->pixel, &b->mem, &row, err);
	b->in = (struct incident){.pixels = pixel,
		.npixels = 1,
		.from_us = now - 3600 * US_PER_S,
		.to_us = now + AROUND_US};
	*pixel = (int32_t)row.id;
	if (!rc && b->since && clock_parse_when(b->since, &b->in.from_us, err))
		rc = ta_err_prefix(err, "--since");
	if (!rc && b->until && clock_parse_when(b->until, &b->in.to_us, err))
		rc = ta_err_prefix(err, "--until");
	if (!rc && b->in.from_us >= b->in.to_us)
		rc = ta_fail(err, TA_USAGE, "--since lies behind --until");
	if (!rc)
		rc = incident_events(b->db, &b->in, &b->mem, (size_t)b->limit, &found, err);
	b->in.events = found.ids;
	b->in.nevents = found.n;
	if (!rc && found.total > (int64_t)found.n)
		say_cut(b, arena_fmt(&b->mem,
				   "events: %zu of %lld; failed ones first, --events takes more",
				   found.n, (long long)found.total));
	return rc;
}

/* Events --------------------------------------------------------------------------------------- */

/* A request or answer as JSON where it is some, cut where it is very long. */
static json_t *payload(struct bundle *b, const json_t *text)
{
	const char *s = json_string_value(text);
	size_t n = s ? json_string_length(text) : 0;
	json_t *j = s ? json_loadb(s, n, 0, NULL) : NULL;
	if (n <= TEXT_MAX)
		return j ? j : s ? json_string(s) : json_null();
	json_decref(j);
	say_cut(b, arena_fmt(&b->mem, "a payload of %zu bytes, the first %d", n, TEXT_MAX));
	return out_text(s, TEXT_MAX);
}

static void unfold_attempts(struct bundle *b, json_t *event)
{
	static const char *const names[] = {"request", "response"};
	size_t i, k;
	json_t *d, *t;
	json_array_foreach(json_object_get(event, "deliveries"), i, d)
		json_array_foreach(json_object_get(d, "attempts"), k,
			t) for (size_t m = 0; m < TA_COUNT(names); m++)(void)
			json_object_set_new(t, names[m], payload(b, json_object_get(t, names[m])));
}

static enum ta_rc add_event(struct bundle *b, int64_t id, struct ta_err *err)
{
	struct arena mem = ARENA_INIT;
	struct find_event e = {0};
	json_t *j = NULL;
	enum ta_rc rc = find_event(b->db, id, &mem, &e, err);
	if (!rc)
		rc = find_exchanges(b->db, &mem, &e, err);
	if (!rc)
		rc = event_show_json(b->db, &e, &j, err);
	if (!rc) {
		unfold_attempts(b, j);
		b->bytes += json_dumpb(j, NULL, 0, JSON_INDENT(1));
		if (b->bytes <= FILE_MAX)
			json_array_append(b->events, j);
	}
	json_decref(j);
	arena_release(&mem);
	return rc;
}

static enum ta_rc add_events(struct bundle *b, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	size_t i = 0;
	for (; !rc && i < b->in.nevents && b->bytes <= FILE_MAX; i++)
		rc = add_event(b, b->in.events[i], err);
	size_t shown = json_array_size(b->events);
	if (!rc && shown < b->in.nevents)
		say_cut(b, arena_fmt(&b->mem, "events: the first %zu, as the file is full", shown));
	return rc;
}

/* Around them ---------------------------------------------------------------------------------- */

static enum ta_rc add_ledger(struct bundle *b, struct ta_err *err)
{
	struct ledger l = {0};
	json_t *all = json_array();
	enum ta_rc rc = ledger_read(b->db, false, &b->mem, &l, err);
	for (size_t i = 0; !rc && i < l.n; i++) {
		json_t *d = json_object();
		bool ours = false;
		for (size_t k = 0; k < b->in.npixels; k++)
			ours = ours || b->in.pixels[k] == l.rows[i].pixel_id;
		for (int s = 0; s < DISP_COUNT; s++)
			if (l.rows[i].book.n[s])
				json_object_set_new(
					d, disposition_word(s), json_integer(l.rows[i].book.n[s]));
		json_t *row = json_pack("{s:s, s:s, s:I, s:o, s:I}", "store", l.rows[i].store,
			"pixel", l.rows[i].pixel, "events", (json_int_t)l.rows[i].book.events,
			"dispositions", d, "balance", (json_int_t)ledger_balance(&l.rows[i].book));
		if (ours)
			json_array_append(all, row);
		json_decref(row);
	}
	json_object_set_new(b->root, "ledger", all);
	return rc;
}

/* The instant at the beginning of a log line, 0 when there is none. */
static int64_t line_us(const char *line)
{
	char at[40];
	int64_t us;
	size_t n = strcspn(line, " ");
	if (n >= sizeof(at))
		return 0;
	memcpy(at, line, n);
	at[n] = '\0';
	return clock_parse(at, &us) ? us : 0;
}

/* The last lines of the time around; there is no log where `serve` runs elsewhere. */
static void add_log(struct bundle *b)
{
	char path[700], line[LINE_BYTES];
	json_t *all = json_array();
	size_t dropped = 0;
	snprintf(path, sizeof(path), "%.580s/log/trackai.log", conf_data_dir());
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		int64_t us = line_us(line);
		if (us < b->in.from_us - AROUND_US || us > b->in.to_us + AROUND_US)
			continue;
		json_array_append_new(all, out_text(line, strcspn(line, "\n")));
		if (json_array_size(all) > LOG_LINES && ++dropped)
			json_array_remove(all, 0);
	}
	if (!f)
		say_cut(b, arena_fmt(&b->mem, "log: none at %.500s", path));
	else
		fclose(f);
	if (dropped)
		say_cut(b, arena_fmt(&b->mem, "log: the last %d lines of the time, %zu before them",
				   LOG_LINES, dropped));
	json_object_set_new(b->root, "log", all);
}

/* The summary ---------------------------------------------------------------------------------- */

/* "purchase #1001 (id): pinterest delivered, meta rejected: platform: its words" */
static void sum_event(struct bundle *b, json_t *lines, const json_t *e)
{
	struct buf t = BUF_INIT(8192);
	size_t i;
	json_t *d;
	buf_addf(&t, "%s %s (%s):", json_string_value(json_object_get(e, "name")),
		json_string_value(json_object_get(e, "label")),
		json_string_value(json_object_get(e, "id")));
	json_array_foreach(json_object_get(e, "deliveries"), i, d)
		buf_addf(&t, "%s %s %s (%s) after %zu attempts: %.200s", i ? ";" : "",
			json_string_value(json_object_get(d, "pixel")),
			json_string_value(json_object_get(d, "disposition")),
			json_string_value(json_object_get(d, "reason")),
			json_array_size(json_object_get(d, "attempts")),
			json_string_value(json_object_get(d, "detail")));
	json_array_append_new(lines, out_text(buf_str(&t), t.len));
	buf_release(&t);
	(void)b;
}

static json_t *summary(struct bundle *b)
{
	json_t *lines = json_array(), *row;
	size_t i;
	json_array_append_new(lines,
		json_string(b->event ? "One event, what was decided and sent of it, and what stood "
				       "around it."
				     : "One pixel: events of the time, failed ones first, and what "
				       "stood around them."));
	json_array_foreach(json_object_get(b->root, "pixels"), i, row)
	{
		const char *why = json_string_value(json_object_get(row, "state_reason"));
		json_array_append_new(
			lines, json_string(arena_fmt(&b->mem, "pixel %s (%s) is %s%s%s",
				       json_string_value(json_object_get(row, "name")),
				       json_string_value(json_object_get(row, "platform")),
				       json_string_value(json_object_get(row, "state")),
				       why && *why ? ": " : "", why ? why : "")));
	}
	json_array_foreach(b->events, i, row) if (i < 10) sum_event(b, lines, row);
	return lines;
}

static json_t *head(const struct bundle *b)
{
	return json_pack("{s:i, s:o, s:s, s:o, s:o, s:s}", "format", FORMAT, "made",
		out_time(clock_now_us()), "program", TA_VERSION, "from", out_time(b->in.from_us),
		"to", out_time(b->in.to_us), "redaction",
		"no token or secret is stored in what this was made of; what identifies people reads "
		"<kind:digits>, equal digits are equal values within this file and mean nothing "
		"outside; raw bodies of webhooks are left out");
}

/* Everything, in the order it is read in. */
static enum ta_rc collect(struct bundle *b, struct ta_err *err)
{
	json_t *around = json_object(), *value;
	const char *name;
	enum ta_rc rc = b->event ? around_event(b, err) : of_pixel(b, err);
	if (!rc)
		rc = add_events(b, err);
	if (!rc)
		rc = incident_read(b->db, &b->in, around, b->cut, err);
	if (!rc) {
		json_object_set_new(b->root, "bundle", head(b));
		json_object_set_new(b->root, "summary", json_null());
		json_object_set(b->root, "cut", b->cut);
		json_object_set(b->root, "events", b->events);
		json_object_foreach(around, name, value) json_object_set(b->root, name, value);
		rc = add_ledger(b, err);
	}
	if (!rc) {
		add_log(b);
		json_object_set_new(b->root, "summary", summary(b));
	}
	json_decref(around);
	return rc;
}

/* People out, file out ------------------------------------------------------------------------- */

static void redact(struct bundle *b)
{
	uint8_t key[REDACT_KEY_LEN];
	crypto_random(key, sizeof(key));
	struct redact *r = redact_new(key);
	crypto_wipe(key, sizeof(key));
	redact_learn(r, b->root);
	redact_apply(r, b->root);
	redact_free(r);
}

static enum ta_rc write_file(const struct bundle *b, struct ta_err *err)
{
	char *text = json_dumps(b->root, JSON_INDENT(1));
	size_t n = strlen(text);
	int fd = b->out ? open(b->out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	enum ta_rc rc = TA_OK;
	if (b->out && fd < 0)
		rc = errno == EEXIST ? ta_fail(err, TA_CONFLICT,
					       "%.150s is there already; name another file", b->out)
				     : ta_fail_os(err, "cannot write %.150s", b->out);
	for (size_t at = 0; !rc && fd >= 0 && at < n;) {
		ssize_t k = write(fd, text + at, n - at);
		if (k < 0 && errno != EINTR)
			rc = ta_fail_os(err, "cannot write %.150s", b->out);
		at += k > 0 ? (size_t)k : 0;
	}
	if (fd >= 0 && close(fd) && !rc)
		rc = ta_fail_os(err, "cannot write %.150s", b->out);
	if (!b->out)
		puts(text);
	else if (!rc)
		printf("%s: %zu events, %zu KiB; no secrets, people are masked\n", b->out,
			json_array_size(b->events), (n + 1023) / 1024);
	free(text);
	return rc;
}

static enum ta_rc read_options(struct bundle *b, int argc, char **argv, struct ta_err *err)
{
	static char output[] = "--output"; /* the one short option of the program */
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-o") == 0)
			argv[i] = output;
	const struct opt opts[] = {{"pixel", OPT_STR, &b->pixel, "of this pixel"},
		{"since", OPT_STR, &b->since, "with --pixel: events received from then on"},
		{"until", OPT_STR, &b->until, "with --pixel: and not later"},
		{"events", OPT_INT, &b->limit, "with --pixel: at most so many"},
		{"output", OPT_STR, &b->out, "the file to write, which must not exist"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, err);
	if (!rc && argc > 2)
		rc = ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[2]);
	if (!rc && (argc == 2) == (b->pixel != NULL))
		rc = ta_fail(err, TA_USAGE,
			"of what? Give an event's id, or --pixel; trackai event list shows events");
	b->event = argc == 2 ? argv[1] : NULL;
	if (!rc && b->event && (b->since || b->until))
		rc = ta_fail(err, TA_USAGE, "--since and --until go with --pixel");
	if (!rc && (b->limit < 1 || b->limit > EVENTS_MAX))
		rc = ta_fail(err, TA_USAGE, "--events: between 1 and %d", EVENTS_MAX);
	return rc;
}

int cmd_bundle(int argc, char **argv)
{
	struct ta_err err = {0};
	struct bundle b = {.limit = EVENTS,
		.root = json_object(),
		.cut = json_array(),
		.events = json_array()};
	enum ta_rc rc = read_options(&b, argc, argv, &err);
	if (!rc)
		rc = cmd_db_ready("bundle", &b.db, &err);
	if (!rc)
		rc = collect(&b, &err);
	if (!rc) {
		redact(&b);
		rc = write_file(&b, &err);
	}
	json_decref(b.root);
	json_decref(b.cut);
	json_decref(b.events);
	db_close(b.db);
	arena_release(&b.mem);
	return rc ? cmd_fail("bundle", &err) : 0;
}
