#include "net/sandbox_book.h"

#include "net/sandbox_check.h"
#include "src/clock.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct entry {
	uint64_t key, hash; /* of the identity, of the content */
	int64_t first_us, last_us;
	char *name, *id;
	json_t *content; /* NULL once too old to be kept whole */
	json_t *other;   /* the differing content of a conflict */
	uint32_t next;   /* chain of its bucket */
	uint32_t times;
	uint16_t account;
	bool test, conflict;
};

#define ACCOUNTS_MAX 1024

struct account {
	enum platform_id platform;
	char name[SB_ACCOUNT_MAX];
	uint64_t requests, received, events, test, repeats, conflicts, refused, warned, errors;
};

/* What came in one second of the machine's own clock. */
struct second {
	int64_t s;
	uint64_t requests, events;
};
#define SECONDS 300 /* kept of each platform */

struct book {
	struct book_limits limits;
	struct second seconds[PLATFORM_COUNT][SECONDS];
	struct entry *entries; /* ring */
	uint64_t added;        /* ever; the newest is (added - 1) % limits.events */
	uint32_t *buckets;
	size_t nbuckets; /* power of two */
	struct account *accounts;
	size_t naccounts;
};

static int64_t window_us(enum platform_id p)
{
	/* Pinterest does not publish its window; 24 h is what its partners assume. */
	return (p == PLATFORM_PINTEREST ? 1 : 2) * US_PER_DAY;
}

struct book *book_new(struct book_limits limits)
{
	struct book *b = ta_alloc(sizeof(*b));
	b->limits = limits;
	b->nbuckets = 1;
	while (b->nbuckets < limits.events)
		b->nbuckets *= 2;
	b->entries = ta_alloc(limits.events * sizeof(*b->entries));
	b->buckets = ta_alloc(b->nbuckets * sizeof(*b->buckets));
	b->accounts = ta_alloc(ACCOUNTS_MAX * sizeof(*b->accounts));
	memset(b->buckets, 0xff, b->nbuckets * sizeof(*b->buckets));
	return b;
}

static void drop_content(struct entry *e)
{
	json_decref(e->content);
	json_decref(e->other);
	e->content = e->other = NULL;
}

static void drop(struct entry *e)
{
	drop_content(e);
	free(e->name);
	free(e->id);
	e->name = e->id = NULL;
}

void book_reset(struct book *b)
{
	for (size_t i = 0; i < b->limits.events && i < b->added; i++)
		drop(&b->entries[i]);
	memset(b->buckets, 0xff, b->nbuckets * sizeof(*b->buckets));
	memset(b->seconds, 0, sizeof(b->seconds));
	b->added = 0;
	b->naccounts = 0;
}

void book_free(struct book *b)
{
	if (!b)
		return;
	book_reset(b);
	free(b->entries);
	free(b->buckets);
	free(b->accounts);
	free(b);
}

/* --- hashes ------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h)
{
	h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ (h >> 33);
}

static uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t word;
	for (; n >= 8; n -= 8, s += 8) {
		memcpy(&word, s, 8);
		h = mix(h ^ word) + UINT64_C(0x9e3779b97f4a7c15);
	}
	word = n;
	memcpy(&word, s, n);
	return mix(h ^ word ^ (uint64_t)n << 56);
}

static uint64_t hash_scalar(const json_t *v)
{
	double real = json_real_value(v);
	json_int_t whole = json_integer_value(v);
	uint64_t seed = (uint64_t)json_typeof(v) + 1;
	if (json_is_string(v))
		return hash_bytes(seed, json_string_value(v), json_string_length(v));
	if (json_is_integer(v))
		return hash_bytes(seed, &whole, sizeof(whole));
	return json_is_real(v) ? hash_bytes(seed, &real, sizeof(real)) : mix(seed);
}

uint64_t book_hash(const json_t *v)
{
	uint64_t h = 11;
	if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v); i++)
			h = mix(h * 31 + book_hash(json_array_get(v, i)));
		return h;
	}
	if (!json_is_object(v))
		return hash_scalar(v);
	json_t *o = (json_t *)(uintptr_t)v;
	for (void *it = json_object_iter(o); it; it = json_object_iter_next(o, it)) {
		const char *key = json_object_iter_key(it);
		uint64_t k = hash_bytes(7, key, strlen(key));
		h += mix(k ^ mix(book_hash(json_object_iter_value(it))));
	}
	return mix(h);
}

/* --- recording ---------------------------------------------------------------------------- */

