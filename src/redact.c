#include "src/redact.h"

#include "src/buf.h"
#include "src/crypto.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MIN  3    /* shorter ones would be found everywhere */
#define WORD_MAX  4096 /* bytes of a value that is learnt */
#define WORDS_MAX 20000

struct word {
	char *value, *mask;
	size_t n;
};

struct redact {
	uint8_t key[REDACT_KEY_LEN];
	struct word *words; /* longest first once `sorted` */
	size_t n, size;
	bool sorted, begins[256]; /* some word begins with that byte */
};

/* Objects all of whose leaves say who somebody is, or which click was theirs. */
static const char *const people[] = {"user", "user_data", "customer", "billing_address",
	"shipping_address", "default_address", "client_details", "click", "custom"};

/* Members that do so wherever they stand, and what to call them: one kind for one thing. */
static const struct {
	const char *name, *kind;
} members[] = {{"email", "email"}, {"em", "email"}, {"phone", "phone"}, {"ph", "phone"},
	{"first_name", "name"}, {"last_name", "name"}, {"fn", "name"}, {"ln", "name"},
	{"city", "city"}, {"ct", "city"}, {"zip", "zip"}, {"zp", "zip"}, {"zip_code", "zip"},
	{"ip", "ip"}, {"client_ip_address", "ip"}, {"browser_ip", "ip"}, {"remote", "ip"},
	{"user_agent", "agent"}, {"client_user_agent", "agent"}, {"external_id", "id"},
	{"fbc", "click"}, {"fbp", "click"}, {"epik", "click"}, {"click_id", "click"},
	{"ttclid", "click"}, {"ttp", "click"}, {"fbclid", "click"}, {"gclid", "click"},
	{"birthdate", "birthdate"}, {"db", "birthdate"}, {"address1", "address"},
	{"address2", "address"}, {"checkout_token", "token"}, {"cart_token", "token"},
	{"token", "token"}, {"access_token", "token"}, {"secret", "secret"},
	{"webhook_secret", "secret"}};

static const char *const urls[] = {
	"url", "referrer", "event_source_url", "referrer_url", "landing_site"};

struct redact *redact_new(const uint8_t key[REDACT_KEY_LEN])
{
	struct redact *r = ta_alloc(sizeof(*r));
	memcpy(r->key, key, sizeof(r->key));
	return r;
}

void redact_free(struct redact *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		crypto_wipe(r->words[i].value, r->words[i].n);
		free(r->words[i].value);
		free(r->words[i].mask);
	}
	free(r->words);
	crypto_wipe(r->key, sizeof(r->key));
	free(r);
}

static bool is_hash(const char *s, size_t n)
{
	return n == 64 && strspn(s, "0123456789abcdefABCDEF") >= 64;
}

/* "<kind:…>" of a value, without regard to the case of ASCII letters. */
static void mask_of(
	const struct redact *r, const char *kind, const char *value, size_t n, char out[40])
{
	uint8_t mac[SHA256_LEN];
	struct buf low = BUF_INIT(WORD_MAX + 1);
	for (size_t i = 0; i < n && i < WORD_MAX; i++)
		buf_addc(&low,
			value[i] >= 'A' && value[i] <= 'Z' ? (char)(value[i] | 0x20) : value[i]);
	crypto_hmac_sha256(r->key, sizeof(r->key), low.p ? low.p : "", low.len, mac);
	snprintf(out, 40, "<%.12s:%02x%02x%02x%02x%02x%02x>", is_hash(value, n) ? "sha256" : kind,
		mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	crypto_wipe(low.p, low.len);
	buf_release(&low);
}

/* Names -------------------------------------------------------------------------------------- */

static bool among(const char *const *list, size_t n, const char *s, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && strncmp(list[i], s, len) == 0)
			return true;
	return false;
}

/* What a member of this name says about somebody, NULL: nothing. A name may be a path
 * ("user_data.em.0"): any step of it into a person counts. */
static const char *kind_of(const char *name)
{
	const char *kind = NULL;
	bool person = false;
	for (const char *p = name; p && *p;) {
		size_t n = strcspn(p, ".[]\"' ()=<>!,");
		for (size_t i = 0; n && i < TA_COUNT(members); i++)
			if (strlen(members[i].name) == n && strncmp(members[i].name, p, n) == 0)
				kind = members[i].kind;
		person = person || (n && among(people, TA_COUNT(people), p, n));
		p += n;
		p += *p != '\0';
	}
	return kind ? kind : person ? "person" : NULL;
}

