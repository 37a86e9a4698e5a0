/* Sealing to a key and boxes under a passphrase: what goes in comes out, to nobody else, and no
 * changed byte passes. */
#include "src/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "a token of a platform";
#define TEXT (sizeof(text) - 1)

static void sealed_opens_only_with_its_key(void **state)
{
	(void)state;
	uint8_t pub[SEAL_KEY_LEN], priv[SEAL_KEY_LEN], other[SEAL_KEY_LEN];
	uint8_t blob[TEXT + SEAL_OVERHEAD], out[TEXT];
	struct ta_err err = {0};
	seal_keypair(pub, priv);
	assert_int_equal(seal(pub, "row 1", text, TEXT, blob, &err), TA_OK);
	assert_int_equal(seal_open(priv, "row 1", blob, sizeof(blob), out, &err), TA_OK);
	assert_memory_equal(out, text, TEXT);
	assert_int_equal(seal_open(priv, "row 2", blob, sizeof(blob), out, &err), TA_DENIED);
	for (size_t i = 0; i < sizeof(blob); i++) {
		blob[i] ^= 1;
		assert_int_equal(
			seal_open(priv, "row 1", blob, sizeof(blob), out, &err), TA_DENIED);
		blob[i] ^= 1;
	}
	seal_keypair(pub, other);
	assert_int_equal(seal_open(other, "row 1", blob, sizeof(blob), out, &err), TA_DENIED);
}

static struct box_key key_of(const char *pass, uint8_t first_of_salt)
{
	struct box_pass p = {.p = pass, .n = strlen(pass), .cost = BOX_COST_MIN};
	struct box_key key;
	struct ta_err err = {0};
	for (uint8_t i = 0; i < BOX_SALT_LEN; i++)
		p.salt[i] = i;
	p.salt[0] = first_of_salt;
	assert_int_equal(box_key(&p, &key, &err), TA_OK);
	return key;
}

/* Made with hashlib.scrypt() and hmac.new() of Python. */
static void box_is_scrypt_and_hmac(void **state)
{
	(void)state;
	struct box_key key = key_of("correct horse battery", 0);
	uint8_t box[4 + BOX_OVERHEAD];
	struct ta_err err = {0};
	char hex[65];
	hex_encode(key.encrypt, 32, hex);
	assert_string_equal(
		hex, "e96ec6ba8c63a23698220f37c7fc042925d430c7feadec9ceb04af03cabb9f2f");
	hex_encode(key.nonce, 32, hex);
	assert_string_equal(
		hex, "1cad3fcfbd59a87b9872dc79dac9824a2cfac809032b2acd343d16464bf99488");
	assert_int_equal(box_seal(&key, "aad", "text", 4, box, &err), TA_OK);
	hex_encode(box, 12, hex);
	assert_string_equal(hex, "5bc26772b7092b55d47a80c1");
}

static void box_opens_only_with_its_passphrase(void **state)
{
	(void)state;
	struct box_key key = key_of("one", 0), other = key_of("two", 0), salted = key_of("one", 9);
	uint8_t box[TEXT + BOX_OVERHEAD], again[TEXT + BOX_OVERHEAD], out[TEXT];
	struct ta_err err = {0};
	assert_int_equal(box_seal(&key, "v1", text, TEXT, box, &err), TA_OK);
	assert_int_equal(box_seal(&key, "v1", text, TEXT, again, &err), TA_OK);
	assert_memory_equal(box, again, sizeof(box));
	assert_int_equal(box_open(&key, "v1", box, sizeof(box), out, &err), TA_OK);
	assert_memory_equal(out, text, TEXT);
	assert_int_equal(box_open(&key, "v2", box, sizeof(box), out, &err), TA_DENIED);
	assert_int_equal(box_open(&other, "v1", box, sizeof(box), out, &err), TA_DENIED);
	assert_int_equal(box_open(&salted, "v1", box, sizeof(box), out, &err), TA_DENIED);
	assert_int_equal(box_open(&key, "v1", box, BOX_OVERHEAD - 1, out, &err), TA_DENIED);
	for (size_t i = 0; i < sizeof(box); i++) {
		box[i] ^= 1;
		assert_int_equal(box_open(&key, "v1", box, sizeof(box), out, &err), TA_DENIED);
		box[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_opens_only_with_its_key),
		cmocka_unit_test(box_is_scrypt_and_hmac),
		cmocka_unit_test(box_opens_only_with_its_passphrase),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
