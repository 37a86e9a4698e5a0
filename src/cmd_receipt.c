/* trackai receipt: what arrived and made no event. list shows failed receipts, refused requests or
 * repeats; show prints one with its body; replay has the router read failed ones again. */
#include "db/audit.h"
#include "db/command.h"
#include "db/receipt.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_LEN 32

static json_t *place_json(int16_t writer, int64_t id)
{
	char text[PLACE_LEN];
	if (!writer)
		return out_id(id);
	snprintf(text, sizeof(text), "%d/%lld", writer, (long long)id);
	return json_string(text);
}

static json_t *row_json(const struct receipt_row *v, enum receipt_kind kind)
{
	json_t *j = json_pack("{s:o, s:o, s:s, s:s, s:s}", "id", place_json(v->writer, v->id),
		"received_at", out_time(v->received_us),
		kind == RECEIPT_REFUSED ? "domain" : "store", v->store, "topic", v->topic, "remote",
		v->remote);
	if (kind == RECEIPT_REFUSED) {
		json_object_set_new(j, "reason", json_string(v->detail));
		return j;
	}
	json_object_set_new(j, "source", json_string(v->source));
	json_object_set_new(j, "webhook_id", json_string(v->webhook_id));
	if (kind == RECEIPT_REPEATS) {
		json_object_set_new(j, "first", place_json(v->first_writer, v->first_id));
		json_object_set_new(j, "differs", json_boolean(v->differs));
	} else {
		json_object_set_new(
			j, "failure", *v->failure ? json_string(v->failure) : json_null());
		json_object_set_new(j, "detail", json_string(v->detail));
	}
	return j;
}

static void print_list(const struct receipt_row *rows, size_t n, enum receipt_kind kind)
{
	static const char *const heads[][7] = {
		[RECEIPT_FAILED] = {"id", "received", "store", "source", "topic", "failure",
			"detail"},
		[RECEIPT_REFUSED] = {"id", "received", "domain", "remote", "topic", "reason", ""},
		[RECEIPT_REPEATS] = {"id", "received", "store", "source", "topic", "repeats",
			"body"},
	};
	struct out_table t = {0};
	for (size_t i = 0; i < 7 && *heads[kind][i]; i++)
		out_head(&t, heads[kind][i]);
	for (size_t i = 0; i < n; i++) {
		const struct receipt_row *v = &rows[i];
		char at[32];
		clock_format(v->received_us / US_PER_S * US_PER_S, at);
		if (v->writer)
			out_cellf(&t, "%d/%lld", v->writer, (long long)v->id);
		else
			out_cellf(&t, "%lld", (long long)v->id);
		out_cell(&t, at);
		out_cell(&t, v->store);
		out_cell(&t, kind == RECEIPT_REFUSED ? v->remote : v->source);
		out_cell(&t, v->topic);
		if (kind == RECEIPT_FAILED)
			out_cell(&t, v->failure);
		else if (kind == RECEIPT_REPEATS)
			out_cellf(&t, "%d/%lld", v->first_writer, (long long)v->first_id);
		if (kind == RECEIPT_REPEATS)
			out_cell(&t, v->differs ? "differs" : "the same");
		else
			out_cell(&t, v->detail);
	}
	out_print(&t);
}

struct asked {
	bool failed, refused, repeats, json;
	const char *since;
	long limit;
};

static enum ta_rc read_options(int *argc, char **argv, int words, struct asked *v,
	struct receipt_query *q, struct ta_err *err)
{
	const struct opt opts[] = {{"failed", OPT_FLAG, &v->failed, "what made no event"},
		{"refused", OPT_FLAG, &v->refused, "requests with a wrong signature"},
		{"repeats", OPT_FLAG, &v->repeats, "what had been stored before"},
		{"since", OPT_STR, &v->since, "10:31, -2h, yesterday or RFC 3339"},
		{"limit", OPT_INT, &v->limit, "at most so many"},
		{"json", OPT_FLAG, &v->json, "one JSON value"}, {0}};
	v->limit = 50;
	enum ta_rc rc = opt_parse(argc, argv, opts, err);
	if (!rc && v->failed + v->refused + v->repeats > 1)
		rc = ta_fail(err, TA_USAGE, "--failed, --refused, --repeats: one of them");
	if (!rc && (v->limit < 1 || v->limit > 100000))
		rc = ta_fail(err, TA_USAGE, "--limit: %ld is not between 1 and 100000", v->limit);
	if (!rc && *argc > words)
		rc = ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[words]);
	if (!rc && v->since && clock_parse_when(v->since, &q->since_us, err))
		rc = ta_err_prefix(err, "--since");
	q->kind = v->refused ? RECEIPT_REFUSED : v->repeats ? RECEIPT_REPEATS : RECEIPT_FAILED;
	q->limit = v->limit;
	return rc;
}

