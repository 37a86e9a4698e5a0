/* The player: what it sends is well formed, signed, varied, and the same for the same seed. */
#include "net/player.h"
#include "net/player_body.h"
#include "src/crypto.h"
#include "src/err.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START INT64_C(1795344000000000) /* 2026-11-22T11:20:00Z */

static struct player_options options(uint64_t seed)
{
	struct player_options o = {.base = "http://127.0.0.1:1", .rate = 8, .seed = seed};
	for (size_t i = 0; i < PLAYER_SHOPS; i++)
		o.access[i] = (struct player_access){"secret", "ta_pub", "ta_key"};
	return o;
}

static const char *header(const struct player_post *p, const char *name)
{
	size_t n = strlen(name);
	for (int i = 0; i < p->nheaders; i++)
		if (strncmp(p->headers[i], name, n) == 0 && p->headers[i][n] == ':')
			return p->headers[i] + n + 2;
	return NULL;
}

static void check_signature(const struct player_post *p)
{
	uint8_t mac[SHA256_LEN];
	char text[48];
	crypto_hmac_sha256("secret", 6, p->body.p, p->body.len, mac);
	base64_encode(mac, sizeof(mac), text);
	int same = strcmp(text, header(p, "X-Shopify-Hmac-Sha256"));
	assert_true(p->bad_signature ? same != 0 : same == 0);
}

static void check_order(const struct player_post *p, const json_t *o)
{
	const char *price = json_string_value(json_object_get(o, "total_price"));
	const char *currency = json_string_value(json_object_get(o, "currency"));
	assert_non_null(price);
	assert_string_equal(currency, player_shops[p->shop].currency);
	assert_true((strchr(price, '.') == NULL) == (strcmp(currency, "JPY") == 0));
	assert_true(json_is_integer(json_object_get(o, "id")));
	assert_true(json_array_size(json_object_get(o, "line_items")) > 0);
}

static const char *const wanted[] = {"orders/create", "orders/paid", "orders/updated",
	"orders/cancelled", "refunds/create", "checkouts/create", "checkouts/update",
	"carts/update", "broken", "bad signature", "page_view", "view_content", "view_category",
	"search", "add_to_cart", "add_to_wishlist", "initiate_checkout", "add_payment_info",
	"purchase", "signup", "lead", "subscribe"};

static void check_post(const struct player_post *post)
{
	assert_false(post->body.over);
	json_t *v = json_loadb(post->body.p, post->body.len, 0, NULL);
	if ((v == NULL) != (strcmp(post->kind, "broken") == 0))
		fail_msg("%s: %s", post->kind, buf_str(&post->body));
	if (strncmp(post->path, "/webhook/", 9) == 0)
		check_signature(post);
	else
		assert_true(header(post, "Authorization") || strstr(post->path, "?k=ta_pub"));
	if (strncmp(post->kind, "orders/", 7) == 0)
		check_order(post, v);
	json_decref(v);
}

static void everything_is_well_formed(void **state)
{
	unsigned seen[TA_COUNT(wanted)] = {0}, repeats = 0, shops[PLAYER_SHOPS] = {0};
	const struct player_options o = options(7);
	struct player *p = player_new(&o, START);
	struct player_post post = {.body = BUF_INIT(65536)};
	(void)state;
	for (int i = 0; i < 20000; i++) {
		player_next(p, START + i * INT64_C(125000), &post);
		check_post(&post);
		for (size_t k = 0; k < TA_COUNT(wanted); k++)
			seen[k] += strcmp(post.kind, wanted[k]) == 0;
		repeats += post.repeat;
		shops[post.shop]++;
	}
	for (size_t k = 0; k < TA_COUNT(wanted); k++)
		if (seen[k] == 0)
			fail_msg("no %s among 20,000", wanted[k]);
	assert_in_range(repeats, 100, 500);
	for (size_t k = 0; k < PLAYER_SHOPS; k++)
		assert_true(shops[k] > 500);
	buf_release(&post.body);
	player_free(p);
}

static void digest_of(uint64_t seed, int64_t start, char out[65])
{
	const struct player_options o = options(seed);
	struct player *p = player_new(&o, start);
	struct player_post post = {.body = BUF_INIT(65536)};
	struct buf all = BUF_INIT(64 << 20);
	for (int i = 0; i < 500; i++) {
		player_next(p, start + i * INT64_C(125000), &post);
		buf_add(&all, post.body.p, post.body.len);
		for (int k = 0; k < post.nheaders; k++)
			buf_adds(&all, post.headers[k]);
	}
	crypto_sha256_hex(all.p, all.len, out);
	buf_release(&all);
	buf_release(&post.body);
	player_free(p);
}

static void the_same_seed_plays_the_same(void **state)
{
	char one[65], again[65], other[65], later[65];
	(void)state;
	digest_of(1, START, one);
	digest_of(1, START, again);
	digest_of(2, START, other);
	digest_of(1, START + 60000000, later);
	assert_string_equal(one, again);
	assert_string_not_equal(one, other);
	assert_string_not_equal(one, later);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_well_formed),
		cmocka_unit_test(the_same_seed_plays_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
