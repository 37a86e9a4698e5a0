#include "net/sandbox_check.h"

#include "src/err.h"
#include "src/utf8.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct sb_platform sandbox_platforms[SANDBOX_ROWS] = {
#define SANDBOX(name, PLATFORM, base, env)                                                         \
	{PLATFORM_##PLATFORM, #name, base, env, sandbox_##name##_handle, sandbox_##name##_refuse},
#include "net/sandbox.def"
#undef SANDBOX
};

/* --- answers ------------------------------------------------------------------------------ */

void sb_answer_init(struct sb_answer *a)
{
	*a = (struct sb_answer){.body = BUF_INIT((size_t)256 << 20), .type = "application/json"};
}

void sb_answer_release(struct sb_answer *a)
{
	buf_release(&a->body);
	json_decref(a->root);
	free(a->ok);
	a->root = NULL;
	a->ok = NULL;
}

void sb_answer_start(struct sb_answer *a, int http)
{
	buf_clear(&a->body);
	a->http = http;
}

void sb_json_string(struct buf *b, const char *s)
{
	uint32_t cp;
	size_t left = strlen(s);
	buf_addc(b, '"');
	while (left) {
		size_t n = utf8_decode(s, left, &cp);
		if (n == 0) /* cut in the middle of a character, or foreign from the start */
			buf_addc(b, '?');
		else if (cp == '"' || cp == '\\')
			buf_addf(b, "\\%c", *s);
		else if (cp < 0x20)
			buf_addf(b, "\\u%04x", cp);
		else
			buf_add(b, s, n);
		s += n + (n == 0);
		left -= n + (n == 0);
	}
	buf_addc(b, '"');
}

void sb_accept(struct sb_answer *a, const char *name, json_t *event)
{
	if (!a->ok)
		a->ok = ta_alloc(SB_BATCH_MAX * sizeof(*a->ok));
	if (a->nok < SB_BATCH_MAX)
		a->ok[a->nok++] = (struct sb_accepted){name, sb_get(event, "event_id"), event};
}

json_t *sb_parse(const struct sb_call *c, char why[160])
{
	json_error_t e;
	json_t *root = json_loadb(c->body ? c->body : "", c->len, JSON_REJECT_DUPLICATES, &e);
	if (json_is_object(root))
		return root;
	if (root)
		snprintf(why, 160, "the body is not an object");
	else
		snprintf(why, 160, "the body is not valid JSON: line %d: %.100s", e.line, e.text);
	json_decref(root);
	return NULL;
}

bool sb_is_json(const struct sb_call *c)
{
	static const char want[] = "application/json";
	size_t n = sizeof(want) - 1;
	return c->content_type && strncasecmp(c->content_type, want, n) == 0 &&
	       (c->content_type[n] == '\0' || c->content_type[n] == ';' ||
		       c->content_type[n] == ' ');
}

bool sb_set_account(struct sb_answer *a, const char *s, size_t n)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	if (n == 0 || n >= sizeof(a->account) || strspn(s, set) < n)
		return false;
	memcpy(a->account, s, n);
	a->account[n] = '\0';
	return true;
}

bool sb_account_forbidden(const char *account)
{
	return strcmp(account, "0") == 0 || strncmp(account, "forbidden", 9) == 0;
}

bool sb_token_bad(const char *token)
{
	return strncmp(token, "bad", 3) == 0 || strncmp(token, "expired", 7) == 0;
}

/* --- values ------------------------------------------------------------------------------- */

bool sb_in(const char *const *words, const char *s)
{
	for (; *words; words++)
		if (strcmp(*words, s) == 0)
			return true;
	return false;
}

