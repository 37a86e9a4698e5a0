#include "src/cause_hash.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/crypto.h"
#include "src/map.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define VALUES_MAX 3000 /* plain values learnt: some twenty hashes each */
#define VALUE_LEN  120

struct verdict {
	enum cause cause; /* CAUSE_NONE: as it should be */
	const char *how;
};

struct hash_book {
	struct arena *a;
	enum platform_id platform;
	struct map known; /* hash -> verdict */
	struct map seen;  /* values learnt */
	size_t n;
};

static const struct verdict right = {CAUSE_NONE, ""};
static const struct verdict twice = {CAUSE_HASH_TWICE, "the hash of a hash"};
static const struct verdict upper = {CAUSE_HASH_NOT_NORMALISED, "the hash of text in upper case"};
static const struct verdict capital = {
	CAUSE_HASH_NOT_NORMALISED, "the hash of text with capital letters"};
static const struct verdict blanks = {
	CAUSE_HASH_NOT_NORMALISED, "the hash of text with blanks around it"};
static const struct verdict words = {
	CAUSE_HASH_NOT_NORMALISED, "the hash of a word instead of its code"};
static const struct verdict nothing = {CAUSE_HASH_EMPTY, "the hash of an empty text"};
static const struct verdict placeholder = {
	CAUSE_HASH_EMPTY, "the hash of a placeholder (null, undefined, …)"};
static const struct verdict local = {
	CAUSE_PHONE_FORM, "the hash of a number without its country's calling code"};
static const struct verdict written = {
	CAUSE_PHONE_FORM, "the hash of a number with blanks, dashes or zeros before it"};
static const struct verdict plus = {
	CAUSE_PHONE_FORM, "the hash of a number with a plus, which this platform takes without"};
static const struct verdict no_plus = {
	CAUSE_PHONE_FORM, "the hash of a number without the plus that TikTok takes"};

/* The first meaning of a hash stays, a right one always. */
static void put(struct hash_book *h, const char *text, size_t n, const struct verdict *v)
{
	char hex[65];
	crypto_sha256_hex(text, n, hex);
	if (v == &right || !map_get(&h->known, hex, 64)) {
		struct verdict *own = arena_alloc(h->a, sizeof(*own));
		*own = *v;
		map_put(&h->known, hex, 64, own);
	}
	if (v != &right)
		return;
	char again[65];
	crypto_sha256_hex(hex, 64, again);
	if (!map_get(&h->known, again, 64)) {
		struct verdict *own = arena_alloc(h->a, sizeof(*own));
		*own = twice;
		map_put(&h->known, again, 64, own);
	}
}

static void puts_(struct hash_book *h, const char *text, const struct verdict *v)
{
	put(h, text, strlen(text), v);
}

static bool learnt(struct hash_book *h, const char *value)
{
	size_t n = strlen(value);
	if (n == 0 || n > VALUE_LEN || h->n >= VALUES_MAX || map_get(&h->seen, value, n))
		return true;
	map_put(&h->seen, value, n, h);
	h->n++;
	return false;
}

/* Capital letters at the beginning of each part ("Jane.Doe@…"), or only at the first. */
static void capitals(char *s, bool each)
{
	bool begin = true;
	for (; *s; s++) {
		if (begin && islower((unsigned char)*s))
			*s = (char)toupper((unsigned char)*s);
		if (!each || *s == '@')
			return;
		begin = !isalnum((unsigned char)*s);
	}
}

/* The usual mistakes with a text whose right form is `v`. ASCII letters only: others are rare here.
 */
