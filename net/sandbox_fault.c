#include "net/sandbox_fault.h"

#include "src/buf.h"
#include "net/sandbox_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	bool needs_value;
} kinds[FAULT_KINDS] = {
	[FAULT_STATUS] = {"status", true},
	[FAULT_HTML] = {"html", false},
	[FAULT_RATE_LIMIT] = {"rate_limit", true},
	[FAULT_AUTH] = {"auth", false},
	[FAULT_LATENCY] = {"latency", true},
	[FAULT_TRUNCATE] = {"truncate", false},
	[FAULT_RESET] = {"reset", false},
	[FAULT_HANG] = {"hang", false},
	[FAULT_EVENT_FAIL] = {"event_fail", true},
	[FAULT_PARTIAL] = {"partial", true},
	[FAULT_TLS_EXPIRED] = {"expired", false},
	[FAULT_TLS_WRONG_NAME] = {"wrong_name", false},
	[FAULT_TLS_UNKNOWN_CA] = {"unknown_ca", false},
	[FAULT_TLS_HANDSHAKE] = {"handshake", false},
	[FAULT_TLS_REFUSE] = {"refuse", false},
	[FAULT_CODE] = {"code", true},
	[FAULT_EVENT_CODE] = {"event_code", true},
};

static uint64_t mix(uint64_t h)
{
	/* The finalizer of splitmix64. */
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

static uint64_t hash_text(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return mix(h);
}

static bool read_value(struct fault *f, const char *v)
{
	char *end;
	long long n = strtoll(v, &end, 10);
	if (end == v || n < 0 || n > 1000000000)
		return false;
	f->value = n;
	if (f->kind == FAULT_CODE || f->kind == FAULT_EVENT_CODE) {
		char *sub = end;
		if (*end == '/')
			f->subcode = strtoll(sub + 1, &end, 10);
		return !*end && sb_code_known(f->platform, f->value, f->subcode);
	}
	if (f->kind == FAULT_LATENCY) {
		bool seconds = strcmp(end, "s") == 0;
		f->value = n * (seconds ? 1000000 : 1000);
		return seconds || strcmp(end, "ms") == 0 || !*end;
	}
	if (f->kind == FAULT_STATUS && (n < 200 || n > 599))
		return false;
	if ((f->kind == FAULT_EVENT_FAIL || f->kind == FAULT_PARTIAL) && n < 1)
		return false;
	return !*end;
}

static bool read_kind(struct fault *f, char *word)
{
	char *value = strchr(word, '=');
	if (value)
		*value++ = '\0';
	bool tls = f->platform == FAULT_OF_TLS;
	for (int k = tls ? FAULT_TLS_EXPIRED : 0; k < (tls ? FAULT_KINDS : FAULT_TLS_EXPIRED); k++)
		if (strcmp(kinds[k].word, word) == 0) {
			f->kind = (enum fault_kind)k;
			return value ? read_value(f, value) : !kinds[k].needs_value;
		}
	return false;
}

/* Cuts "…<mark>tail" off and returns the tail, NULL if there is none. */
static char *cut(char *s, char mark)
{
	char *at = strrchr(s, mark);
	if (at)
		*at++ = '\0';
	return at;
}

static bool read_one(struct fault *f, const char *text)
{
	char s[120], *end;
	*f = (struct fault){.rate = 1000000, .left = -1};
	if ((size_t)snprintf(s, sizeof(s), "%s", text) >= sizeof(s))
		return false;
	snprintf(f->spec, sizeof(f->spec), "%s", s);
	char *count = cut(s, '*'), *rate = cut(s, '%'), *account = cut(s, '@');
	if (count) {
		f->left = strtoll(count, &end, 10);
		if (*end || end == count || f->left < 1)
			return false;
	}
	if (rate) {
		double percent = strtod(rate, &end);
		if (*end || end == rate || !(percent >= 0 && percent <= 100))
			return false;
		f->rate = (uint32_t)(percent * 10000 + 0.5);
	}
	if (account && (size_t)snprintf(f->account, sizeof(f->account), "%s", account) >=
			       sizeof(f->account))
		return false;
	char *kind = strchr(s, ':');
	if (!kind)
		return false;
	*kind++ = '\0';
	f->platform = FAULT_OF_TLS;
	if (strcmp(s, "tls") == 0)
		return read_kind(f, kind);
	for (size_t i = 0; i < SANDBOX_ROWS; i++)
		if (strcmp(sandbox_platforms[i].word, s) == 0) {
			f->platform = sandbox_platforms[i].id;
			return read_kind(f, kind);
		}
	return false;
}

enum ta_rc fault_add(struct fault_set *s, const char *list, struct ta_err *err)
{
	size_t n = s->n;
	char one[120];
	while (*list) {
		size_t len = strcspn(list, ",");
		if (n == FAULT_MAX)
			return ta_fail(err, TA_INVALID,
				"fault: at most %d at a time; clear some first", FAULT_MAX);
		snprintf(one, sizeof(one), "%.*s", (int)TA_MIN(len, sizeof(one) - 1), list);
		if (len >= sizeof(one) || !read_one(&s->f[n], one))
			return ta_fail(err, TA_INVALID,
				"fault \"%.60s\": write platform:kind[=value][@account][%%rate][*count], as in "
				"meta:status=503%%10 or tiktok:latency=200ms@C1",
				one);
		n++;
		list += len + (list[len] == ',');
	}
	s->n = n;
	return TA_OK;
}

void fault_clear(struct fault_set *s)
{
	s->n = 0;
}

void fault_print(const struct fault_set *s, struct buf *b)
{
	buf_addc(b, '[');
	for (size_t i = 0; i < s->n; i++) {
		buf_adds(b, i ? "," : "");
		sb_json_string(b, s->f[i].spec);
	}
	buf_addc(b, ']');
}

static bool concerns(const struct fault *f, enum platform_id platform, const char *account)
{
	return f->platform == platform && (!f->account[0] || strcmp(f->account, account) == 0);
}

static bool strikes(struct fault *f, size_t salt)
{
	uint64_t h = mix((uint64_t)salt << 48 ^ ++f->seen);
	if (h % 1000000 >= f->rate || f->left == 0)
		return false;
	f->left -= f->left > 0;
	return true;
}

const struct fault *fault_request(
	struct fault_set *s, enum platform_id platform, const char *account, int64_t *delay_us)
{
	const struct fault *hit = NULL;
	*delay_us = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct fault *f = &s->f[i];
		if (f->kind == FAULT_EVENT_FAIL || f->kind == FAULT_PARTIAL ||
			f->kind == FAULT_EVENT_CODE || !concerns(f, platform, account))
			continue;
		if (f->kind != FAULT_LATENCY && hit)
			continue;
		if (!strikes(f, i + 1))
			continue;
		if (f->kind == FAULT_LATENCY)
			*delay_us += f->value;
		else
			hit = f;
	}
	return hit;
}

enum fault_kind fault_connection(struct fault_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->f[i].platform == FAULT_OF_TLS && strikes(&s->f[i], i + 1))
			return s->f[i].kind;
	return FAULT_KINDS;
}

bool fault_event(const struct fault_set *s, enum fault_kind kind, enum platform_id platform,
	const char *account, const char *event_id)
{
	for (size_t i = 0; s && i < s->n; i++) {
		const struct fault *f = &s->f[i];
		if (f->kind == kind && concerns(f, platform, account) &&
			hash_text(event_id) % (uint64_t)f->value == 0)
			return true;
	}
	return false;
}

const struct fault *fault_event_code(const struct fault_set *s, enum platform_id platform,
	const char *account, const char *event_id)
{
	for (size_t i = 0; s && i < s->n; i++) {
		const struct fault *f = &s->f[i];
		if (f->kind == FAULT_EVENT_CODE && concerns(f, platform, account) &&
			hash_text(event_id) % 1000000 < f->rate)
			return f;
	}
	return NULL;
}
