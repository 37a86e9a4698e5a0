/* trackai event show ID: the event, each delivery with its explanation, each exchange. */
#include "db/conn.h"
#include "db/find.h"
#include "db/rules.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_event.h"
#include "src/cmd_event_diff.h"
#include "src/cmd_out.h"
#include "src/crypto.h"
#include "src/explain.h"
#include "src/json_cut.h"
#include "src/opt.h"
#include "src/provenance.h"

#include <stdio.h>
#include <string.h>

/* One predicate: the rule it belongs to, what the rule came to, and what it saw. */
static void add_step(json_t *all, const struct explain_rule *r, const struct rule_step *s)
{
	json_t *seen = s->seen ? json_loads(s->seen, JSON_DECODE_ANY, NULL) : NULL;
	json_t *o = json_pack("{s:o, s:s, s:s, s:s, s:o, s:b}", "rule", out_id(r->rule->id), "name",
		r->rule->name, "outcome", explain_word(r->result), "predicate", s->predicate,
		"seen", seen ? seen : json_null(), "result", s->result);
	if (s->why)
		json_object_set_new(o, "why", json_string(s->why));
	if (r->rule->shadow)
		json_object_set_new(o, "shadow", json_true());
	json_array_append_new(all, o);
}

/* Every predicate that was looked at, with the rule it belongs to; a rule without a condition is
 * one step. */
static void add_steps(json_t *all, const struct explain_rule *r)
{
	if (r->result == EXPLAIN_NOT_REACHED)
		return;
	if (r->trace.n == 0)
		add_step(all, r,
			&(struct rule_step){.predicate = r->rule->expr,
				.why = r->fault ? explain_why(r) : NULL,
				.result =
					r->result == EXPLAIN_MATCH || r->result == EXPLAIN_SHADOW});
	for (size_t i = 0; i < r->trace.n; i++)
		add_step(all, r, &r->trace.steps[i]);
	if (r->trace.n && r->fault >= RULE_FAULT_TARGET)
		add_step(all, r,
			&(struct rule_step){.predicate = r->rule->act.with, .why = explain_why(r)});
}

static json_t *action_json(const struct rule_act *act)
{
	return json_pack("{s:s, s:s}", "do", rule_action_rows[act->kind].word, "with", act->with);
}

/* {"id","version","trace"}: id null when no rule decided; else "action" too. */
static enum ta_rc rule_json(struct db *db, const struct find_event *e,
	const struct find_delivery *d, json_t **out, struct ta_err *err)
{
	struct arena mem = ARENA_INIT;
	struct catalog_place at;
	struct explain x = {0};
	json_t *trace = json_array();
	enum ta_rc rc = TA_OK;
	if (e->doc)
		rc = catalog_pixel_at(db, d->pixel_id, d->rev, &mem, &at, err);
	if (!rc && e->doc) {
		const struct route_case c = {.ev = &e->ev,
			.store = &at.store,
			.pixel = &at.pixel,
			.received_us = e->received_us,
			.event_id = e->id};
		route_explain(&c, &mem, &x);
	}
	for (size_t i = 0; i < x.n; i++)
		add_steps(trace, &x.rules[i]);
	*out = json_pack("{s:o, s:o, s:o}", "id", d->rule_id ? out_id(d->rule_id) : json_null(),
		"version", d->rule_id ? json_integer(d->rule_version) : json_null(), "trace",
		trace);
	if (d->rule_id && x.decision.rule && x.decision.rule_id == d->rule_id)
		json_object_set_new(*out, "action", action_json(&x.decision.rule->act));
	arena_release(&mem);
	return rc;
}

/* Where the body of a stored request begins: behind its head and the empty line. */
static size_t body_at(const struct find_attempt *t)
{
	const char *blank = t->request ? strstr(t->request, "\n\n") : NULL;
	return blank ? (size_t)(blank - t->request) + 2 : 0;
}

/* The head's lines: method and URL, then each header. */
static json_t *head_json(const struct find_attempt *t)
{
	json_t *all = json_array();
	size_t n = body_at(t);
	for (size_t i = 0; i + 2 < n;) {
		size_t len = strcspn(t->request + i, "\n");
		json_array_append_new(all, out_text(t->request + i, len));
		i += len + 1;
	}
	return all;
}