static void mistakes(struct hash_book *h, const char *v)
{
	char t[VALUE_LEN + 8];
	size_t n = strlen(v);
	memcpy(t, v, n + 1);
	for (char *p = t; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	put(h, t, n, &upper);
	for (int each = 0; each < 2; each++) {
		memcpy(t, v, n + 1);
		capitals(t, each);
		put(h, t, n, &capital);
	}
	static const char *const around[][2] = {{" ", ""}, {"", " "}, {"", "\n"}, {" ", " "}};
	for (size_t i = 0; i < TA_COUNT(around); i++)
		puts_(h, arena_fmt(h->a, "%s%s%s", around[i][0], v, around[i][1]), &blanks);
}

static void learn_phone(struct hash_book *h, const char *digits)
{
	bool tiktok = h->platform == PLATFORM_TIKTOK;
	size_t n = strlen(digits);
	puts_(h, arena_fmt(h->a, "+%s", digits), tiktok ? &right : &plus);
	put(h, digits, n, tiktok ? &no_plus : &right);
	puts_(h, arena_fmt(h->a, "00%s", digits), &written);
	for (size_t code = 1; code <= 3 && n > code + 6; code++) {
		const char *d = digits + code;
		puts_(h, d, &local);
		puts_(h, arena_fmt(h->a, "0%s", d), &local);
		if (strlen(d) != 10)
			continue;
		puts_(h, arena_fmt(h->a, "(%.3s) %.3s-%s", d, d + 3, d + 6), &written);
		puts_(h, arena_fmt(h->a, "%.3s-%.3s-%s", d, d + 3, d + 6), &written);
		puts_(h, arena_fmt(h->a, "+%.*s %.3s-%.3s-%s", (int)code, digits, d, d + 3, d + 6),
			&written);
	}
}

static void learn_hash(struct hash_book *h, const char *value)
{
	char hex[65], again[65];
	for (size_t i = 0; i < 65; i++)
		hex[i] = (char)tolower((unsigned char)value[i]);
	crypto_sha256_hex(hex, 64, again);
	if (map_get(&h->known, again, 64))
		return;
	struct verdict *own = arena_alloc(h->a, sizeof(*own));
	*own = twice;
	map_put(&h->known, again, 64, own);
}

static const char *value_of(const struct event_user *u, enum identity_key k)
{
	const char *const values[ID_COUNT] = {[ID_EMAIL] = u->email,
		[ID_PHONE] = u->phone,
		[ID_EXTERNAL_ID] = u->external_id,
		[ID_FIRST_NAME] = u->first_name,
		[ID_LAST_NAME] = u->last_name,
		[ID_CITY] = u->city,
		[ID_STATE] = u->state,
		[ID_ZIP] = u->zip,
		[ID_COUNTRY] = u->country,
		[ID_BIRTHDATE] = u->birthdate,
		[ID_GENDER] = u->gender};
	return values[k];
}

/* What any platform takes as right is right: a shop cannot know whom we send it to. */
static void learn_value(struct hash_book *h, enum identity_key k, const struct event_user *u)
{
	char last[VALUE_LEN + 1] = ""; /* mostly all take the same form */
	for (int p = 0; p < PLATFORM_SHEETS; p++) {
		struct buf form = BUF_INIT(4096);
		if (identity_form((enum platform_id)p, k, u, &form) && form.len <= VALUE_LEN &&
			strcmp(form.p, last) != 0) {
			memcpy(last, form.p, form.len + 1);
			put(h, form.p, form.len, &right);
			if (k != ID_EXTERNAL_ID)
				mistakes(h, last);
		}
		buf_release(&form);
	}
}

void hash_book_learn(struct hash_book *h, const struct event_user *u)
{
	for (int k = 0; k < ID_COUNT; k++) {
		const char *v = value_of(u, (enum identity_key)k);
		if (!v || learnt(h, v))
			continue;
		if (identity_is_hash(v))
			learn_hash(h, v);
		else if (k == ID_PHONE)
			learn_phone(h, v);
		else
			learn_value(h, (enum identity_key)k, u);
	}
}

/* Closed vocabularies -------------------------------------------------------------------------- */

static void learn_countries(struct hash_book *h)
{
	static const struct {
		const char *code, *name;
	} countries[] = {
#define COUNTRY(iso, calling, trunk, longest, name) {iso, name},
#include "src/countries.def"
#undef COUNTRY
	};
	for (size_t i = 0; i < TA_COUNT(countries); i++) {
		char code[3] = {(char)tolower((unsigned char)countries[i].code[0]),
			(char)tolower((unsigned char)countries[i].code[1]), '\0'};
		char name[80];
		snprintf(name, sizeof(name), "%s", countries[i].name);
		puts_(h, code, &right);
		puts_(h, countries[i].code, &upper);
		puts_(h, name, &words);
		capitals(name, true);
		puts_(h, name, &words);
	}
	puts_(h, "USA", &words);
	puts_(h, "usa", &words);
}

static void learn_words(struct hash_book *h)
{
	static const char *const genders[] = {
		"female", "Female", "FEMALE", "male", "Male", "MALE", "woman", "man"};
	static const char *const names[] = {"james", "mary", "john", "jane", "robert", "michael",
		"anna", "david", "emma", "thomas", "maria", "peter", "paul", "laura", "julia",
		"lisa", "daniel", "sarah", "mark", "lena", "max", "marie", "jan", "sophie", "lucas",
		"olivia", "noah", "liam", "mia", "leon", "ana", "juan", "jose", "carlos", "marta",
		"pierre"};
	static const char *const none[] = {"null", "NULL", "Null", "undefined", "none", "None",
		"nan", "NaN", "n/a", "N/A", "unknown", "false", "true", "0", "-", " ", "nil",
		"[object Object]", "(not set)", "test@test.com"};
	puts_(h, "", &nothing);
	for (size_t i = 0; i < TA_COUNT(none); i++)
		puts_(h, none[i], &placeholder);
	for (const char *g = "fmn"; *g; g++) {
		char t[2] = {*g, '\0'};
		put(h, t, 1, &right);
		t[0] = (char)toupper((unsigned char)*g);
		put(h, t, 1, &upper);
	}
	for (size_t i = 0; i < TA_COUNT(genders); i++)
		puts_(h, genders[i], &words);
	for (size_t i = 0; i < TA_COUNT(names); i++) {
		puts_(h, names[i], &right);
		mistakes(h, names[i]);
	}
}

struct hash_book *hash_book_new(struct arena *a, enum platform_id platform)
{
	struct hash_book *h = arena_alloc(a, sizeof(*h));
	*h = (struct hash_book){
		.a = a, .platform = platform, .known = MAP_INIT(a), .seen = MAP_INIT(a)};
	learn_words(h);
	learn_countries(h);
	return h;
}

enum cause hash_book_judge(const struct hash_book *h, const char *hex, const char **how)
{
	char lower[65];
	bool is_upper = false;
	for (size_t i = 0; i < 65; i++) {
		lower[i] = (char)tolower((unsigned char)hex[i]);
		is_upper |= lower[i] != hex[i];
	}
	const struct verdict *v = map_get(&h->known, lower, 64);
	if (v && v->cause != CAUSE_NONE) {
		*how = v->how;
		return v->cause;
	}
	*how = "upper-case hex";
	return is_upper ? CAUSE_HASH_UPPER : CAUSE_NONE;
}