const char *sb_get(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

bool sb_has(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return v && !json_is_null(v);
}

bool sb_is_hash(const char *s, size_t n)
{
	static const char nothing[] =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	if (n != 64)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	return memcmp(s, nothing, 64) != 0;
}

bool sb_is_ip(const char *s)
{
	unsigned char a[16];
	return inet_pton(AF_INET, s, a) == 1 || inet_pton(AF_INET6, s, a) == 1;
}

/* ISO 4217 codes in use, four bytes each. */
static const char currencies[] =
	"AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN "
	"BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD "
	"FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY "
	"KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP "
	"MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR "
	"RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
	"TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR "
	"ZMW ZWG ";

static bool listed(const char *list, const char *code)
{
	for (; *list; list += 4)
		if (memcmp(list, code, 3) == 0)
			return true;
	return false;
}

bool sb_is_currency(const char *s)
{
	return strlen(s) == 3 && listed(currencies, s);
}

bool sb_fits_currency(const char *decimal, const char *currency)
{
	static const char none[] =
		"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF ";
	static const char three[] = "BHD IQD JOD KWD LYD OMR TND ";
	const char *dot = strchr(decimal, '.');
	size_t places = dot ? strlen(dot + 1) : 0;
	return places <= (listed(none, currency) ? 0u : listed(three, currency) ? 3u : 2u);
}

static bool is_decimal(const char *s)
{
	size_t whole = strspn(s, "0123456789");
	if (!whole || whole > 15)
		return false;
	if (!s[whole])
		return true;
	size_t places = strspn(s + whole + 1, "0123456789");
	return s[whole] == '.' && places && !s[whole + 1 + places];
}

static bool is_lower(const char *s, size_t n)
{
	for (const char *p = s; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			return false;
	return n && !sb_is_hash(s, n);
}

/* fb.<index>.<13 digits of milliseconds>.<value>[.<2 or 8 characters>] */
static bool is_fb(const char *s, bool click)
{
	static const char url64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	if (strncmp(s, "fb.", 3) != 0 || s[3] < '0' || s[3] > '2' || s[4] != '.')
		return false;
	s += 5;
	if (strspn(s, "0123456789") != 13 || s[13] != '.')
		return false;
	s += 14;
	size_t n = click ? strspn(s, url64) : strspn(s, "0123456789");
	if (!n || (s[n] && s[n] != '.'))
		return false;
	if (!s[n])
		return true;
	size_t tail = strlen(s + n + 1);
	return (tail == 2 || tail == 8) && strspn(s + n + 1, url64) == tail;
}

/* A hash as Meta's own tools write it: optionally with ".appendix" of 2 or 8 characters. */
static bool is_meta_hash(const char *s, size_t n)
{
	if (n == 67 || n == 73)
		return s[64] == '.' && sb_is_hash(s, 64);
	return sb_is_hash(s, n);
}

/* --- fields ------------------------------------------------------------------------------- */

const char *sb_type_name(enum sb_type t)
{
	switch (t) {
	case SB_INT:
		return "an integer";
	case SB_NUM:
		return "a number";
	case SB_BOOL:
	case SB_BOOL_NULL:
		return "a boolean";
	case SB_STRS:
	case SB_HASHES:
	case SB_OBJS:
		return "an array";
	case SB_OBJ:
		return "an object";
	case SB_STR:
	case SB_ID:
	case SB_STR_NULL:
	case SB_STR_OR_STRS:
	case SB_HASH:
	case SB_HASH_OR_HASHES:
	case SB_META_HASH:
	case SB_DECIMAL:
	case SB_CURRENCY:
	case SB_IP:
	case SB_PLAIN:
	case SB_LANGUAGE:
	case SB_WORD:
	case SB_FBC:
	case SB_FBP:
		break;
	}
	return "a string";
}

#define SB_DEPTH 6

/* The way from the event down to the value at hand. */
struct walk {
	struct sb_problem *p;
	struct {
		const char *key; /* NULL: `index` in an array */
		size_t index;
	} step[SB_DEPTH];
	size_t depth;
};

static void push(struct walk *w, const char *key, size_t index)
{
	TA_ASSERT(w->depth < SB_DEPTH);
	w->step[w->depth].key = key;
	w->step[w->depth++].index = index;
}

static void found(struct walk *w, enum sb_kind kind, enum sb_type type, const char *text)
{
	struct sb_problem *p = w->p;
	struct buf path = BUF_INIT(65536);
	if (kind <= p->kind)
		return;
	p->kind = kind;
	p->type = type;
	p->text = text;
	for (size_t i = 0; i < w->depth; i++) {
		buf_adds(&path, i ? "." : "");
		if (w->step[i].key)
			buf_adds(&path, w->step[i].key);
		else
			buf_addi(&path, (int64_t)w->step[i].index);
	}
	snprintf(p->path, sizeof(p->path), "%.95s", buf_str(&path));
	buf_release(&path);
	const char *last = strrchr(p->path, '.');
	snprintf(p->key, sizeof(p->key), "%.47s", last ? last + 1 : p->path);
}

void sb_report(struct sb_problem *p, enum sb_kind kind, const char *path, const char *text)
{
	struct walk w = {.p = p};
	push(&w, path, 0);
	found(&w, kind, SB_STR, text);
}

static const char *bad_string(const struct sb_field *f, const char *s, size_t n)
{
	switch (f->type) {
	case SB_ID:
	case SB_STRS:
	case SB_STR_OR_STRS:
		return n ? NULL : "must not be empty";
	case SB_HASH:
	case SB_HASHES:
	case SB_HASH_OR_HASHES:
		return sb_is_hash(s, n) ? NULL : "must be a lower-case SHA-256 of a value";
	case SB_META_HASH:
		return is_meta_hash(s, n) ? NULL : "must be a lower-case SHA-256 of a value";
	case SB_DECIMAL:
		return is_decimal(s) ? NULL : "must be a decimal number in a string";
	case SB_CURRENCY:
		return sb_is_currency(s) ? NULL : "must be an ISO 4217 currency code";
	case SB_IP:
		return sb_is_ip(s) ? NULL : "must be an IP address";
	case SB_PLAIN:
		return is_lower(s, n) ? NULL : "must be plain lower-case text";
	case SB_LANGUAGE:
		return n == 2 && is_lower(s, n) ? NULL : "must be an ISO 639-1 code";
	case SB_WORD:
		return sb_in(f->words, s) ? NULL : "is not one of the allowed values";
	case SB_FBC:
		return is_fb(s, true) ? NULL : "must be fb.index.milliseconds.fbclid";
	case SB_FBP:
		return is_fb(s, false) ? NULL : "must be fb.index.milliseconds.digits";
	case SB_STR:
	case SB_STR_NULL:
	case SB_INT:
	case SB_NUM:
	case SB_BOOL:
	case SB_BOOL_NULL:
	case SB_OBJ:
	case SB_OBJS:
		break;
	}
	return NULL;
}

static void check_string(struct walk *w, const struct sb_field *f, const json_t *v)
{
	if (!json_is_string(v)) {
		found(w, SB_TYPE, SB_STR, "Not a valid string");
		return;
	}
	const char *bad = bad_string(f, json_string_value(v), json_string_length(v));
	if (bad)
		found(w, SB_VALUE, f->type, bad);
}

static void check_object(struct walk *w, const json_t *o, const struct sb_spec *spec);

static void check_array(struct walk *w, const struct sb_field *f, const json_t *v)
{
	if (!json_is_array(v)) {
		found(w, SB_TYPE, f->type, "Not a valid list");
		return;
	}
	if (json_array_size(v) == 0 && f->type != SB_OBJS && f->type != SB_STRS)
		found(w, SB_VALUE, f->type, "must not be empty");
	for (size_t i = 0; i < json_array_size(v); i++) {
		push(w, NULL, i);
		if (f->type == SB_OBJS)
			check_object(w, json_array_get(v, i), f->sub);
		else
			check_string(w, f, json_array_get(v, i));
		w->depth--;
	}
}

static void check_number(struct walk *w, const struct sb_field *f, const json_t *v)
{
	if (f->type == SB_INT ? !json_is_integer(v) : !json_is_number(v))
		found(w, SB_TYPE, f->type,
			f->type == SB_INT ? "Not a valid integer" : "Not a valid number");
	else if (json_number_value(v) < 0)
		found(w, SB_VALUE, f->type, "must not be negative");
}

static void check_field(struct walk *w, const struct sb_field *f, const json_t *v)
{
	switch (f->type) {
	case SB_INT:
	case SB_NUM:
		check_number(w, f, v);
		break;
	case SB_BOOL:
	case SB_BOOL_NULL:
		if (!json_is_boolean(v) && !(f->type == SB_BOOL_NULL && json_is_null(v)))
			found(w, SB_TYPE, f->type, "Not a valid boolean");
		break;
	case SB_STRS:
	case SB_HASHES:
	case SB_OBJS:
		check_array(w, f, v);
		break;
	case SB_STR_OR_STRS:
	case SB_HASH_OR_HASHES:
	case SB_META_HASH:
		if (json_is_array(v))
			check_array(w, f, v);
		else
			check_string(w, f, v);
		break;
	case SB_OBJ:
		check_object(w, v, f->sub);
		break;
	case SB_STR_NULL:
		if (!json_is_null(v))
			check_string(w, f, v);
		break;
	case SB_STR:
	case SB_ID:
	case SB_HASH:
	case SB_DECIMAL:
	case SB_CURRENCY:
	case SB_IP:
	case SB_PLAIN:
	case SB_LANGUAGE:
	case SB_WORD:
	case SB_FBC:
	case SB_FBP:
		check_string(w, f, v);
		break;
	}
}

static void check_object(struct walk *w, const json_t *o, const struct sb_spec *spec)
{
	uint64_t seen = 0;
	TA_ASSERT(spec->n <= 64);
	if (!json_is_object(o)) {
		found(w, SB_TYPE, SB_OBJ, "Not a valid object");
		return;
	}
	void *it = json_object_iter((json_t *)(uintptr_t)o);
	for (; it; it = json_object_iter_next((json_t *)(uintptr_t)o, it)) {
		const char *key = json_object_iter_key(it);
		size_t i = 0;
		while (i < spec->n && strcmp(spec->fields[i].key, key) != 0)
			i++;
		push(w, key, 0);
		if (i < spec->n) {
			seen |= UINT64_C(1) << i;
			check_field(w, &spec->fields[i], json_object_iter_value(it));
		} else if (!spec->open) {
			found(w, SB_UNKNOWN, SB_STR, "Unknown field");
		}
		w->depth--;
	}
	for (size_t i = 0; i < spec->n; i++)
		if (spec->fields[i].required && !(seen >> i & 1)) {
			push(w, spec->fields[i].key, 0);
			found(w, SB_MISSING, spec->fields[i].type,
				"Missing data for required field");
			w->depth--;
		}
}

void sb_check(const json_t *o, const struct sb_spec *spec, struct sb_problem *p)
{
	struct walk w = {.p = p};
	check_object(&w, o, spec);
}