/* The body as sent, of a batch only this event's part; all bytes of it as they were. */
static json_t *request_json(const struct find_attempt *t)
{
	struct buf b = BUF_INIT(64u << 20);
	size_t from = body_at(t);
	if (!t->request)
		return json_null();
	if (t->n <= 1 ||
		!json_cut(&b, t->request + from, t->nrequest - from, "data", (size_t)t->position)) {
		buf_clear(&b);
		buf_add(&b, t->request + from, t->nrequest - from);
	}
	json_t *j = out_text(buf_str(&b), b.len);
	buf_release(&b);
	return j;
}

static json_t *attempts_json(const struct find_delivery *d)
{
	json_t *all = json_array();
	for (size_t i = 0; i < d->nattempts; i++) {
		const struct find_attempt *t = &d->attempts[i];
		if (!t->attempt_id)
			continue;
		json_array_append_new(all,
			json_pack(
				"{s:o, s:i, s:i, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s}",
				"at", out_time(t->at_us), "http", t->http, "ms", t->ms, "head",
				head_json(t), "request", request_json(t), "response",
				t->response ? out_text(t->response, t->nresponse) : json_null(),
				"verdict", disposition_word(t->after), "reason",
				reason_word(t->reason), "code", t->code, "message", t->message,
				"events", t->n, "attempt", (int)t->attempt, "class",
				t->class ? t->class : "", "error", t->error ? t->error : ""));
	}
	return all;
}

/* Where each field of what was sent last comes from (src/provenance.h). */
static size_t fields_of(const struct find_event *e, const struct find_delivery *d, struct arena *a,
	struct provenance **out)
{
	const struct find_attempt *t = NULL;
	for (size_t i = 0; i < d->nattempts; i++)
		if (d->attempts[i].attempt_id && d->attempts[i].request)
			t = &d->attempts[i];
	*out = NULL;
	if (!t || !e->doc)
		return 0;
	struct provenance_case c = {.platform = (enum platform_id)platform_of(d->platform),
		.ev = &e->ev,
		.rule_id = d->rule_id,
		.rule_version = d->rule_version};
	provenance_settings(a, &c, t->settings, d->rule_action, d->rule_with);
	c.json = provenance_sent(a, t->request, t->nrequest, (size_t)t->position, &c.len);
	return provenance_of(&c, a, out);
}

static json_t *field_json(const struct provenance *p)
{
	json_t *value = json_loads(p->value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	return json_pack("{s:s, s:o, s:s, s:s, s:s, s:s}", "path", p->path, "value",
		value ? value : json_string(p->value), "source", p->source, "how", p->how, "by",
		p->by, "origin", p->origin);
}

static json_t *fields_json(const struct find_event *e, const struct find_delivery *d)
{
	struct arena a = ARENA_INIT;
	struct provenance *p;
	json_t *all = json_array();
	size_t n = fields_of(e, d, &a, &p);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, field_json(&p[i]));
	arena_release(&a);
	return all;
}

/* Why it is where it is, when no exchange says so: "no numbers to match a person by". */
static const char *detail(const struct find_delivery *d)
{
	const struct find_attempt *last = d->nattempts ? &d->attempts[d->nattempts - 1] : NULL;
	return last && *last->message ? last->message : reason_text(d->reason);
}

enum ta_rc event_show_json(
	struct db *db, const struct find_event *e, json_t **out, struct ta_err *err)
{
	char key[33];
	json_t *deliveries = json_array();
	enum ta_rc rc = TA_OK;
	hex_encode(e->key, sizeof(e->key), key);
	for (size_t i = 0; !rc && i < e->n; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		json_t *rule = NULL;
		rc = rule_json(db, e, d, &rule, err);
		json_array_append_new(deliveries,
			json_pack("{s:s, s:s, s:i, s:o, s:s, s:s, s:s, s:o, s:o, s:o}", "pixel",
				d->pixel, "platform", d->platform, "run", d->run, "replay",
				d->replay_id ? out_id(d->replay_id) : json_null(), "disposition",
				disposition_word(d->state), "reason", reason_word(d->reason),
				"detail", detail(d), "rule", rule, "attempts", attempts_json(d),
				"fields", fields_json(e, d)));
	}
	json_t *doc = e->doc ? json_loadb(e->doc, e->ndoc, 0, NULL) : NULL;
	*out = json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s?, s:s, s:b, s:o, s:o}", "id",
		out_id(e->id), "key", key, "wire_id", e->wire_id, "name", event_word(e->name),
		"store", e->store, "received_at", out_time(e->received_us), "at",
		out_time(e->at_us), "source", source_word(e->source), "order_id", e->order_id,
		"label", e->label, "test", e->test, "doc", doc ? doc : json_null(), "deliveries",
		deliveries);
	return rc;
}

