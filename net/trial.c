/* Test sends: one event through a pixel's live or draft settings in the platform's test mode. They
 * share the loop and the tokens with the live traffic and nothing else: no queue, no claim, no
 * verdict, no circuit, no pause. */
#include "net/trial.h"

#include "db/audit.h"
#include "db/canary.h"
#include "db/command.h"
#include "db/pixel_test.h"
#include "db/secret.h"
#include "net/build.h"
#include "net/dispatch.h"
#include "net/shape.h"
#include "src/clock.h"
#include "src/jsonw.h"
#include "src/log.h"
#include "src/lz.h"
#include "src/role.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIALS_MAX     16
#define STALE_US       (15 * US_PER_S) /* who gave the order has gone away long ago */
#define REQUEST_SHOWN  ((size_t)1 << 20)
#define RESPONSE_SHOWN ((size_t)128 << 10)
#define ANSWER_MAX     ((size_t)16 << 20)

struct trial {
	struct trial *next;
	struct arena mem;
	int64_t command, event_id, begun_us;
	int64_t canary; /* it is one (db/canary.h), 0: no */
	bool dry;       /* a canary where the platform has no test mode: built, not sent */
	const char *actor, *fields; /* fields: names of the draft's settings, "" live */
	int32_t pixel_id;
	char pixel_name[100];
	const struct dest *dest;
	const char *event_name, *wire_id;
	struct dest_config cfg;
	char *token; /* of a draft; owned */
	struct dest_request req;
	struct buf wire, answer;
	bool flying, done, ok;
	int http;
	const char *verdict;
};

static void release(struct trial *t)
{
	if (t->token)
		crypto_wipe(t->token, strlen(t->token));
	if (t->wire.p)
		crypto_wipe(t->wire.p, t->wire.len);
	free(t->token);
	buf_release(&t->wire);
	buf_release(&t->answer);
	buf_release(&t->req.body);
	arena_release(&t->mem);
	free(t);
}

void trials_release(struct dispatch *d)
{
	while (d->trials) {
		struct trial *t = d->trials;
		d->trials = t->next;
		release(t);
	}
}

bool trials_under_way(const struct dispatch *d)
{
	for (const struct trial *t = d->trials; t; t = t->next)
		if (t->flying)
			return true;
	return false;
}

static void refuse(struct trial *t, const char *sentence)
{
	buf_clear(&t->answer);
	buf_adds(&t->answer, settle_text(&t->mem, sentence, 500));
	t->done = true;
}

/* Settings ---------------------------------------------------------------------------------- */

/* A token that is not saved yet came sealed, like a saved one. */
static bool open_draft_token(
	const struct dispatch *d, const struct pixel *p, struct trial *t, const char *hex)
{
	uint8_t blob[SECRET_MAX + SEAL_OVERHEAD];
	struct secret_text text;
	const struct secret_place at = secret_of_pixel(p->row.uid);
	size_t n = strlen(hex);
	if (n % 2 || n / 2 > sizeof(blob) || !hex_decode(hex, n, blob) ||
		secret_open(d->stage.role->key, &at, (struct db_bytes){blob, n / 2}, &text, NULL)) {
		refuse(t, "the token of the draft cannot be opened; type it again");
		return false;
	}
	t->token = ta_strdup(text.text);
	t->cfg.token = t->token;
	crypto_wipe(&text, sizeof(text));
	return true;
}

static const char *names_of(struct arena *a, json_t *draft)
{
	struct buf b = BUF_INIT(500);
	const char *key;
	json_t *v;
	json_object_foreach(draft, key, v) buf_addf(&b, "%s%s", b.len ? ", " : "", key);
	const char *text = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return text;
}

/* Live settings, and the draft's over them. */
static bool settings(
	const struct dispatch *d, const struct pixel *p, struct trial *t, json_t *draft)
{
	struct ta_err err = {0};
	pixel_config(p, &t->cfg);
	/* what happens to the pixel meanwhile must not reach the request */
	t->cfg.account = arena_strdup(&t->mem, t->cfg.account);
	t->fields = names_of(&t->mem, draft);
	if (draft && pixel_config_set(p, draft, &t->mem, &t->cfg, &err)) {
		refuse(t, err.msg);
		return false;
	}
	const char *token = json_string_value(json_object_get(draft, "token"));
	if (token)
		return open_draft_token(d, p, t, token);
	if (*p->fault)
		refuse(t, p->fault);
	return !t->done;
}

