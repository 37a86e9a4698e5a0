/* Identity: what sources accept, and the exact text and hash each platform gets. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/crypto.h"
#include "src/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static void same(const char *got, const char *want)
{
	if (!want && !got)
		return;
	if (!want || !got)
		fail_msg("got %s, want %s", got ? got : "(none)", want ? want : "(none)");
	assert_string_equal(got, want);
}

#define HASH "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"

static void emails(void **state)
{
	(void)state;
	same(identity_email(&arena, "  Jane.Doe@Example.COM\n", false), "jane.doe@example.com");
	same(identity_email(&arena,
		     "J\xc3\x9cRGEN@b\xc3\xbc"
		     "cher.example",
		     false),
		"j\xc3\xbcrgen@b\xc3\xbc"
		"cher.example");
	static const char *const bad[] = {"", "   ", "jane", "@example.com", "jane@",
		"jane@example", "jane@.com", "jane@example.", "a@b@c.com", "a b@c.com", "a@b..com",
		"Jane <jane@example.com>", "a@b.com,c@d.com", HASH};
	for (size_t i = 0; i < TA_COUNT(bad); i++)
		same(identity_email(&arena, bad[i], false), NULL);
	same(identity_email(&arena, NULL, false), NULL);
	same(identity_email(&arena,
		     "86E0B9E56C17CC4D12387E1949B85053FBE73BC3CE5A1188713A9D300CC6133D", true),
		HASH);
}

static void phones(void **state)
{
	(void)state;
	static const struct {
		const char *text, *country, *want;
	} t[] = {
		{"+1 (555) 123-4567", NULL, "15551234567"},
		{"555-123-4567", "US", "15551234567"},
		{"1 555 123 4567", "US", "15551234567"},
		{"123-123-1234", "CA", "11231231234"},
		{"555-123-4567", NULL, NULL},
		{"555-555-SHIP", "US", NULL},
		{"+1 555 123 4567 ext 8", "US", NULL},
		{"+81 90-1234-5678", NULL, "819012345678"},
		{"090-1234-5678", "JP", "819012345678"},
		{"+44 (0)20 7946 0958", "US", "442079460958"},
		{"020 7946 0958", "GB", "442079460958"},
		{"0044 20 7946 0958", NULL, "442079460958"},
		{"447911123456", "GB", "447911123456"},
		{"06 12345678", "NL", "31612345678"},
		{"0612345678", "IT", "390612345678"},
		{"06201234567", "HU", "36201234567"},
		{"89161234567", "RU", "79161234567"},
		{"8121234567", "RU", "78121234567"},
		{"5591234567", "BR", "555591234567"},
		{"011 44 20 7946 0958", "US", "442079460958"},
		{"612 34 56 78", "", NULL},
		{"612 34 56 78", "ES", "34612345678"},
		{"+34\xc2\xa0"
		 "612\xe2\x80\x91"
		 "345678",
			NULL, "34612345678"},
		{"+123456789012345", NULL, "123456789012345"},
		{"+1234567890123456", NULL, NULL},
		{"+1234567", NULL, NULL},
		{"+0123456789", NULL, NULL},
		{"", "US", NULL},
		{"+", "US", NULL},
		{"12+34567890", "US", NULL},
		{"000000000000", NULL, NULL},
	};
	for (size_t i = 0; i < TA_COUNT(t); i++) {
		const char *c = t[i].country && strlen(t[i].country) == 2 ? t[i].country : NULL;
		same(identity_phone(&arena, t[i].text, c, false), t[i].want);
	}
	same(identity_phone(&arena, HASH, "US", false), NULL);
	same(identity_phone(&arena, HASH, "US", true), HASH);
}

static void places(void **state)
{
	(void)state;
	same(identity_country("us"), "US");
	same(identity_country("United States"), "US");
	same(identity_country(" Deutschland "), "DE");
	same(identity_country("\xc3\x96sterreich"), "AT");
	same(identity_country("UK"), "GB");
	same(identity_country("Zimbabwe"), "ZW");
	same(identity_country("ZZ"), NULL);
	same(identity_country("Atlantis"), NULL);
	same(identity_country(""), NULL);
	same(identity_country(NULL), NULL);
	same(identity_state("US", "new york"), "NY");
	same(identity_state("CA", "Ontario"), "ON");
	same(identity_state("DE", "Ontario"), NULL);
	same(identity_birthdate(&arena, "1990-01-31", false), "19900131");
	same(identity_birthdate(&arena, "19901331", false), NULL);
	same(identity_birthdate(&arena, "31.01.1990", false), NULL);
	same(identity_gender(&arena, "Female", false), "f");
	same(identity_gender(&arena, "?", false), NULL);
}

/* The form of one key, NULL when the platform gets none. */
static const char *form(enum platform_id p, enum identity_key k, const struct event_user *u)
{
	struct buf b = BUF_INIT(4096);
	const char *out = identity_form(p, k, u, &b) ? arena_strdup(&arena, buf_str(&b)) : NULL;
	buf_release(&b);
	return out;
}

