#include "net/player.h"

#include "net/player_body.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/log.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VISITS    48 /* at a time */
#define STEPS_MAX 20
#define SLOTS     16 /* requests in flight */
#define TRIES_MAX 30 /* of one request while the listener is away */
#define BODY_MAX  65536

/* --- visits ------------------------------------------------------------------------------- */

enum step {
	PAGE_VIEW,
	VIEW_CATEGORY,
	VIEW_CONTENT,
	SEARCH,
	ADD_TO_WISHLIST,
	ADD_TO_CART,
	INITIATE_CHECKOUT,
	ADD_PAYMENT_INFO,
	BROWSER_PURCHASE,
	SIGNUP,
	LEAD,
	SUBSCRIBE,
	CHECKOUT_CREATE,
	CHECKOUT_UPDATE,
	ORDER_CREATE,
	ORDER_PAID,
	ORDER_UPDATED,
	ORDER_CANCELLED,
	REFUND_CREATE,
};

static const struct {
	const char *kind, *path; /* path: of webhooks, NULL for events */
	bool value, server;
} steps[] = {
	[PAGE_VIEW] = {"page_view", NULL, false, false},
	[VIEW_CATEGORY] = {"view_category", NULL, false, false},
	[VIEW_CONTENT] = {"view_content", NULL, true, false},
	[SEARCH] = {"search", NULL, false, false},
	[ADD_TO_WISHLIST] = {"add_to_wishlist", NULL, true, false},
	[ADD_TO_CART] = {"add_to_cart", NULL, true, false},
	[INITIATE_CHECKOUT] = {"initiate_checkout", NULL, true, false},
	[ADD_PAYMENT_INFO] = {"add_payment_info", NULL, true, false},
	[BROWSER_PURCHASE] = {"purchase", NULL, true, false},
	[SIGNUP] = {"signup", NULL, false, true},
	[LEAD] = {"lead", NULL, false, true},
	[SUBSCRIBE] = {"subscribe", NULL, false, true},
	[CHECKOUT_CREATE] = {"checkouts/create", "/webhook/shopify/checkout", false, false},
	[CHECKOUT_UPDATE] = {"checkouts/update", "/webhook/shopify/checkout", false, false},
	[ORDER_CREATE] = {"orders/create", "/webhook/shopify/order", false, false},
	[ORDER_PAID] = {"orders/paid", "/webhook/shopify/order", false, false},
	[ORDER_UPDATED] = {"orders/updated", "/webhook/shopify/order", false, false},
	[ORDER_CANCELLED] = {"orders/cancelled", "/webhook/shopify", false, false},
	[REFUND_CREATE] = {"refunds/create", "/webhook/shopify", false, false},
};

struct visit {
	struct player_visit v;
	enum step steps[STEPS_MAX];
	int n, at;
};

struct player {
	struct player_options o;
	uint64_t rnd;
	struct visit visits[VISITS];
	int64_t first_order; /* ids of a play never meet those of another */
	int orders;
	struct player_post last; /* the last webhook, for repeats */
};

static void add_step(struct visit *s, enum step step)
{
	if (s->n < STEPS_MAX)
		s->steps[s->n++] = step;
}

static void plan_browsing(struct visit *s, uint64_t *rnd)
{
	add_step(s, PAGE_VIEW);
	if (player_chance(rnd, 350))
		add_step(s, VIEW_CATEGORY);
	if (player_chance(rnd, 250))
		add_step(s, SEARCH);
	for (int i = 0, n = player_below(rnd, 3); i < n; i++)
		add_step(s, VIEW_CONTENT);
	if (player_chance(rnd, 60))
		add_step(s, ADD_TO_WISHLIST);
	if (player_chance(rnd, 30))
		add_step(s, player_chance(rnd, 500)   ? SIGNUP
			    : player_chance(rnd, 500) ? LEAD
						      : SUBSCRIBE);
}

static void plan_buying(struct visit *s, uint64_t *rnd)
{
	bool online = s->v.kind != BUYER_POS && s->v.kind != BUYER_DRAFT;
	if (online) {
		add_step(s, INITIATE_CHECKOUT);
		add_step(s, CHECKOUT_CREATE);
		if (player_chance(rnd, 300))
			add_step(s, CHECKOUT_UPDATE);
		add_step(s, ADD_PAYMENT_INFO);
		if (player_chance(rnd, 150)) /* leaves at the last moment */
			return;
		if (s->v.has_event_id)
			add_step(s, BROWSER_PURCHASE);
	}
	add_step(s, ORDER_CREATE);
	add_step(s, ORDER_PAID);
	if (player_chance(rnd, 250))
		add_step(s, ORDER_UPDATED);
	if (player_chance(rnd, 40))
		add_step(s, ORDER_CANCELLED);
	else if (player_chance(rnd, 70))
		add_step(s, REFUND_CREATE);
}