/* Without it the event would count as a real one. */
static bool test_mode(struct trial *t, const struct platform *pf)
{
	if (pf->id == PLATFORM_PINTEREST) {
		t->cfg.test_code = "test"; /* any: the URL says ?test=true */
		return true;
	}
	if (t->cfg.test_code && *t->cfg.test_code)
		return true;
	if (t->canary)
		return t->dry = true;
	refuse(t,
		arena_fmt(&t->mem,
			"%s takes an event as a test only under a test code, and neither the pixel "
			"nor the draft has one: copy it from %s's Test Events page and give it with "
			"--test-code",
			pf->title, pf->title));
	return false;
}

/* The event --------------------------------------------------------------------------------- */

/* Why it cannot be sent, in the arena; NULL when it can. */
static const char *unfit(struct trial *t, const struct event *ev, bool consent_required)
{
	struct buf why = BUF_INIT(500);
	const char *text = NULL;
	if (ev->consent == CONSENT_DENIED)
		return "the visitor denied consent for ads, and a test sends the person's data all "
		       "the same";
	if (ev->consent == CONSENT_UNKNOWN && consent_required)
		return "the store requires consent and none is known";
	if (t->dest->check(ev, &t->cfg, clock_now_s(), &why) != REASON_NONE)
		text = arena_strdup(&t->mem, buf_str(&why));
	buf_release(&why);
	return text;
}

struct candidates {
	const struct pixel *pixel;
	struct pixel_test_events events;
	struct delivery_ruled_rows shaped; /* the rules that decided their deliveries */
};

/* Builds the request of the event as the trial's settings make it. */
static const char *build(struct trial *t, const struct event *ev)
{
	struct buf json = BUF_INIT((size_t)512 << 10);
	const char *name = build_name(t->dest->platform, ev, &t->cfg), *why = NULL;
	uint8_t random[8];
	char hex[17];
	crypto_random(random, sizeof(random));
	hex_encode(random, sizeof(random), hex);
	/* Of its own: the platform must merge it with nothing. */
	t->wire_id = arena_fmt(&t->mem, "test-%s", hex);
	t->event_name = name ? arena_strdup(&t->mem, name) : "";
	t->dest->event(&json, ev, t->wire_id, &t->cfg);
	if (json.over)
		why = "its JSON is larger than 512 KiB";
	else
		t->dest->request(&t->mem, &t->cfg, &json, 1, &t->req);
	buf_release(&json);
	return why;
}

/* Builds the request of the row's event, changed as its delivery's rule says; NULL, or why it
 * cannot be sent. */
static const char *try_row(const struct dispatch *d, struct trial *t,
	const struct delivery_event *row, const struct candidates *from)
{
	char *text, rule_why[240];
	size_t n;
	struct event stored;
	struct ta_err err = {0};
	if (lz_unpack(&t->mem, row->doc.p, row->doc.n, &text, &n, &err) ||
		event_read(&t->mem, text, n, &stored, &err))
		return arena_strdup(&t->mem, err.msg);
	const struct shape_case c = {&from->shaped, row->id, 1, from->pixel, &stored};
	const struct event *ev = shape_event(d, &c, &t->mem, rule_why);
	if (!ev)
		return arena_strdup(&t->mem, rule_why);
	const char *why = unfit(t, ev, from->events.consent_required);
	t->event_id = row->id;
	return why ? why : build(t, ev);
}

/* None of them could be sent; `why`: of the newest, NULL where no document is left. */
static void refuse_all(struct trial *t, size_t n, const char *why, bool wanted)
{
	t->event_id = 0;
	if (!n)
		refuse(t, wanted ? "there is no such event in the pixel's store"
				 : "the pixel's store has no events yet");
	else if (!why)
		refuse(t, "the event's document is gone: past its retention");
	else if (wanted)
		refuse(t, arena_fmt(&t->mem, "the event cannot be sent: %s", why));
	else
		refuse(t,
			arena_fmt(&t->mem,
				"none of the newest %zu events of the store can be sent; the newest: %s",
				n, why));
}

