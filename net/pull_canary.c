/* Canaries (db/canary.h): begins those whose time has come and moves each one on, a step per run:
 * to the listener, until the router has read it, to the pixels, until the dispatcher has answered.
 * What does not come in time ends it, with the stage at which it stopped.
 *
 * It enters by POST /event/track with a key of its own scope, which this process makes and never
 * stores: the webhook secrets stay with the listener, the one process that opens them, and an order
 * in the shop's own form would claim the place of a real one. */
#include "db/canary.h"
#include "db/pixel_test.h"
#include "net/puller.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/conf.h"
#include "src/crypto.h"
#include "src/jsonw.h"
#include "src/log.h"
#include "src/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOTAL_MS  8000
#define BODY_MAX  4096
#define STEP_MS   500
#define PRUNE_US  (3600 * US_PER_S)
#define KEY_BYTES 24
#define WHY_MAX   200

/* The keys of this process, by store. */
struct store_key {
	int32_t store_id;
	char text[2 * KEY_BYTES + 1];
};
static struct store_key *keys;
static size_t nkeys;
static int64_t pruned_us;

static enum ta_rc key_of(struct db *db, int32_t store_id, const char **out, struct ta_err *err)
{
	uint8_t random[KEY_BYTES], hash[SHA256_LEN];
	struct store_key k = {.store_id = store_id};
	for (size_t i = 0; i < nkeys; i++)
		if (keys[i].store_id == store_id) {
			*out = keys[i].text;
			return TA_OK;
		}
	crypto_random(random, sizeof(random));
	hex_encode(random, sizeof(random), k.text);
	crypto_sha256(k.text, strlen(k.text), hash);
	enum ta_rc rc = canary_key(db, store_id, hash, clock_now_us(), err);
	if (rc)
		return rc;
	keys = ta_realloc(keys, (nkeys + 1) * sizeof(*keys));
	keys[nkeys++] = k;
	*out = keys[nkeys - 1].text;
	return TA_OK;
}

/* To the listener -------------------------------------------------------------------------------
 */

/* An order that no shop has: one euro, or whatever the store counts in, of example.com's. */
static const char *body_of(struct arena *a, const struct canary_run *c)
{
	struct buf b = BUF_INIT(BODY_MAX);
	struct jsonw w = JSONW_INIT(&b);
	const char *id = arena_fmt(a, CANARY_ID "%lld", (long long)c->id);
	jsonw_open(&w, NULL, '{');
	jsonw_str(&w, "event", "purchase");
	jsonw_str(&w, "event_id", id);
	jsonw_int(&w, "event_time", clock_now_s());
	jsonw_bool(&w, "test", true);
	jsonw_str(&w, "value", "1");
	jsonw_str(&w, "currency", c->currency);
	jsonw_str(&w, "order_id", id);
	jsonw_str(&w, "url", *c->domain ? arena_fmt(a, "https://%s/", c->domain) : NULL);
	jsonw_raw(&w, "items",
		"[{\"id\":\"canary\",\"name\":\"Canary\",\"price\":\"1\",\"quantity\":1}]");
	jsonw_raw(&w, "user", "{\"email\":\"canary@example.com\",\"external_id\":\"canary\"}");
	jsonw_raw(&w, "consent", "{\"ads\":true}");
	jsonw_close(&w, '}');
	const char *text = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return text;
}

/* Where the listener is; one that listens everywhere is reached on the loopback. */
static enum ta_rc url_of(char out[400], struct ta_err *err)
{
	char host[64], base[300];
	int port = 0;
	enum ta_rc rc = conf_again(CONF_CANARY_URL, base, sizeof(base), err);
	size_t n = strlen(base);
	while (n && base[n - 1] == '/')
		base[--n] = '\0';
	if (!rc && *base) {
		snprintf(out, 400, "%s/event/track", base);
		return TA_OK;
	}
	if (!rc)
		rc = conf_address(conf_get(CONF_LISTEN), host, &port, err);
	if (rc)
		return rc;
	if (strcmp(host, "0.0.0.0") == 0)
		snprintf(host, sizeof(host), "127.0.0.1");
	else if (strcmp(host, "::") == 0)
		snprintf(host, sizeof(host), "::1");
	bool six = strchr(host, ':') != NULL;
	snprintf(out, 400, "http://%s%s%s:%d/event/track", six ? "[" : "", host, six ? "]" : "",
		port);
	return TA_OK;
}

/* A repeat counts: it was stored, and only the answer was lost. */
static enum ta_rc posted(struct pull *p, struct http_reply *r, void *arg, struct ta_err *err)
{
	const struct canary_run *c = arg;
	char why[WHY_MAX];
	bool taken = r->end == HTTP_ANSWERED && r->status == 200 &&
		     (strstr(buf_str(&r->body), "\"accepted\"}") ||
			     strstr(buf_str(&r->body), "\"duplicate\"}"));
	if (taken)
		return canary_sent(pull_db(p), c->id, err);
	if (r->end == HTTP_ANSWERED)
		snprintf(why, sizeof(why), "the listener answered HTTP %d", r->status);
	else
		snprintf(why, sizeof(why), "the listener did not answer: %.150s", r->error);
	return canary_note(pull_db(p), c->id, why, err);
}