static void start_visit(struct player *p, struct visit *s, int64_t now_us)
{
	s->n = s->at = 0;
	player_visit_draw(&s->v, &p->rnd, now_us);
	bool walk_in = s->v.kind == BUYER_POS || s->v.kind == BUYER_DRAFT;
	if (!walk_in)
		plan_browsing(s, &p->rnd);
	if (!walk_in && player_chance(&p->rnd, 420))
		return;
	if (!walk_in)
		add_step(s, ADD_TO_CART);
	if (walk_in || player_chance(&p->rnd, 720))
		plan_buying(s, &p->rnd);
	s->v.number = 1001 + p->orders;
	s->v.order_id = p->first_order + p->orders++;
}

struct player *player_new(const struct player_options *o, int64_t start_us)
{
	struct player *p = ta_alloc(sizeof(*p));
	p->o = *o;
	p->rnd = o->seed ^ (uint64_t)(start_us / US_PER_S) << 20;
	p->first_order = start_us / 1000 * 1000;
	buf_init(&p->last.body, BODY_MAX);
	for (int i = 0; i < VISITS; i++) {
		start_visit(p, &p->visits[i], start_us);
		p->visits[i].at = 0;
	}
	return p;
}

void player_free(struct player *p)
{
	if (!p)
		return;
	buf_release(&p->last.body);
	free(p);
}

/* --- requests ----------------------------------------------------------------------------- */

static void header(struct player_post *post, const char *name, const char *value)
{
	TA_ASSERT(post->nheaders < PLAYER_HEADERS);
	char *at = post->headers[post->nheaders++];
	snprintf(at, sizeof(post->headers[0]), "%s: %.160s", name, value);
}

static void uuid(uint64_t *rnd, char out[37])
{
	uint64_t a = player_random(rnd), b = player_random(rnd);
	snprintf(out, 37, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32),
		(unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff, (unsigned)(b >> 52),
		(unsigned long long)(b & UINT64_C(0xffffffffffff)));
}

static void sign(const struct player *p, struct player_post *post, const char *topic)
{
	uint8_t mac[SHA256_LEN];
	char text[48];
	const char *secret = post->bad_signature ? "somebody else's secret"
						 : p->o.access[post->shop].webhook_secret;
	crypto_hmac_sha256(secret, strlen(secret), post->body.p, post->body.len, mac);
	base64_encode(mac, sizeof(mac), text);
	header(post, "X-Shopify-Hmac-Sha256", text);
	header(post, "X-Shopify-Topic", topic);
	header(post, "X-Shopify-Shop-Domain", player_shops[post->shop].domain);
	header(post, "Content-Type", "application/json");
}

static void write_webhook(
	struct player *p, struct visit *s, enum step step, int64_t now_us, struct player_post *post)
{
	char id[37], at[32];
	struct player_order o = {.financial_status = "pending", .updated_us = now_us};
	struct player_visit *v = &s->v;
	if (step == CHECKOUT_CREATE)
		v->checkout_us = now_us;
	if (step == ORDER_CREATE)
		v->ordered_us = now_us;
	else if (step == ORDER_CANCELLED)
		o.financial_status = "voided";
	else
		o.financial_status = "paid";
	o.cancelled = step == ORDER_CANCELLED;
	if (step == CHECKOUT_CREATE || step == CHECKOUT_UPDATE)
		player_write_checkout(&post->body, v, now_us);
	else if (step == REFUND_CREATE)
		player_write_refund(&post->body, v, now_us);
	else
		player_write_order(&post->body, v, &o);
	snprintf(post->path, sizeof(post->path), "%s", steps[step].path);
	sign(p, post, steps[step].kind);
	uuid(&p->rnd, id);
	header(post, "X-Shopify-Webhook-Id", id);
	header(post, "X-Shopify-API-Version", "2026-10");
	clock_format(now_us, at);
	header(post, "X-Shopify-Triggered-At", at);
}

