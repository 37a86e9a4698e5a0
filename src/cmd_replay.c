/* trackai delivery replay: final deliveries go out again. Without --yes it only says what would
 * happen. */
#include "src/cmd_replay.h"

#include "db/audit.h"
#include "db/command.h"
#include "db/conn.h"
#include "db/table.h"
#include "net/replay_dest.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_delivery.h"
#include "src/cmd_out.h"
#include "src/cmd_table.h"
#include "src/buf.h"
#include "src/opt.h"
#include "src/rule.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct replay {
	const char *ids, *since, *until, *pixel;
	long rate, examples;
	bool pinned, current, yes, verify, json, tty;
	struct arena mem;
	struct replay_ask ask;
	struct replay_plan plan;
	struct replay_order order;
	const char *answer;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static bool pause_at(void *arg, int64_t events, int64_t reached_us)
{
	const struct replay *r = arg;
	char at[32];
	if (r->tty)
		fprintf(stderr, "\r%lld events, at %s", (long long)events,
			delivery_at(reached_us, at));
	return interrupted != 0;
}

/* Options ---------------------------------------------------------------------------------------
 */

static enum ta_rc check_where(struct replay *r, struct ta_err *err)
{
	struct rule_prog *prog = NULL;
	size_t at = 0;
	enum ta_rc rc = rule_compile_event(&r->mem, r->ask.where, &prog, &at, err);
	if (rc) {
		struct buf b = BUF_INIT(3 * RULE_MAX_SIZE);
		rule_caret(&b, r->ask.where, at);
		fprintf(stderr, "%s\n", buf_str(&b));
		buf_release(&b);
	}
	return rc;
}

static enum ta_rc check_options(struct replay *r, struct ta_err *err)
{
	const struct replay_ask *ask = &r->ask;
	if (r->pinned && r->current)
		return ta_fail(err, TA_USAGE, "--pinned or --current, not both");
	if (ask->duplicates && ask->skip_duplicates)
		return ta_fail(err, TA_USAGE, "--allow-duplicates or --skip-duplicates, not both");
	if (r->rate < 0 || r->rate > REPLAY_RATE_MAX)
		return ta_fail(
			err, TA_USAGE, "--rate: from 1 to %d, 0 for no limit", REPLAY_RATE_MAX);
	if (r->examples < 0 || r->examples > 1000)
		return ta_fail(err, TA_USAGE, "--examples: from 0 to 1000");
	if (!r->verify && !r->ids && !ask->where && !r->since && !r->until && !r->pixel)
		return ta_fail(err, TA_USAGE,
			"say which: --ids EVENT[/PIXEL],… or --where EXPR, --since T, --until T, "
			"--pixel P");
	if (r->ids && (r->since || r->until || ask->where))
		return ta_fail(err, TA_USAGE, "--ids says all: no --where, --since or --until");
	return TA_OK;
}