static enum ta_rc run_list(struct db *db, const struct receipt_query *q, bool json, struct arena *a,
	struct ta_err *err)
{
	struct receipt_row *rows = NULL;
	size_t n = 0;
	enum ta_rc rc = receipt_list(db, q, a, &rows, &n, err);
	if (rc)
		return rc;
	if (!json) {
		print_list(rows, n, q->kind);
		return TA_OK;
	}
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, row_json(&rows[i], q->kind));
	out_json(all);
	return TA_OK;
}

static enum ta_rc run_show(
	struct db *db, const char *which, bool json, struct arena *a, struct ta_err *err)
{
	struct receipt_row v;
	int16_t writer;
	int64_t id;
	enum ta_rc rc = receipt_place(db, which, &writer, &id, err);
	if (!rc)
		rc = receipt_get(db, writer, id, a, &v, err);
	if (rc)
		return rc;
	if (json) {
		json_t *j = row_json(&v, RECEIPT_FAILED);
		json_object_set_new(j, "body", v.body ? out_text(v.body, v.nbody) : json_null());
		out_json(j);
		return TA_OK;
	}
	print_list(&v, 1, RECEIPT_FAILED);
	struct buf b = BUF_INIT(16u << 20);
	if (v.body)
		out_clean(&b, v.body);
	printf("\n%s\n", v.body ? buf_str(&b) : "its body is not kept any more");
	buf_release(&b);
	return TA_OK;
}

/* One order to the router and its answer; a receipt that fails again is no error of ours. */
static enum ta_rc replay(struct db *db, int16_t writer, int64_t id, struct arena *a,
	const char **answer, struct ta_err *err)
{
	char args[96];
	snprintf(args, sizeof(args), "{\"writer\":%d,\"id\":%lld}", writer, (long long)id);
	struct command c = {.actor = audit_actor(), .kind = COMMAND_RECEIPT_REPLAY, .args = args};
	enum ta_rc rc = command_post(db, &c, err);
	return rc ? rc : command_wait(db, c.id, a, answer, err);
}

static enum ta_rc run_replay(
	struct db *db, const char *which, bool json, struct arena *a, struct ta_err *err)
{
	int16_t writer;
	int64_t id;
	const char *answer = "";
	enum ta_rc rc = receipt_place(db, which, &writer, &id, err);
	if (!rc)
		rc = replay(db, writer, id, a, &answer, err);
	if (!rc && json)
		out_json(json_pack("{s:o, s:s}", "id", place_json(writer, id), "answer", answer));
	else if (!rc)
		printf("receipt %d/%lld: %s\n", writer, (long long)id, answer);
	return rc;
}

int cmd_receipt(int argc, char **argv)
{
	static const char *const verbs[] = {"list", "show", "replay"};
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena a = ARENA_INIT;
	struct asked asked = {0};
	struct receipt_query q = {0};
	size_t verb = 0;
	while (argc > 1 && verb < TA_COUNT(verbs) && strcmp(verbs[verb], argv[1]) != 0)
		verb++;
	if (argc < 2 || verb == TA_COUNT(verbs))
		return cmd_verb_fail(argc, argv);
	enum ta_rc rc = read_options(&argc, argv, verb ? 3 : 2, &asked, &q, &err);
	if (!rc && verb && argc < 3)
		rc = ta_fail(&err, TA_USAGE, "which receipt? trackai receipt list shows them");
	if (!rc)
		rc = cmd_db_ready("receipt", &db, &err);
	if (!rc && verb == 0)
		rc = run_list(db, &q, asked.json, &a, &err);
	else if (!rc && verb == 1)
		rc = run_show(db, argv[2], asked.json, &a, &err);
	else if (!rc)
		rc = run_replay(db, argv[2], asked.json, &a, &err);
	int status = rc ? cmd_fail("receipt", &err) : 0;
	db_close(db);
	arena_release(&a);
	return status;
}