static void write_event(
	struct player *p, struct visit *s, enum step step, int64_t now_us, struct player_post *post)
{
	const struct player_access *a = &p->o.access[post->shop];
	struct player_event e = {.name = steps[step].kind,
		.at_us = now_us,
		.value = steps[step].value,
		.server = steps[step].server};
	if (step == BROWSER_PURCHASE)
		snprintf(e.id, sizeof(e.id), "%s", s->v.event_id);
	else
		snprintf(e.id, sizeof(e.id), "%.16s-%d", s->v.token, s->at);
	player_write_event(&post->body, &s->v, &e);
	snprintf(post->path, sizeof(post->path), "/event/track");
	header(post, "Content-Type", e.server ? "application/json" : "text/plain");
	if (e.server) {
		char bearer[160];
		snprintf(bearer, sizeof(bearer), "Bearer %.120s", a->server_key);
		header(post, "Authorization", bearer);
		return;
	}
	snprintf(post->path, sizeof(post->path), "/event/track?k=%.120s", a->public_key);
	char origin[128];
	snprintf(origin, sizeof(origin), "https://%.100s", player_shops[post->shop].domain);
	header(post, "Origin", origin);
	header(post, "User-Agent", s->v.agent);
	header(post, "X-Forwarded-For", s->v.ip);
}

static void start_post(struct player_post *post, int shop, const char *kind)
{
	post->shop = shop;
	post->kind = kind;
	post->nheaders = 0;
	post->bad_signature = post->repeat = false;
	buf_clear(&post->body);
}

static void copy_post(struct player_post *to, const struct player_post *from)
{
	struct buf body = to->body;
	*to = *from;
	to->body = body;
	buf_clear(&to->body);
	buf_add(&to->body, from->body.p, from->body.len);
}

/* What happens beside the visitors now and then. Returns false when nothing does. */
static bool disturb(struct player *p, struct player_post *post)
{
	char id[37];
	bool webhook = p->last.body.len > 0;
	if (webhook && player_chance(&p->rnd, 12)) {
		copy_post(post, &p->last);
		post->repeat = true;
		return true;
	}
	if (webhook && player_chance(&p->rnd, 4)) {
		start_post(post, p->last.shop, "bad signature");
		post->bad_signature = true;
		buf_add(&post->body, p->last.body.p, p->last.body.len);
		snprintf(post->path, sizeof(post->path), "/webhook/shopify");
		sign(p, post, "orders/create");
		return true;
	}
	bool broken = player_chance(&p->rnd, 2);
	if (!broken && !player_chance(&p->rnd, 3))
		return false;
	start_post(post, player_below(&p->rnd, PLAYER_SHOPS), broken ? "broken" : "carts/update");
	buf_adds(&post->body, broken ? "{\"id\":1001,\"total_price\":"
				     : "{\"id\":\"c1\",\"token\":\"c1\",\"line_items\":[]}");
	snprintf(post->path, sizeof(post->path), "/webhook/shopify");
	sign(p, post, broken ? "orders/updated" : "carts/update");
	uuid(&p->rnd, id);
	header(post, "X-Shopify-Webhook-Id", id);
	return true;
}

void player_next(struct player *p, int64_t now_us, struct player_post *post)
{
	if (disturb(p, post))
		return;
	struct visit *s = &p->visits[player_below(&p->rnd, VISITS)];
	while (s->at >= s->n)
		start_visit(p, s, now_us);
	enum step step = s->steps[s->at++];
	start_post(post, s->v.shop, steps[step].kind);
	if (!steps[step].path) {
		write_event(p, s, step, now_us, post);
		return;
	}
	write_webhook(p, s, step, now_us, post);
	copy_post(&p->last, post);
}

/* --- sending ------------------------------------------------------------------------------ */

enum slot_state { IDLE, BUSY, WAITING };

struct slot {
	CURL *easy;
	struct curl_slist *headers;
	struct player_post post;
	enum slot_state state;
	int tries;
	int64_t again_us; /* of WAITING */
};

struct sender {
	struct player *player;
	CURLM *multi;
	struct slot slots[SLOTS];
	uint64_t sent, failed;
};

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	(void)sig;
	stopping = 1;
}

static size_t swallow(char *p, size_t size, size_t n, void *user)
{
	(void)p;
	(void)user;
	return size * n;
}

static void send_slot(struct sender *t, struct slot *s)
{
	char url[400];
	snprintf(url, sizeof(url), "%.200s%s", t->player->o.base, s->post.path);
	curl_slist_free_all(s->headers);
	s->headers = curl_slist_append(NULL, "Expect:");
	for (int i = 0; i < s->post.nheaders; i++)
		s->headers = curl_slist_append(s->headers, s->post.headers[i]);
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)s->post.body.len);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, buf_str(&s->post.body));
	s->state = BUSY;
	s->tries++;
	curl_multi_add_handle(t->multi, s->easy);
}