static struct account *account_of(struct book *b, enum platform_id platform, const char *name)
{
	size_t i = 0;
	while (i < b->naccounts &&
		!(b->accounts[i].platform == platform && strcmp(b->accounts[i].name, name) == 0))
		i++;
	if (i < b->naccounts)
		return &b->accounts[i];
	if (i == ACCOUNTS_MAX) /* the last one stands for all the rest */
		return &b->accounts[i - 1];
	struct account *a = &b->accounts[b->naccounts++];
	*a = (struct account){.platform = platform};
	memcpy(a->name, name, strnlen(name, sizeof(a->name) - 1));
	return a;
}

static void unlink_entry(struct book *b, uint32_t i)
{
	uint32_t *at = &b->buckets[b->entries[i].key & (b->nbuckets - 1)];
	while (*at != NONE && *at != i)
		at = &b->entries[*at].next;
	if (*at == i)
		*at = b->entries[i].next;
}

static struct entry *find(struct book *b, uint64_t key, const struct book_event *ev, size_t account)
{
	uint32_t i = b->buckets[key & (b->nbuckets - 1)];
	for (; i != NONE; i = b->entries[i].next) {
		struct entry *e = &b->entries[i];
		if (e->key == key && e->account == account && e->test == ev->test &&
			strcmp(e->id, ev->id) == 0 && strcmp(e->name, ev->name) == 0)
			return e;
	}
	return NULL;
}

static struct entry *insert(struct book *b, uint64_t key)
{
	uint32_t i = (uint32_t)(b->added % b->limits.events);
	struct entry *e = &b->entries[i];
	if (b->added >= b->limits.events) {
		unlink_entry(b, i);
		drop(e);
	}
	if (b->added >= b->limits.contents)
		drop_content(&b->entries[(b->added - b->limits.contents) % b->limits.events]);
	uint32_t *head = &b->buckets[key & (b->nbuckets - 1)];
	*e = (struct entry){.key = key, .next = *head, .times = 1};
	*head = i;
	b->added++;
	return e;
}

enum book_seen book_add(struct book *b, const struct book_event *ev, int64_t now_us)
{
	struct account *a = account_of(b, ev->platform, ev->account);
	size_t account = (size_t)(a - b->accounts);
	uint64_t key = mix(account * 2 + ev->test), hash = book_hash(ev->content);
	key = hash_bytes(hash_bytes(key, ev->name, strlen(ev->name)), ev->id, strlen(ev->id));
	struct entry *e = find(b, key, ev, account);
	if (e && now_us - e->first_us < window_us(ev->platform)) {
		e->times++;
		e->last_us = now_us;
		a->repeats++;
		if (e->hash == hash)
			return BOOK_REPEAT;
		a->conflicts += !e->conflict;
		e->conflict = true;
		json_decref(e->other);
		e->other = json_incref(ev->content);
		return BOOK_CONFLICT;
	}
	e = insert(b, key);
	e->hash = hash;
	e->first_us = e->last_us = now_us;
	e->name = ta_strdup(ev->name);
	e->id = ta_strdup(ev->id);
	e->content = json_incref(ev->content);
	e->account = (uint16_t)account;
	e->test = ev->test;
	if (ev->test)
		a->test++;
	else
		a->events++;
	return BOOK_NEW;
}

void book_request(struct book *b, const struct book_request *r)
{
	struct account *a = account_of(b, r->platform, r->account);
	a->requests++;
	a->received += r->n;
	a->refused += r->refused;
	a->warned += r->warned;
	a->errors += r->http != 200;
	int64_t s = clock_mono_us() / US_PER_S;
	struct second *now = &b->seconds[r->platform][s % SECONDS];
	if (now->s != s)
		*now = (struct second){.s = s};
	now->requests++;
	now->events += r->n;
}

/* --- answers ------------------------------------------------------------------------------ */

static bool wanted(const struct book *b, const struct entry *e, const struct book_filter *f)
{
	const struct account *a = &b->accounts[e->account];
	return (!f->platform || strcmp(f->platform, platform_word((int)a->platform)) == 0) &&
	       (!f->account || strcmp(f->account, a->name) == 0) &&
	       (!f->event_id || strcmp(f->event_id, e->id) == 0) &&
	       (!f->event || strcmp(f->event, e->name) == 0) && (!f->conflicts || e->conflict);
}

static int append(const char *p, size_t n, void *out)
{
	buf_add(out, p, n);
	return 0;
}

static void write_content(struct buf *out, const char *key, const json_t *v)
{
	if (!v)
		return;
	buf_addf(out, ",\"%s\":", key);
	(void)json_dump_callback(v, append, out, JSON_COMPACT | JSON_REAL_PRECISION(15));
}

