/* The demo's traffic all the way, without sockets and without a database: what the player sends
 * becomes events, these become requests, and the stand-ins take them. */
#include "net/dest.h"
#include "net/in.h"
#include "net/in_track.h"
#include "net/player.h"
#include "net/sandbox_check.h"
#include "src/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START INT64_C(1795344000000000) /* 2026-11-22T11:20:00Z */

struct tally {
	unsigned posts, failures, events, sent[PLATFORM_COUNT], kept[PLATFORM_COUNT], warned;
};

/* What the stand-in says to one event. */
static void send_one(const struct dest *d, const struct event *ev, int64_t now_s, struct tally *t)
{
	struct arena a = ARENA_INIT;
	struct buf one = BUF_INIT(1 << 20), body = BUF_INIT(1 << 20);
	struct dest_config cfg = {.base_url = "", .account = "549755885175", .token = "token"};
	struct dest_request req;
	struct sb_answer answer;
	d->event(&one, ev, "0123456789abcdef", &cfg);
	d->request(&a, &cfg, &one, 1, &req);
	buf_addc(&body, '{');
	if (req.secret_body)
		buf_adds(&body, req.secret_body);
	buf_adds(&body, buf_str(&req.body) + 1);
	const char *secret = req.secret_header ? strchr(req.secret_header, ':') + 2 : NULL;
	const struct sb_call call = {.method = "POST",
		.path = req.url,
		.content_type = "application/json",
		.authorization = secret,
		.access_token = secret,
		.body = buf_str(&body),
		.len = body.len,
		.now_s = now_s};
	sb_answer_init(&answer);
	sandbox_platforms[d->platform].handle(&call, &answer);
	if (answer.nok != 1)
		fail_msg("%s: %s\n%s", platform_word((int)d->platform), buf_str(&answer.body),
			buf_str(&body));
	/* Checkouts and some orders know no browser: that is the only oddity. */
	if (answer.warned && ev->user.user_agent)
		fail_msg("odd: %s", buf_str(&body));
	t->warned += (unsigned)answer.warned;
	sb_answer_release(&answer);
	buf_release(&one);
	buf_release(&body);
	buf_release(&req.body);
	arena_release(&a);
}

static void deliver(const struct event *ev, int64_t now_s, struct tally *t)
{
	const struct dest_config cfg = {.account = "549755885175"};
	t->events++;
	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++) {
		const struct dest *d = dest_get((enum platform_id)p);
		struct buf why = BUF_INIT(4096);
		if (!platform_event((enum platform_id)p, ev->name) || ev->test ||
			d->check(ev, &cfg, now_s, &why) != REASON_NONE) {
			t->kept[p]++;
		} else {
			t->sent[p]++;
			send_one(d, ev, now_s, t);
		}
		buf_release(&why);
	}
}

static void receive(struct arena *a, const struct in_receipt *r, const char *kind, struct tally *t)
{
	const struct in_store store = {.domain = "x.myshopify.com"};
	struct in_result out = {0};
	if (in_normalise(a, r, &store, &out) != FAILURE_NONE) {
		t->failures++;
		if (strcmp(kind, "broken") != 0 && strcmp(kind, "carts/update") != 0)
			fail_msg("%s: %s", kind, out.detail);
		return;
	}
	for (size_t i = 0; i < out.nevents; i++)
		deliver(&out.events[i].ev, r->received_us / 1000000, t);
}

static const char *header(const struct player_post *p, const char *name)
{
	size_t n = strlen(name);
	for (int i = 0; i < p->nheaders; i++)
		if (strncmp(p->headers[i], name, n) == 0 && p->headers[i][n] == ':')
			return p->headers[i] + n + 2;
	return NULL;
}

static void take(const struct player_post *post, int64_t now_us, struct tally *t)
{
	struct arena a = ARENA_INIT;
	struct in_receipt r = {.source = SOURCE_SHOPIFY,
		.topic = header(post, "X-Shopify-Topic"),
		.body = buf_str(&post->body),
		.len = post->body.len,
		.received_us = now_us};
	bool server = header(post, "Authorization") != NULL;
	const struct track_request track = {.source = server ? SOURCE_SERVER : SOURCE_BROWSER,
		.body = r.body,
		.len = r.len,
		.now_us = now_us,
		.ip = header(post, "X-Forwarded-For"),
		.user_agent = header(post, "User-Agent")};
	struct track_batch batch;
	t->posts++;
	if (r.topic) {
		receive(&a, &r, post->kind, t);
	} else {
		assert_int_equal(track_parse(&a, &track, &batch, NULL), TA_OK);
		assert_int_equal(batch.n, 1);
		if (batch.items[0].error)
			fail_msg("%s: %s", post->kind, batch.items[0].error);
		r.source = track.source;
		r.body = batch.items[0].bytes;
		r.len = batch.items[0].len;
		receive(&a, &r, post->kind, t);
	}
	arena_release(&a);
}

static void all_that_is_played_arrives(void **state)
{
	struct player_options o = {.rate = 8, .seed = 3};
	struct player_post post = {.body = BUF_INIT(65536)};
	struct tally t = {0};
	(void)state;
	for (size_t i = 0; i < PLAYER_SHOPS; i++)
		o.access[i] = (struct player_access){"secret", "ta_pub", "ta_key"};
	struct player *p = player_new(&o, START);
	for (int i = 0; i < 6000; i++) {
		int64_t now_us = START + i * INT64_C(125000);
		player_next(p, now_us, &post);
		if (!post.bad_signature) /* the listener refuses those */
			take(&post, now_us, &t);
	}
	print_message(
		"%u posts: %u events, %u failed receipts; sent/kept pinterest %u/%u, meta %u/%u, "
		"tiktok %u/%u; %u warned\n",
		t.posts, t.events, t.failures, t.sent[0], t.kept[0], t.sent[1], t.kept[1],
		t.sent[2], t.kept[2], t.warned);
	assert_in_range(t.failures, 5, 100);
	for (int i = 0; i < 3; i++) {
		assert_in_range(t.sent[i], 4000, 6000);
		assert_true(t.kept[i] > 100);
	}
	assert_in_range(t.warned, 1, 1000);
	player_free(p);
	buf_release(&post.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_played_arrives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