static const char *text_of(const json_t *v, char room[32])
{
	if (json_is_string(v))
		return json_string_value(v);
	if (!json_is_integer(v))
		return NULL;
	snprintf(room, 32, "%lld", (long long)json_integer_value(v));
	return room;
}

/* What is masked already, by us or by who stored it. */
static bool masked(const char *s)
{
	return strcmp(s, "***") == 0 || (s[0] == '<' && strchr(s, ':') && strchr(s, '>'));
}

/* Members whose value belongs to what another member names: {"path": "user.email", "value": …}, and
 * what a predicate saw. */
static const char *pair_kind(const json_t *o, const char *key)
{
	const char *of = NULL;
	if (strcmp(key, "value") == 0)
		of = json_string_value(json_object_get(o, "path"));
	else if (strcmp(key, "seen") == 0)
		of = json_string_value(json_object_get(o, "predicate"));
	return of ? kind_of(of) : NULL;
}

/* The kind of a member, given that of what it stands in. */
static const char *member_kind(const json_t *o, const char *key, const char *outer)
{
	const char *kind = kind_of(key);
	if (!kind)
		kind = pair_kind(o, key);
	return kind ? kind : outer;
}

/* Learning ----------------------------------------------------------------------------------- */

void redact_word(struct redact *r, const char *kind, const char *value)
{
	char mask[40];
	size_t n = strlen(value);
	if (n < WORD_MIN || n > WORD_MAX || r->n == WORDS_MAX || masked(value))
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->words[i].n == n && memcmp(r->words[i].value, value, n) == 0)
			return;
	if (r->n == r->size) {
		r->size = r->size ? 2 * r->size : 64;
		r->words = ta_realloc(r->words, r->size * sizeof(*r->words));
	}
	mask_of(r, kind, value, n, mask);
	r->words[r->n++] = (struct word){ta_strdup(value), ta_strdup(mask), n};
	r->begins[(unsigned char)*value] = true;
	r->sorted = false;
}

static void learn(struct redact *r, const json_t *v, const char *kind)
{
	char room[32];
	const char *key, *text = text_of(v, room);
	json_t *child, *o = (json_t *)(uintptr_t)v; /* jansson's walk takes no const */
	size_t i;
	if (text && kind)
		redact_word(r, kind, text);
	if (json_is_array(v))
		json_array_foreach(o, i, child) learn(r, child, kind);
	if (json_is_object(v))
		json_object_foreach(o, key, child) learn(r, child, member_kind(v, key, kind));
}

void redact_learn(struct redact *r, const json_t *root)
{
	learn(r, root, NULL);
}

/* Text --------------------------------------------------------------------------------------- */

static int longest_first(const void *a, const void *b)
{
	size_t x = ((const struct word *)a)->n, y = ((const struct word *)b)->n;
	return (x < y) - (x > y);
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
	       (c & 0x80);
}

/* A learnt word that stands here as a whole, 0: none. */
static size_t learnt_at(const struct redact *r, const char *text, const char *p, const char **mask)
{
	for (size_t i = 0; r->begins[(unsigned char)*p] && i < r->n; i++) {
		const struct word *w = &r->words[i];
		if (strncmp(p, w->value, w->n) != 0)
			continue;
		bool apart = (p == text || !is_word(p[-1]) || !is_word(*p)) &&
			     (!is_word(p[w->n]) || !is_word(p[w->n - 1]));
		*mask = w->mask;
		if (apart)
			return w->n;
	}
	return 0;
}

static size_t span(const char *p, const char *more)
{
	size_t n = 0;
	while (p[n] && (is_word(p[n]) || strchr(more, p[n])))
		n++;
	return n;
}

/* local@domain.tld */
static size_t email_at(const char *p)
{
	size_t local = span(p, ".+-%'");
	if (!local || p[local] != '@')
		return 0;
	size_t domain = span(p + local + 1, ".-");
	const char *dot = memchr(p + local + 1, '.', domain);
	return dot ? local + 1 + domain : 0;
}

static size_t address_at(const char *p)
{
	char text[48];
	unsigned char raw[16];
	size_t n = strspn(p, "0123456789abcdefABCDEF:.");
	while (n && (p[n - 1] == '.' || p[n - 1] == ':'))
		n--;
	for (; n >= 3; n--) { /* 198.51.100.7:443 is an address and a port */
		if (n >= sizeof(text))
			continue;
		memcpy(text, p, n);
		text[n] = '\0';
		if (inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1)
			break;
	}
	bool ours = n >= 3 && (strncmp(p, "127.", 4) == 0 || (n == 3 && memcmp(p, "::1", 3) == 0));
	return n < 3 || ours ? 0 : n;
}