static enum ta_rc choose_event(struct dispatch *d, const struct pixel *p, struct trial *t,
	int64_t wanted, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct candidates from = {.pixel = p};
	const char *why = NULL;
	enum ta_rc rc = pixel_test_events(d->stage.db, p->row.store_id, wanted, &from.events, err);
	size_t n = from.events.n;
	if (!rc && n)
		rc = delivery_events(d->stage.db, from.events.ids, n, &r, err);
	if (!rc)
		rc = shapes_of(d, from.events.ids, n, &t->mem, &from.shaped, err);
	if (rc)
		return rc;
	for (int i = db_rows(r); i-- > 0 && !t->req.url;) {
		const struct delivery_event row = delivery_event_at(r, i);
		const char *refusal = try_row(d, t, &row, &from);
		why = why ? why : refusal;
	}
	if (!t->req.url)
		refuse_all(t, n, why, wanted != 0);
	return TA_OK;
}

static enum ta_rc choose_canary(
	struct dispatch *d, const struct pixel *p, struct trial *t, struct ta_err *err)
{
	struct canary_send c;
	enum ta_rc rc = canary_find(d->stage.db, t->canary, p->row.id, &c, err);
	if (rc == TA_NOTFOUND) {
		refuse(t, err->msg);
		rc = TA_OK;
	} else if (!rc) {
		struct delivery_ruled rule = {t->canary, p->row.id, c.rule_id, c.rule_version, 1};
		const struct candidates from = {.pixel = p, .shaped = {&rule, 1}};
		const struct delivery_event row = {.id = t->canary, .doc = c.doc};
		rc = shapes_load(d, err); /* the rule may be newer than what was sent so far */
		const char *why = rc ? NULL : try_row(d, t, &row, &from);
		if (why)
			refuse(t, why);
	}
	PQclear(c.r);
	return rc;
}

/* Sending ----------------------------------------------------------------------------------- */

static void send(struct dispatch *d, struct trial *t)
{
	struct ta_err err;
	dest_wire(&t->req, &t->wire);
	const struct buf *body = t->wire.len ? &t->wire : &t->req.body;
	const struct http_request r = {
		.method = t->req.method,
		.url = t->req.url,
		.headers = t->req.headers,
		.secret_header = t->req.secret_header,
		.body = body->p,
		.len = body->len,
		.tag = t,
	};
	t->begun_us = clock_now_us();
	if (http_start(d->http, &r, &err))
		refuse(t, err.msg);
	else
		t->flying = true;
}

static void finish_dry(struct trial *t);

static enum ta_rc start(
	struct dispatch *d, struct trial *t, const struct command *c, struct ta_err *err)
{
	json_t *args = json_loads(c->args, 0, NULL);
	const char *event = json_string_value(json_object_get(args, "event"));
	const char *canary = json_string_value(json_object_get(args, "canary"));
	int64_t id = json_integer_value(json_object_get(args, "pixel"));
	const struct pixel *p = id > 0 && id <= INT32_MAX ? pixel_find(d, (int32_t)id) : NULL;
	enum ta_rc rc = TA_OK;
	t->canary = canary ? strtoll(canary, NULL, 10) : 0;
	if (clock_now_us() - c->at_us > STALE_US) {
		refuse(t, "the order is too old: nothing was sent");
	} else if (!p || p->row.deleted) {
		refuse(t, "there is no such pixel");
	} else {
		t->pixel_id = p->row.id;
		snprintf(t->pixel_name, sizeof(t->pixel_name), "%.90s", p->row.name);
		t->dest = p->dest;
		if (settings(d, p, t, json_object_get(args, "draft")) && test_mode(t, p->platform))
			rc = t->canary ? choose_canary(d, p, t, err)
				       : choose_event(d, p, t, event ? strtoll(event, NULL, 10) : 0,
						 err);
	}
	if (!rc && !t->done && t->dry)
		finish_dry(t);
	else if (!rc && !t->done)
		send(d, t);
	json_decref(args);
	return rc;
}

