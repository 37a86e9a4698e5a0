/* Signatures, keys, receipt keys. */
#include "net/auth.h"
#include "src/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static struct caller_secret secret(char *s)
{
	return (struct caller_secret){strlen(s), (uint8_t *)s};
}

/* The body {} under hush_test_secret: CONTRACTS 4.1, checked there with openssl. */
static const char mac[] = "qH3aiJvkcQOnIvrFB6jl9Zk68gF7gWLSXGt/ehH/yzE=";

static void test_signature(void **state)
{
	char now[] = "hush_test_secret", other[] = "another";
	struct caller_shop shop = {.secret = {secret(now)}};
	(void)state;
	assert_true(auth_signature(&shop, mac, "{}", 2));
	assert_false(auth_signature(&shop, mac, "{} ", 3));
	assert_false(auth_signature(&shop, "", "{}", 2));
	assert_false(auth_signature(&shop, "qH3aiJvkcQOnIvrFB6jl9Zk68gF7gWLSXGt/ehH/yz", "{}", 2));
	shop.secret[0] = secret(other);
	assert_false(auth_signature(&shop, mac, "{}", 2));
	shop.secret[1] = secret(now);
	assert_true(auth_signature(&shop, mac, "{}", 2));
	shop = (struct caller_shop){.store_id = 1};
	assert_false(auth_signature(&shop, mac, "{}", 2));
}

/* An empty key must not open anything either. */
static void test_no_secret(void **state)
{
	struct caller_shop shop = {.store_id = 1};
	uint8_t digest[SHA256_LEN];
	char text[64];
	(void)state;
	crypto_hmac_sha256("", 0, "{}", 2, digest);
	base64_encode(digest, sizeof(digest), text);
	assert_false(auth_signature(&shop, text, "{}", 2));
}

static void test_bearer(void **state)
{
	(void)state;
	assert_string_equal(auth_bearer("Bearer abc"), "abc");
	assert_string_equal(auth_bearer("bearer   abc"), "abc");
	assert_null(auth_bearer("Basic abc"));
	assert_null(auth_bearer("Bearer "));
	assert_null(auth_bearer(NULL));
}

static void test_scopes(void **state)
{
	struct caller_key k = {.scope = SCOPE_PUBLIC};
	(void)state;
	assert_true(auth_may_track(&k, true));
	assert_false(auth_may_track(&k, false));
	for (int s = SCOPE_TRACK; s <= SCOPE_ADMIN; s++) {
		k.scope = (enum caller_scope)s;
		assert_false(auth_may_track(&k, true));
		assert_int_equal(auth_may_track(&k, false), s != SCOPE_READ);
	}
}

static struct inbox_row row(const char *topic, const char *id, const char *body)
{
	struct inbox_row r = {.store_id = 7, .topic = topic, .webhook_id = id};
	crypto_sha256(body, strlen(body), r.body_hash);
	receipt_key(&r);
	return r;
}

static bool same(struct inbox_row a, struct inbox_row b)
{
	return memcmp(a.key, b.key, sizeof(a.key)) == 0;
}

static void test_receipt_key(void **state)
{
	struct inbox_row first = row("orders/create", "w1", "{}"), other = first;
	(void)state;
	assert_true(same(first, row("orders/create", "w1", "{\"differs\":1}")));
	assert_false(same(first, row("orders/create", "w2", "{}")));
	assert_false(same(first, row("orders/paid", "w1", "{}")));
	assert_false(same(row("a", "bc", "x"), row("ab", "c", "x")));
	assert_true(same(row("t", "", "x"), row("t", "", "x")));
	assert_false(same(row("t", "", "x"), row("t", "", "y")));
	assert_false(same(row("t", "", "x"), row("u", "", "x")));
	other.store_id = 8;
	receipt_key(&other);
	assert_false(same(first, other));
	other = first;
	other.source = 2;
	receipt_key(&other);
	assert_false(same(first, other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_no_secret),
		cmocka_unit_test(test_bearer),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_receipt_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