static void forms(void **state)
{
	(void)state;
	const struct event_user nyc = {.city = "New York",
		.state = "New York",
		.country = "US",
		.zip = "10001-1234",
		.first_name = " Mar\xc3\x8d"
			      "A Jos\xc3\x89 ",
		.phone = "15551234567",
		.gender = "n",
		.external_id = " Ab1 "};
	same(form(PLATFORM_PINTEREST, ID_CITY, &nyc), "newyork");
	same(form(PLATFORM_TIKTOK, ID_CITY, &nyc), "newyork");
	same(form(PLATFORM_META, ID_STATE, &nyc), "ny");
	same(form(PLATFORM_PINTEREST, ID_ZIP, &nyc), "100011234");
	same(form(PLATFORM_META, ID_ZIP, &nyc), "10001");
	same(form(PLATFORM_TIKTOK, ID_COUNTRY, &nyc), "us");
	same(form(PLATFORM_META, ID_FIRST_NAME, &nyc), "mar\xc3\xad"
						       "ajos\xc3\xa9");
	same(form(PLATFORM_PINTEREST, ID_FIRST_NAME, &nyc), "mar\xc3\xad"
							    "a jos\xc3\xa9");
	same(form(PLATFORM_META, ID_PHONE, &nyc), "15551234567");
	same(form(PLATFORM_TIKTOK, ID_PHONE, &nyc), "+15551234567");
	same(form(PLATFORM_PINTEREST, ID_GENDER, &nyc), "n");
	same(form(PLATFORM_META, ID_GENDER, &nyc), NULL);
	same(form(PLATFORM_TIKTOK, ID_GENDER, &nyc), NULL);
	same(form(PLATFORM_PINTEREST, ID_EXTERNAL_ID, &nyc), "Ab1");
	same(form(PLATFORM_PINTEREST, ID_EMAIL, &nyc), NULL);

	const struct event_user others[] = {{.zip = "SW1A 1AA", .country = "GB"},
		{.zip = "K2P 0B0", .country = "CA"}, {.zip = "1012 AB", .country = "NL"},
		{.zip = "150-0001", .country = "JP"},
		{.city = "Saint-\xc3\x89tienne 2", .last_name = "O'Neill"},
		{.city = "M\xc3\x9cnchen", .state = "BY", .country = "DE"}, {.city = " .- "}};
	same(form(PLATFORM_PINTEREST, ID_ZIP, &others[0]), "sw1a1aa");
	same(form(PLATFORM_META, ID_ZIP, &others[0]), "sw1a1aa");
	same(form(PLATFORM_TIKTOK, ID_ZIP, &others[1]), "k2p0b0");
	same(form(PLATFORM_PINTEREST, ID_ZIP, &others[2]), "1012ab");
	same(form(PLATFORM_PINTEREST, ID_ZIP, &others[3]), "1500001");
	same(form(PLATFORM_META, ID_ZIP, &others[3]), "150-0001");
	same(form(PLATFORM_PINTEREST, ID_CITY, &others[4]), "saint\xc3\xa9tienne2");
	same(form(PLATFORM_META, ID_CITY, &others[4]), "saint\xc3\xa9tienne");
	same(form(PLATFORM_META, ID_LAST_NAME, &others[4]), "oneill");
	same(form(PLATFORM_TIKTOK, ID_LAST_NAME, &others[4]), "o'neill");
	same(form(PLATFORM_TIKTOK, ID_CITY, &others[5]), "m\xc3\xbcnchen");
	same(form(PLATFORM_PINTEREST, ID_CITY, &others[6]), NULL);
}

static const char *hash(enum platform_id p, enum identity_key k, const struct event_user *u)
{
	char hex[65];
	return identity_hash(p, k, u, hex) ? arena_strdup(&arena, hex) : NULL;
}

/* The vectors were computed with openssl from the normalised text. */
static void hashes(void **state)
{
	(void)state;
	const struct event_user u = {.email = "jane.doe@example.com",
		.phone = "15551234567",
		.gender = "f",
		.birthdate = "19900131",
		.city = "New York",
		.country = "US"};
	same(hash(PLATFORM_PINTEREST, ID_EMAIL, &u), HASH);
	same(hash(PLATFORM_META, ID_PHONE, &u),
		"d6736136ea896c1bfdc553e0e86e702c70d060d805696ca3e4e9e0961353860a");
	same(hash(PLATFORM_TIKTOK, ID_PHONE, &u),
		"8a59780bb8cd2ba022bfa5ba2ea3b6e07af17a7d8b30c1f9b3390e36f69019e4");
	same(hash(PLATFORM_META, ID_GENDER, &u),
		"252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111");
	same(hash(PLATFORM_PINTEREST, ID_BIRTHDATE, &u),
		"267b39628557f31a6766b3d7f8823978c276759be4a5c9c52bf868d802ba5a0d");
	same(hash(PLATFORM_PINTEREST, ID_CITY, &u),
		"350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5");
	same(hash(PLATFORM_META, ID_COUNTRY, &u),
		"79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621");
	const struct event_user given = {.email = HASH,
		.city = HASH,
		.phone = "D6736136EA896C1BFDC553E0E86E702C70D060D805696CA3E4E9E0961353860A"};
	same(hash(PLATFORM_PINTEREST, ID_EMAIL, &given), HASH);
	same(hash(PLATFORM_TIKTOK, ID_PHONE, &given),
		"d6736136ea896c1bfdc553e0e86e702c70d060d805696ca3e4e9e0961353860a");
	same(form(PLATFORM_TIKTOK, ID_CITY, &given), NULL);
	same(hash(PLATFORM_META, ID_STATE, &given), NULL);
	const struct event_user empty = {.email = "", .city = " ", .first_name = "\xc2\xa0"};
	for (int k = 0; k < ID_COUNT; k++)
		for (int p = 0; p <= PLATFORM_TIKTOK; p++)
			same(hash((enum platform_id)p, (enum identity_key)k, &empty), NULL);
	const struct event_user nothing = {
		.email = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"};
	same(hash(PLATFORM_META, ID_EMAIL, &nothing), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(emails),
		cmocka_unit_test(phones),
		cmocka_unit_test(places),
		cmocka_unit_test(forms),
		cmocka_unit_test(hashes),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