static void write_entry(const struct book *b, const struct entry *e, struct buf *out)
{
	const struct account *a = &b->accounts[e->account];
	buf_addf(out, "{\"platform\":\"%s\",\"account\":", platform_word((int)a->platform));
	sb_json_string(out, a->name);
	buf_adds(out, ",\"event\":");
	sb_json_string(out, e->name);
	buf_adds(out, ",\"event_id\":");
	sb_json_string(out, e->id);
	buf_addf(out, ",\"test\":%s,\"times\":%u,\"conflict\":%s,\"hash\":\"%016llx\"",
		e->test ? "true" : "false", e->times, e->conflict ? "true" : "false",
		(unsigned long long)e->hash);
	buf_addf(out, ",\"first_us\":%lld,\"last_us\":%lld", (long long)e->first_us,
		(long long)e->last_us);
	write_content(out, "content", e->content);
	write_content(out, "conflicting", e->other);
	buf_addc(out, '}');
}

void book_write_received(const struct book *b, const struct book_filter *f, struct buf *out)
{
	uint64_t kept = TA_MIN(b->added, b->limits.events), total = 0;
	buf_adds(out, "{\"events\":[");
	for (uint64_t i = 0; i < kept; i++) {
		const struct entry *e = &b->entries[(b->added - 1 - i) % b->limits.events];
		if (!wanted(b, e, f))
			continue;
		if (total < f->limit) {
			buf_adds(out, total ? "," : "");
			write_entry(b, e, out);
		}
		total++;
	}
	buf_addf(out, "],\"total\":%llu}\n", (unsigned long long)total);
}

static void add_counts(struct account *to, const struct account *from)
{
	to->requests += from->requests;
	to->received += from->received;
	to->events += from->events;
	to->test += from->test;
	to->repeats += from->repeats;
	to->conflicts += from->conflicts;
	to->refused += from->refused;
	to->warned += from->warned;
	to->errors += from->errors;
}

static void write_counts(const struct account *a, struct buf *out)
{
	const struct {
		const char *word;
		uint64_t v;
	} rows[] = {{"requests", a->requests}, {"received", a->received}, {"events", a->events},
		{"test", a->test}, {"repeats", a->repeats}, {"conflicts", a->conflicts},
		{"refused", a->refused}, {"warned", a->warned}, {"errors", a->errors}};
	for (size_t i = 0; i < TA_COUNT(rows); i++)
		buf_addf(out, "%s\"%s\":%llu", i ? "," : "", rows[i].word,
			(unsigned long long)rows[i].v);
}

void book_write_seconds(const struct book *b, struct buf *out)
{
	int64_t now = clock_mono_us() / US_PER_S;
	buf_addc(out, '{');
	for (size_t p = 0; p < SANDBOX_ROWS; p++) {
		buf_addf(out, "%s\"%s\":[", p ? "," : "", sandbox_platforms[p].word);
		bool any = false;
		for (int64_t s = TA_MAX(now - SECONDS + 1, 0); s <= now; s++) {
			const struct second *x = &b->seconds[sandbox_platforms[p].id][s % SECONDS];
			if (x->s != s || !x->requests)
				continue;
			buf_addf(out, "%s[%lld,%llu,%llu]", any ? "," : "", (long long)s,
				(unsigned long long)x->requests, (unsigned long long)x->events);
			any = true;
		}
		buf_addc(out, ']');
	}
	buf_adds(out, "}\n");
}

void book_write_summary(const struct book *b, struct buf *out)
{
	buf_adds(out, "{\"platforms\":{");
	for (size_t p = 0; p < SANDBOX_ROWS; p++) {
		struct account sum = {0};
		for (size_t i = 0; i < b->naccounts; i++)
			if (b->accounts[i].platform == sandbox_platforms[p].id)
				add_counts(&sum, &b->accounts[i]);
		buf_addf(out, "%s\"%s\":{", p ? "," : "", sandbox_platforms[p].word);
		write_counts(&sum, out);
		buf_addc(out, '}');
	}
	buf_adds(out, "},\"accounts\":[");
	for (size_t i = 0; i < b->naccounts; i++) {
		buf_addf(out, "%s{\"platform\":\"%s\",\"account\":", i ? "," : "",
			platform_word((int)b->accounts[i].platform));
		sb_json_string(out, b->accounts[i].name);
		buf_addc(out, ',');
		write_counts(&b->accounts[i], out);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}\n");
}