/* +49 30 901820 */
static size_t phone_at(const char *p)
{
	size_t n = 1, digits = 0, end = 0;
	if (*p != '+')
		return 0;
	for (; strchr("0123456789 ()-", p[n]) && p[n]; n++)
		if (p[n] >= '0' && p[n] <= '9') {
			digits++;
			end = n + 1;
		}
	return digits >= 8 && digits <= 15 ? end : 0;
}

static size_t pattern_at(const char *p, const char **kind)
{
	size_t n = strspn(p, "0123456789abcdefABCDEF");
	*kind = "sha256";
	if (n == 64)
		return n;
	*kind = "email";
	n = email_at(p);
	if (n)
		return n;
	*kind = "ip";
	n = address_at(p);
	if (n)
		return n;
	*kind = "phone";
	return phone_at(p);
}

void redact_text(struct redact *r, const char *text, struct buf *out)
{
	const char *p = text, *found, *kind;
	char mask[40];
	if (!r->sorted && r->n)
		qsort(r->words, r->n, sizeof(*r->words), longest_first);
	r->sorted = true;
	while (*p) {
		bool begins = p == text || !is_word(p[-1]) || !is_word(*p);
		size_t n = learnt_at(r, text, p, &found);
		if (n) {
			buf_adds(out, found);
		} else if (begins && (n = pattern_at(p, &kind))) {
			mask_of(r, kind, p, n, mask);
			buf_adds(out, mask);
		} else {
			n = 1;
			buf_addc(out, *p);
		}
		p += n;
	}
}

/* The arguments of a URL but utm_…: they hold click ids, addresses and keys. */
static void redact_url(struct redact *r, const char *url, struct buf *out)
{
	char mask[40];
	struct buf path = BUF_INIT(WORD_MAX * 4);
	size_t n = strcspn(url, "?#");
	buf_add(&path, url, n);
	redact_text(r, buf_str(&path), out);
	buf_release(&path);
	for (const char *p = url + n; *p;) {
		buf_addc(out, *p++);
		size_t part = strcspn(p, "&#"), name = strcspn(p, "=&#");
		if (name < part && strncmp(p, "utm_", 4) != 0) {
			mask_of(r, "argument", p + name + 1, part - name - 1, mask);
			buf_add(out, p, name + 1);
			buf_adds(out, mask);
		} else {
			buf_add(out, p, part);
		}
		p += part;
	}
}

/* Rewriting ---------------------------------------------------------------------------------- */

static bool is_url(const char *key, const char *text)
{
	return among(urls, TA_COUNT(urls), key, strlen(key)) || strncmp(text, "http://", 7) == 0 ||
	       strncmp(text, "https://", 8) == 0;
}

static json_t *replaced(struct redact *r, const json_t *v, const char *key, const char *kind)
{
	char room[32], mask[40];
	const char *text = text_of(v, room);
	json_t *out = NULL;
	if (!text || (json_is_integer(v) && !kind) || masked(text))
		return NULL;
	if (kind && !is_url(key, text)) {
		mask_of(r, kind, text, strlen(text), mask);
		return *text ? json_string(mask) : NULL;
	}
	struct buf b = BUF_INIT((size_t)64 << 20);
	if (is_url(key, text))
		redact_url(r, text, &b);
	else
		redact_text(r, text, &b);
	if (strcmp(buf_str(&b), text) != 0)
		out = json_string(buf_str(&b));
	buf_release(&b);
	return out;
}

static void apply(struct redact *r, json_t *v, const char *key, const char *kind)
{
	json_t *child, *now;
	const char *name;
	void *next;
	size_t i;
	if (json_is_array(v))
		json_array_foreach(v, i, child)
		{
			apply(r, child, key, kind);
			now = replaced(r, child, key, kind);
			if (now)
				(void)json_array_set_new(v, i, now);
		}
	if (!json_is_object(v))
		return;
	json_object_foreach_safe(v, next, name, child)
	{
		const char *k = member_kind(v, name, kind);
		apply(r, child, name, k);
		now = replaced(r, child, name, k);
		if (now)
			(void)json_object_set_new(v, name, now);
	}
}

void redact_apply(struct redact *r, json_t *root)
{
	apply(r, root, "", NULL);
}