static size_t count(const struct dispatch *d)
{
	size_t n = 0;
	for (const struct trial *t = d->trials; t; t = t->next)
		n++;
	return n;
}

static enum ta_rc take(struct dispatch *d, const struct command *c, struct ta_err *err)
{
	bool mine = false;
	enum ta_rc rc = command_take(d->stage.db, c->id, &mine, err);
	if (rc || !mine)
		return rc;
	struct trial *t = ta_alloc(sizeof(*t));
	buf_init(&t->answer, ANSWER_MAX);
	t->command = c->id;
	t->actor = arena_strdup(&t->mem, c->actor);
	t->fields = "";
	t->verdict = "refused";
	t->next = d->trials;
	d->trials = t;
	rc = start(d, t, c, err);
	if (rc && !t->flying)
		refuse(t, err->msg);
	return rc;
}

enum ta_rc trials_take(struct dispatch *d, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	bool more = true, loaded = false;
	while (!rc && more && count(d) < TRIALS_MAX) {
		struct arena a = ARENA_INIT;
		struct command c = {0};
		rc = command_next(d->stage.db, COMMAND_PIXEL_TEST, &a, &c, err);
		more = c.id != 0;
		if (!rc && more && !loaded) /* settings may have been saved just before */
			rc = pixels_load(d, err);
		loaded = true;
		if (!rc && more)
			rc = take(d, &c, err);
		arena_release(&a);
	}
	return rc;
}

/* What came of it --------------------------------------------------------------------------- */

static const char *class_word(const struct dest_outcome *out)
{
	static const char *const words[] = {[DEST_OK] = "ok",
		[DEST_PERMANENT_BATCH] = "permanent_batch",
		[DEST_AUTH] = "auth",
		[DEST_CONFIG] = "config",
		[DEST_RETRY] = "retry"};
	bool fine = out->class == DEST_OK && out->verdicts[0].to != DISP_DELIVERED &&
		    out->verdicts[0].to != DISP_DELIVERED_WARNING;
	return fine ? "per_event" : words[out->class];
}

static enum disposition would_be(const struct dest_outcome *out)
{
	switch (out->class) {
	case DEST_OK:
		return out->verdicts[0].to;
	case DEST_PERMANENT_BATCH:
		return DISP_REJECTED;
	case DEST_AUTH:
	case DEST_CONFIG:
		return DISP_HELD;
	case DEST_RETRY:
		break;
	}
	return DISP_RETRYING;
}

static void quoted(struct jsonw *w, const char *name, const void *p, size_t n)
{
	struct buf b = BUF_INIT(ANSWER_MAX);
	json_quote(&b, p ? p : "", n);
	jsonw_raw(w, name, buf_str(&b));
	buf_release(&b);
}

static void put_id(struct jsonw *w, const char *name, int64_t id)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)id);
	jsonw_str(w, name, text);
}

static void put_head(struct jsonw *w, const struct trial *t, const struct http_reply *r)
{
	char at[32];
	struct buf b = BUF_INIT(REQUEST_SHOWN + 8192);
	clock_format(t->begun_us, at);
	put_id(w, "pixel", t->pixel_id);
	jsonw_str(w, "name", t->pixel_name);
	jsonw_str(w, "platform", platform_word((int)t->dest->platform));
	put_id(w, "event", t->event_id);
	jsonw_str(w, "event_name", t->event_name);
	jsonw_str(w, "wire_id", t->wire_id);
	jsonw_bool(w, "live", !*t->fields);
	jsonw_str(w, "at", at);
	dest_record(&t->req, REQUEST_SHOWN, &b);
	quoted(w, "request", b.p, b.len);
	buf_release(&b);
	jsonw_int(w, "http", r->status);
	jsonw_int(w, "ms", r->ms);
	quoted(w, "answer", r->body.p, TA_MIN(r->body.len, RESPONSE_SHOWN));
	quoted(w, "error", r->error, strlen(r->error));
}