static void line(const char *name, const char *text)
{
	struct buf b = BUF_INIT(64u << 10);
	out_clean(&b, text);
	printf("%-12s %s\n", name, buf_str(&b));
	buf_release(&b);
}

static void print_attempt(const struct find_attempt *t)
{
	char at[32], text[200];
	clock_format(t->at_us, at);
	snprintf(text, sizeof(text), "%s  http %d  %d ms  %s", at, t->http, t->ms,
		disposition_word(t->after));
	line("    attempt", text);
	if (*t->code || *t->message)
		line("      says", t->message);
}

static void print_fields(const struct find_event *e, const struct find_delivery *d)
{
	struct arena a = ARENA_INIT;
	struct provenance *p;
	size_t n = fields_of(e, d, &a, &p);
	for (size_t i = 0; i < n; i++)
		line("    field", arena_fmt(&a, "%s %s", p[i].path, provenance_text(&a, &p[i])));
	arena_release(&a);
}

static void print_people(const struct find_event *e, const json_t *j)
{
	char at[32];
	static const char *const names[] = {
		"id", "key", "wire_id", "name", "store", "label", "source"};
	for (size_t i = 0; i < TA_COUNT(names); i++)
		line(names[i], json_string_value(json_object_get(j, names[i])));
	clock_format(e->at_us, at);
	line("happened", at);
	clock_format(e->received_us, at);
	line("received", at);
	for (size_t i = 0; i < e->n; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		char text[300];
		snprintf(text, sizeof(text), "%s, run %d: %s (%s): %.150s", d->pixel, d->run,
			disposition_word(d->state), reason_word(d->reason), detail(d));
		line("  delivery", text);
		if (d->replay_id) {
			snprintf(text, sizeof(text), "%lld", (long long)d->replay_id);
			line("    replay", text);
		}
		if (d->rule_id) {
			snprintf(text, sizeof(text), "%d, version %d", d->rule_id, d->rule_version);
			line("    rule", text);
		}
		for (size_t k = 0; k < d->nattempts; k++)
			if (d->attempts[k].attempt_id)
				print_attempt(&d->attempts[k]);
		print_fields(e, d);
	}
	char *doc = json_dumps(json_object_get(j, "doc"), JSON_INDENT(1) | JSON_ENCODE_ANY);
	for (char *p = doc, *end; p && *p; p = end + (*end == '\n')) {
		end = p + strcspn(p, "\n");
		struct buf b = BUF_INIT(64u << 10);
		char *text = ta_asprintf("%.*s", (int)(end - p), p);
		out_clean(&b, text);
		puts(buf_str(&b));
		buf_release(&b);
		free(text);
	}
	free(doc);
}

/* What `event show` was asked for. */
struct show {
	bool json, diff;
	const char *pixel;
};

static enum ta_rc show_event(
	struct db *db, const struct show *s, const struct find_event *e, struct ta_err *err)
{
	json_t *j = NULL;
	enum ta_rc rc = s->diff ? event_diff_json(db, e, s->pixel, &j, err)
				: event_show_json(db, e, &j, err);
	if (!rc && s->json)
		out_json(json_incref(j));
	else if (!rc && s->diff)
		event_diff_print(j);
	else if (!rc)
		print_people(e, j);
	json_decref(j);
	return rc;
}

int event_show(int argc, char **argv)
{
	struct show s = {0};
	int64_t id = 0;
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	struct find_event e = {0};
	const struct opt opts[] = {{"json", OPT_FLAG, &s.json, "one JSON value"},
		{"diff", OPT_FLAG, &s.diff,
			"what was sent against the last one that was taken, and the complaint"},
		{"pixel", OPT_STR, &s.pixel, "with --diff: of this pixel only"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc != 2)
		rc = ta_fail(
			&err, TA_USAGE, "which event? Give its id; trackai event list shows them");
	if (!rc && s.pixel && !s.diff)
		rc = ta_fail(&err, TA_USAGE, "--pixel goes with --diff");
	if (!rc)
		rc = cmd_db_ready("show", &db, &err);
	if (!rc)
		rc = find_event_id(db, argv[1], &id, &err);
	if (!rc)
		rc = find_event(db, id, &mem, &e, &err);
	if (!rc)
		rc = find_exchanges(db, &mem, &e, &err);
	if (!rc)
		rc = show_event(db, &s, &e, &err);
	db_close(db);
	arena_release(&mem);
	return rc ? cmd_fail("event show", &err) : 0;
}