static void finish_slot(struct sender *t, struct slot *s)
{
	long status = 0;
	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(t->multi, s->easy);
	t->sent++;
	s->state = IDLE;
	if (status == 200 || (status == 401 && s->post.bad_signature))
		return;
	/* A listener that has just started may not know the shops yet. */
	bool unknown = (status == 401 || status == 404) && s->tries < 5;
	if (((status == 0 || status >= 429) && s->tries < TRIES_MAX) || unknown) {
		s->state = WAITING;
		s->again_us = clock_mono_us() + US_PER_S / 2;
		return;
	}
	if (t->failed++ < 20)
		log_warn("%s of %s: the listener answered %ld", s->post.kind,
			player_shops[s->post.shop].name, status);
}

static struct slot *idle_slot(struct sender *t)
{
	int64_t now = clock_mono_us();
	for (size_t i = 0; i < SLOTS; i++)
		if (t->slots[i].state == WAITING && t->slots[i].again_us <= now)
			send_slot(t, &t->slots[i]);
	for (size_t i = 0; i < SLOTS; i++)
		if (t->slots[i].state == IDLE)
			return &t->slots[i];
	return NULL;
}

static void reap(struct sender *t)
{
	int left, running;
	CURLMsg *m;
	curl_multi_perform(t->multi, &running);
	while ((m = curl_multi_info_read(t->multi, &left)))
		if (m->msg == CURLMSG_DONE)
			for (size_t i = 0; i < SLOTS; i++)
				if (t->slots[i].easy == m->easy_handle) {
					finish_slot(t, &t->slots[i]);
					break;
				}
}

static void post_one(struct sender *t, struct slot *s, int64_t now_us)
{
	player_next(t->player, now_us, &s->post);
	s->tries = 0;
	send_slot(t, s);
}

/* Sends what is due; returns microseconds until the next is. */
static int64_t send_due(struct sender *t, int64_t *due_us, int *burst)
{
	const struct player_options *o = &t->player->o;
	int64_t gap = (int64_t)(1e6 / o->rate);
	struct slot *s;
	while (*burst > 0 && (s = idle_slot(t))) {
		post_one(t, s, clock_now_us() - *burst * gap);
		--*burst;
		*due_us = clock_mono_us() + gap;
	}
	if (*burst > 0)
		return 10000;
	int64_t now = clock_mono_us();
	/* A listener that was away is not flooded afterwards: at most a second is made up for. */
	*due_us = TA_MAX(*due_us, now - US_PER_S);
	while (*due_us <= now && (s = idle_slot(t))) {
		post_one(t, s, clock_now_us());
		*due_us += gap;
	}
	return TA_MAX(*due_us - now, 1000);
}

static void play(struct sender *t)
{
	const struct player_options *o = &t->player->o;
	int burst = (int)(o->rate * o->burst_s);
	int64_t due_us = clock_mono_us();
	while (!stopping) {
		int64_t wait_us = send_due(t, &due_us, &burst);
		reap(t);
		curl_multi_poll(t->multi, NULL, 0, (int)TA_MIN(wait_us / 1000, 100), NULL);
	}
}

static void set_up_slot(struct slot *s)
{
	buf_init(&s->post.body, BODY_MAX);
	s->easy = curl_easy_init();
	TA_ASSERT(s->easy);
	curl_easy_setopt(s->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, 10000L);
	curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(s->easy, CURLOPT_PROTOCOLS_STR, "http");
}

enum ta_rc player_run(const struct player_options *o, struct ta_err *err)
{
	struct sender *t = ta_alloc(sizeof(*t));
	struct sigaction act = {.sa_handler = on_signal};
	sigemptyset(&act.sa_mask);
	if (sigaction(SIGTERM, &act, NULL) || sigaction(SIGINT, &act, NULL)) {
		free(t);
		return ta_fail_os(err, "sigaction");
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	t->player = player_new(o, clock_now_us() - o->burst_s * US_PER_S);
	t->multi = curl_multi_init();
	TA_ASSERT(t->multi);
	curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)SLOTS);
	for (size_t i = 0; i < SLOTS; i++)
		set_up_slot(&t->slots[i]);
	play(t);
	for (size_t i = 0; i < SLOTS; i++) {
		curl_multi_remove_handle(t->multi, t->slots[i].easy);
		curl_easy_cleanup(t->slots[i].easy);
		curl_slist_free_all(t->slots[i].headers);
		buf_release(&t->slots[i].post.body);
	}
	curl_multi_cleanup(t->multi);
	player_free(t->player);
	free(t);
	return TA_OK;
}