static void finish(struct trial *t, const struct http_reply *r)
{
	const char *class = r->end == HTTP_NOT_SENT ? "not_sent" : "no_answer";
	struct dest_outcome out = {.code = "", .message = "", .trace_id = ""};
	enum disposition to = DISP_RETRYING;
	struct jsonw w = JSONW_INIT(&t->answer);
	if (r->end == HTTP_ANSWERED) {
		const struct dest_reply reply = {
			r->status, buf_str(&r->body), r->body.len, r->retry_after_s};
		t->dest->judge(&t->mem, &reply, 1, &out);
		class = class_word(&out);
		to = would_be(&out);
	}
	bool own = r->end == HTTP_ANSWERED && out.class == DEST_OK;
	const char *code = own ? out.verdicts[0].code : out.code;
	const char *message = own ? out.verdicts[0].message : out.message;
	t->verdict = disposition_word((int)to);
	t->http = r->status;
	jsonw_open(&w, NULL, '{');
	put_head(&w, t, r);
	jsonw_str(&w, "class", class);
	jsonw_str(&w, "verdict", t->verdict);
	jsonw_str(&w, "code", settle_text(&t->mem, code ? code : "", 60));
	jsonw_str(&w, "message", settle_text(&t->mem, message ? message : "", 500));
	jsonw_str(&w, "trace", settle_text(&t->mem, out.trace_id ? out.trace_id : "", 100));
	jsonw_close(&w, '}');
	t->ok = true;
	t->done = true;
}

/* Its request could be built, and went nowhere. */
static void finish_dry(struct trial *t)
{
	const struct http_reply none = {0};
	struct jsonw w = JSONW_INIT(&t->answer);
	t->begun_us = clock_now_us();
	t->verdict = "built";
	jsonw_open(&w, NULL, '{');
	put_head(&w, t, &none);
	jsonw_str(&w, "class", "ok");
	jsonw_str(&w, "verdict", t->verdict);
	jsonw_str(&w, "code", "");
	jsonw_str(&w, "message", "no test code: built, not sent");
	jsonw_str(&w, "trace", "");
	jsonw_close(&w, '}');
	t->ok = true;
	t->done = true;
}

bool trials_reply(struct dispatch *d, struct http_reply *r)
{
	struct trial *t = d->trials;
	while (t && t != r->tag)
		t = t->next;
	if (!t)
		return false;
	t->flying = false;
	finish(t, r);
	buf_release(&r->body);
	return true;
}

static enum ta_rc write_answer(struct dispatch *d, const struct trial *t, struct ta_err *err)
{
	struct db *db = d->stage.db;
	char object[160], event[24];
	snprintf(object, sizeof(object), "pixel %d (%s)", (int)t->pixel_id, t->pixel_name);
	snprintf(event, sizeof(event), "%lld", (long long)t->event_id);
	json_t *o = json_pack("{s:s, s:s, s:i, s:s}", "event", event, "draft", t->fields, "http",
		t->http, "verdict", t->verdict);
	char *after = json_dumps(o, JSON_COMPACT);
	const struct audit_entry e = {.at_us = clock_now_us(),
		.actor = t->actor,
		.action = "pixel.test",
		.object = object,
		.after = after ? after : "{}"};
	enum ta_rc rc = db_begin(db, err);
	if (!rc && !t->canary) /* those are on a schedule, with a table of their own */
		rc = audit_add(db, &e, err);
	if (!rc)
		rc = command_answer(db, t->command, t->ok, buf_str(&t->answer), err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	free(after);
	json_decref(o);
	return rc;
}

enum ta_rc trials_answer(struct dispatch *d, struct ta_err *err)
{
	for (struct trial **at = &d->trials; *at;) {
		struct trial *t = *at;
		enum ta_rc rc = t->done ? write_answer(d, t, err) : TA_OK;
		if (rc)
			return rc;
		if (!t->done) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		release(t);
	}
	return TA_OK;
}

enum ta_rc trials_abandon(struct dispatch *d, struct ta_err *err)
{
	return command_abandon(d->stage.db, COMMAND_PIXEL_TEST,
		"the dispatcher was stopped meanwhile: whether it was sent is not known", err);
}