static enum ta_rc read_options(struct replay *r, int *argc, char **argv, struct ta_err *err)
{
	struct replay_ask *ask = &r->ask;
	const struct opt opts[] = {
		{"ids", OPT_STR, &r->ids, "EVENT[/PIXEL],…, @FILE or - for standard input"},
		{"where", OPT_STR, &ask->where, "an expression"},
		{"since", OPT_STR, &r->since, "10:31, -2h, yesterday or RFC 3339"},
		{"until", OPT_STR, &r->until, "the same"},
		{"pixel", OPT_STR, &r->pixel, "only at this pixel"},
		{"pinned", OPT_FLAG, &r->pinned, "the versions they were sent with"},
		{"current", OPT_FLAG, &r->current, "what is in force now (the default)"},
		{"rate", OPT_INT, &r->rate, "events a second and pixel, 0: no limit"},
		{"allow-late", OPT_FLAG, &ask->late, "also what is too old"},
		{"allow-duplicates", OPT_FLAG, &ask->duplicates, "also what is counted twice"},
		{"skip-duplicates", OPT_FLAG, &ask->skip_duplicates, "leave those out"},
		{"examples", OPT_INT, &r->examples, "so many of each pixel"},
		{"yes", OPT_FLAG, &r->yes, "start it"},
		{"verify", OPT_FLAG, &r->verify, "compare what we would build with what was sent"},
		{"json", OPT_FLAG, &r->json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(argc, argv, opts, err);
	if (!rc && *argc > 1)
		rc = ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc)
		rc = check_options(r, err);
	if (!rc && r->since && clock_parse_when(r->since, &ask->since_us, err))
		rc = ta_err_prefix(err, "--since");
	if (!rc && r->until && clock_parse_when(r->until, &ask->until_us, err))
		rc = ta_err_prefix(err, "--until");
	if (!rc && ask->where)
		rc = check_where(r, err);
	ask->mode = r->pinned ? REPLAY_PINNED : REPLAY_CURRENT;
	ask->rate = (int32_t)r->rate;
	ask->max_examples = (size_t)r->examples;
	ask->dests = replay_dests();
	ask->pause = pause_at;
	ask->arg = r;
	return rc;
}

static enum ta_rc read_selection(struct replay *r, struct db *db, struct ta_err *err)
{
	struct table_row row;
	struct replay_picks picks = {0};
	enum ta_rc rc = TA_OK;
	if (r->pixel) {
		rc = cmd_table_row(db, &table_pixel, r->pixel, &r->mem, &row, err);
		r->ask.pixel_id = rc ? 0 : (int32_t)row.id;
	}
	if (!rc && r->ids) {
		rc = replay_read_ids(db, r->ids, &r->mem, &picks, err);
		r->ask.picks = picks.v;
		r->ask.npicks = picks.n;
	}
	return rc;
}

/* Verifying -------------------------------------------------------------------------------------
 */

static int print_verified(const struct replay *r, const struct replay_verified *v)
{
	json_t *first = json_array();
	for (size_t i = 0; i < v->nfirst; i++)
		json_array_append_new(first,
			json_pack("{s:o, s:o, s:i, s:i}", "event", out_id(v->first[i].event_id),
				"pixel", out_id(v->first[i].pixel_id), "run", v->first[i].run,
				"attempt", v->first[i].attempt));
	if (r->json) {
		out_json(json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "complete",
			!v->stopped, "events", (json_int_t)v->events, "deliveries",
			(json_int_t)v->deliveries, "sendings", (json_int_t)v->sendings, "same",
			(json_int_t)v->same, "differ", (json_int_t)v->differ, "unknown",
			(json_int_t)v->unknown, "first", first));
	} else {
		printf("%lld sendings of %lld deliveries of %lld events: %lld byte for byte as "
		       "they were sent, %lld differ, %lld cannot be rebuilt\n",
			(long long)v->sendings, (long long)v->deliveries, (long long)v->events,
			(long long)v->same, (long long)v->differ, (long long)v->unknown);
		for (size_t i = 0; i < v->nfirst; i++)
			printf("event %lld at pixel %d, run %d, attempt %d differs\n",
				(long long)v->first[i].event_id, (int)v->first[i].pixel_id,
				v->first[i].run, v->first[i].attempt);
		json_decref(first);
	}
	return v->differ || v->unknown || v->stopped ? 1 : 0;
}

/* Running ---------------------------------------------------------------------------------------
 */

static enum ta_rc start(struct replay *r, struct db *db, struct ta_err *err)
{
	r->answer = "";
	enum ta_rc rc = replay_start(db, &r->ask, &r->plan, audit_actor(), &r->order, err);
	return rc ? rc : command_wait(db, r->order.command, &r->mem, &r->answer, err);
}

static void print(const struct replay *r)
{
	if (r->json) {
		json_t *o = replay_plan_json(&r->ask, &r->plan);
		json_object_set_new(o, "replay", r->order.id ? out_id(r->order.id) : json_null());
		out_json(o);
		return;
	}
	replay_plan_print(&r->ask, &r->plan);
	if (r->order.id && r->answer && *r->answer)
		printf("%s; `trackai delivery replay show %lld` says how far it is\n", r->answer,
			(long long)r->order.id);
	else if (r->plan.send && !r->yes)
		puts("nothing was sent: --yes starts it");
}

static int replay(int argc, char **argv)
{
	struct replay r = {.rate = REPLAY_RATE, .examples = 3};
	struct replay_verified verified = {0};
	struct ta_err err = {0};
	struct db *db = NULL;
	const struct sigaction on_int = {.sa_handler = interrupt};
	enum ta_rc rc = read_options(&r, &argc, argv, &err);
	r.tty = isatty(STDERR_FILENO) == 1;
	(void)sigaction(SIGINT, &on_int, NULL);
	if (!rc)
		rc = cmd_db_ready("replay", &db, &err);
	if (!rc)
		rc = read_selection(&r, db, &err);
	if (!rc && r.verify)
		rc = replay_verify(db, &r.ask, &verified, &err);
	else if (!rc)
		rc = replay_plan(db, &r.ask, &r.plan, &err);
	if (r.tty)
		fputs("\r\033[K", stderr);
	bool planned = !rc && !r.verify;
	if (planned && r.yes)
		rc = start(&r, db, &err);
	if (planned)
		print(&r);
	int status = rc         ? cmd_fail("delivery replay", &err)
		     : r.verify ? print_verified(&r, &verified)
				: r.plan.stopped;
	replay_plan_release(&r.plan);
	db_close(db);
	arena_release(&r.mem);
	return status;
}

int delivery_replay(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "list") == 0)
		return replay_cmd_list(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "show") == 0)
		return replay_cmd_show(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "cancel") == 0)
		return replay_cmd_cancel(argc - 1, argv + 1);
	return replay(argc, argv);
}
