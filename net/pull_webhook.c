/* Alerts by webhook: each notice is one POST, signed when there is a secret; any 2xx is "told". */
#include "net/notify.h"
#include "net/puller.h"
#include "src/alert.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/conf.h"
#include "src/crypto.h"
#include "src/jsonw.h"

#include <stdio.h>
#include <string.h>

#define AT_ONCE  8
#define TOTAL_MS 10000
#define BODY_MAX 4096

struct post {
	struct notify *notify;
	const struct notice *notice;
};

static void put_time(struct jsonw *w, const char *name, int64_t us)
{
	char text[32];
	clock_format(us, text);
	jsonw_str(w, name, text);
}

static void put_id(struct jsonw *w, const char *name, int64_t id)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)id);
	jsonw_str(w, name, text);
}

/* Version 1, see trackai.conf(5). */
static const char *body_of(struct arena *a, const struct notice *n)
{
	struct buf b = BUF_INIT(BODY_MAX);
	struct jsonw w = JSONW_INIT(&b);
	bool test = n->turn == NOTICE_TEST;
	jsonw_open(&w, NULL, '{');
	jsonw_int(&w, "version", 1);
	put_id(&w, "id", n->id);
	put_id(&w, "alert", n->alert_id);
	jsonw_str(&w, "turn", notice_turn_word(n->turn));
	jsonw_str(&w, "level", health_status_word(n->level));
	jsonw_str(&w, "scope", test ? "test" : alert_scope_word(n->scope));
	jsonw_str(&w, "object", n->object);
	jsonw_str(&w, "part", test ? "test" : health_word((enum health_part)n->part));
	jsonw_str(&w, "why", n->why);
	put_time(&w, "raised_at", n->raised_us);
	put_time(&w, "at", n->at_us);
	jsonw_bool(&w, "test", test);
	jsonw_close(&w, '}');
	const char *text = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return text;
}

static enum ta_rc told(struct pull *p, struct http_reply *r, void *arg, struct ta_err *err)
{
	const struct post *post = arg;
	char why[200];
	bool ok = r->end == HTTP_ANSWERED && r->status >= 200 && r->status < 300;
	(void)p;
	if (r->end == HTTP_ANSWERED)
		snprintf(why, sizeof(why), "it answered HTTP %d", r->status);
	else
		snprintf(why, sizeof(why), "no answer: %s", r->error);
	return notify_settle(post->notify, post->notice, ok ? NULL : why, err);
}

static enum ta_rc post_one(struct notify *y, const struct notice *n, const char *url,
	const char *secret, struct ta_err *err)
{
	struct arena *a = pull_arena(y->pull);
	struct post *post = arena_alloc(a, sizeof(*post));
	const char *body = body_of(a, n);
	uint8_t mac[SHA256_LEN];
	char text[4 * ((SHA256_LEN + 2) / 3) + 1];
	*post = (struct post){y, n};
	crypto_hmac_sha256(secret, strlen(secret), body, strlen(body), mac);
	base64_encode(mac, sizeof(mac), text);
	const char *const headers[] = {"Content-Type: application/json",
		arena_fmt(a, "X-TrackAI-Id: %lld", (long long)n->id),
		*secret ? arena_fmt(a, "X-TrackAI-Hmac-Sha256: %s", text) : NULL, NULL};
	const struct http_request r = {.method = "POST",
		.url = url,
		.headers = headers,
		.body = body,
		.len = strlen(body),
		.total_ms = TOTAL_MS};
	return pull_ask(y->pull, &r, told, post, err);
}

enum ta_rc pull_webhook(struct pull *p, struct ta_err *err)
{
	struct notify *y = NULL;
	char url[800], secret[600] = "", host[120];
	enum ta_rc rc = conf_again(CONF_ALERT_WEBHOOK, url, sizeof(url), err);
	if (!rc && *url && !http_url_allowed(url))
		rc = ta_fail(err, TA_CONFIG,
			"alert webhook: %s is no address we send to; it must be https, or http to "
			"the loopback",
			notify_host(url, host));
	if (!rc)
		rc = conf_secret(CONF_ALERT_SECRET, secret, sizeof(secret), err);
	if (!rc)
		rc = notify_begin(p, NOTICE_WEBHOOK, *url ? NULL : "no `alert webhook` is set",
			AT_ONCE, &y, err);
	for (size_t i = 0; !rc && i < y->n; i++)
		rc = post_one(y, &y->list[i], url, secret, err);
	crypto_wipe(secret, sizeof(secret));
	if (!rc && !*url)
		pull_say(p, "nobody to tell: `alert webhook` is not set");
	return rc;
}