static enum ta_rc post(struct pull *p, const struct canary_run *c, struct ta_err *err)
{
	struct arena *a = pull_arena(p);
	char url[400], header[120];
	const char *key = NULL, *body = body_of(a, c);
	struct canary_run *mine = arena_alloc(a, sizeof(*mine));
	enum ta_rc rc = url_of(url, err);
	if (!rc)
		rc = key_of(pull_db(p), c->store_id, &key, err);
	if (rc)
		return rc;
	*mine = *c;
	snprintf(header, sizeof(header), "Authorization: Bearer %s", key);
	const char *const headers[] = {"Content-Type: application/json", NULL};
	const struct http_request r = {.method = "POST",
		.url = url,
		.headers = headers,
		.secret_header = header,
		.body = body,
		.len = strlen(body),
		.total_ms = TOTAL_MS};
	rc = pull_ask(p, &r, posted, mine, err);
	return rc == TA_CONFIG ? canary_note(pull_db(p), c->id, err->msg, err) : rc;
}

/* From the dispatcher ---------------------------------------------------------------------------
 */

/* What an answer of the dispatcher says of one pixel. */
static void judge(struct arena *a, struct canary_pixel *x)
{
	struct pixel_test t;
	struct ta_err err;
	if (x->decision != DISP_QUEUED) {
		x->state = 1;
		x->verdict = disposition_word(x->decision);
		x->detail = arena_fmt(a, "%s%s", reason_word(x->reason),
			x->rule_id ? arena_fmt(a, ": rule %d", (int)x->rule_id) : "");
		return;
	}
	if (!x->answered)
		return;
	x->state = 0;
	x->verdict = "refused";
	x->detail = x->answer;
	if (!x->agreed)
		return;
	if (pixel_test_read(a, x->answer, &t, &err)) {
		x->detail = arena_strdup(a, err.msg);
		return;
	}
	x->ms = t.ms;
	x->verdict = t.verdict;
	x->state = strncmp(t.verdict, "delivered", 9) == 0 || strcmp(t.verdict, "built") == 0;
	x->detail = x->state && strcmp(t.verdict, "built") != 0
			    ? ""
			    : arena_fmt(a, "%s%s%s%s%.300s", t.class, *t.code ? " " : "", t.code,
				      *t.message || *t.error ? ": " : "",
				      *t.message ? t.message : t.error);
}

/* The sentence of its end: of every pixel where it did not arrive. */
static const char *losses(struct arena *a, const struct canary_pixels *v)
{
	struct buf b = BUF_INIT(4096);
	for (size_t i = 0; i < v->n; i++)
		if (v->rows[i].state == 0)
			buf_addf(&b, "%s%s: %.400s", b.len ? "; " : "pixel ", v->rows[i].name,
				v->rows[i].detail);
	const char *text = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return text;
}

/* Ends it when every pixel has its verdict. */
static enum ta_rc look(struct pull *p, const struct canary_run *c, bool *over, struct ta_err *err)
{
	struct canary_pixels v = {0};
	size_t open = 0, lost = 0;
	enum ta_rc rc = canary_pixels(pull_db(p), c->id, pull_arena(p), &v, err);
	for (size_t i = 0; !rc && i < v.n; i++) {
		struct canary_pixel *x = &v.rows[i];
		bool known = x->state >= 0;
		if (!known)
			judge(pull_arena(p), x);
		if (!known && x->state >= 0)
			rc = canary_settle(pull_db(p), c->id, x, err);
		open += x->state < 0;
		lost += x->state == 0;
	}
	*over = !rc && !open;
	if (!*over)
		return rc;
	return canary_end(pull_db(p), c->id, !lost,
		lost  ? losses(pull_arena(p), &v)
		: v.n ? ""
		      : "the store has no pixel",
		err);
}

static enum ta_rc late(struct pull *p, const struct canary_run *c, struct ta_err *err)
{
	const char *why;
	switch ((enum canary_stage)c->stage) {
	case CANARY_NEW:
		why = *c->detail ? c->detail : "the listener did not take it";
		break;
	case CANARY_SENT:
		why = "the listener stored it, but no router made an event of it";
		break;
	case CANARY_ROUTED:
	case CANARY_ORDERED:
	default:
		why = "the router decided, but no dispatcher answered for every pixel";
		break;
	}
	log_warn("canary %lld of %s: %s", (long long)c->id, c->store, why);
	return canary_end(pull_db(p), c->id, false, why, err);
}

static enum ta_rc step(struct pull *p, struct canary_run *c, struct ta_err *err)
{
	bool over = false;
	enum ta_rc rc = TA_OK;
	if (c->stage == CANARY_ROUTED) {
		rc = canary_order(pull_db(p), c->id, err);
		c->stage = CANARY_ORDERED;
	}
	if (!rc && c->stage == CANARY_ORDERED)
		rc = look(p, c, &over, err);
	if (rc || over)
		return rc;
	if (clock_now_us() - c->begun_us > CANARY_WITHIN_US)
		return late(p, c, err);
	return c->stage == CANARY_NEW ? post(p, c, err) : TA_OK;
}

enum ta_rc pull_canary(struct pull *p, struct ta_err *err)
{
	struct canary_runs runs = {0};
	int64_t now = clock_now_us();
	enum ta_rc rc = canary_schedule(pull_db(p), now, err);
	if (!rc)
		rc = canary_open(pull_db(p), pull_arena(p), &runs, err);
	if (runs.n)
		pull_soon(p, STEP_MS);
	for (size_t i = 0; !rc && i < runs.n; i++)
		rc = step(p, &runs.rows[i], err);
	if (!rc && now - pruned_us > PRUNE_US) {
		pruned_us = now;
		rc = canary_prune(pull_db(p), now, err);
	}
	return rc;
}
