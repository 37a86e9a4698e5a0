#include "src/cause.h"

#include "src/attr.h"
#include "src/buf.h"
#include "src/stat.h"
#include "src/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cause_row rows[] = {
#define CAUSE(name, word, weight, usual, unit, meaning, next)                                      \
	{word, meaning, next, weight, usual, CAUSE_##unit},
#include "src/cause.def"
#undef CAUSE
};

const struct cause_row *cause_row(enum cause c)
{
	return &rows[c < CAUSES ? c : CAUSE_OTHER];
}

enum cause cause_of(const char *word)
{
	for (int c = 0; c < (int)CAUSES; c++)
		if (strcmp(rows[c].word, word) == 0)
			return (enum cause)c;
	return CAUSE_NONE;
}

/* The book ------------------------------------------------------------------------------------- */

/* Copies what fits, on a character's boundary, controls as blanks. */
static void copy_clean(char *to, size_t size, const char *from)
{
	size_t n = 0;
	while (*from) {
		uint32_t cp;
		size_t len = utf8_decode(from, strnlen(from, 4), &cp);
		bool plain = len && cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0);
		if (n + (plain ? len : 1) >= size)
			break;
		if (plain)
			memcpy(to + n, from, len);
		else
			to[n] = ' ';
		n += plain ? len : 1;
		from += len ? len : 1;
	}
	to[n] = '\0';
}

static void add_example(struct cause_seen *s, int64_t event_id, bool newest)
{
	if (!event_id)
		return;
	for (int i = 0; i < s->nevents; i++)
		if (s->events[i] == event_id)
			return;
	if (s->nevents < CAUSE_EXAMPLES)
		s->events[s->nevents++] = event_id;
	else if (newest)
		s->events[CAUSE_EXAMPLES - 1] = event_id;
}

void cause_add(
	struct cause_book *b, enum cause c, int64_t event_id, int64_t at_us, const char *detail)
{
	if (c >= CAUSES)
		return;
	struct cause_seen *s = &b->seen[c];
	bool newest = at_us >= s->last_us;
	s->k++;
	if (at_us && (!s->first_us || at_us < s->first_us))
		s->first_us = at_us;
	add_example(s, event_id, newest);
	if (newest)
		s->last_us = at_us;
	if (detail && *detail && (newest || !*s->detail))
		copy_clean(s->detail, sizeof(s->detail), detail);
}

void cause_count(struct cause_book *b, enum cause c, int64_t k, int64_t n)
{
	b->seen[c].k += k;
	b->seen[c].n += n;
}

void cause_next(enum cause c, const char *store, const char *pixel, struct buf *out)
{
	for (const char *p = cause_row(c)->next; *p; p++) {
		bool is_store = strncmp(p, "STORE", 5) == 0, is_pixel = strncmp(p, "PIXEL", 5) == 0;
		if (is_pixel)
			buf_addf(out, "%s/%s", store, pixel);
		else if (is_store)
			buf_adds(out, store);
		else
			buf_addc(out, *p);
		p += is_store || is_pixel ? 4 : 0;
	}
}

/* The order ------------------------------------------------------------------------------------ */

/* What a cause explains besides: those are told behind it. */
static const struct {
	enum cause root, symptom;
} explains[] = {
	{CAUSE_LISTENER_DOWN, CAUSE_SILENCE},
	{CAUSE_LISTENER_DOWN, CAUSE_REDELIVERED},
	{CAUSE_ROUTER_DOWN, CAUSE_SILENCE},
	{CAUSE_DISK_FULL, CAUSE_SILENCE},
	{CAUSE_DISK_FULL, CAUSE_REDELIVERED},
	{CAUSE_WRONG_SECRET, CAUSE_SILENCE},
	{CAUSE_WRONG_SECRET, CAUSE_UNCONFIRMED},
	{CAUSE_SILENCE, CAUSE_UNCONFIRMED},
	{CAUSE_TOKEN_MISSING, CAUSE_SETTINGS},
	{CAUSE_DNS, CAUSE_NO_ANSWER},
	{CAUSE_DNS, CAUSE_NO_CONNECTION},
	{CAUSE_TLS, CAUSE_NO_ANSWER},
	{CAUSE_TLS, CAUSE_NO_CONNECTION},
	{CAUSE_NO_CONNECTION, CAUSE_NO_ANSWER},
	{CAUSE_PLATFORM_DOWN, CAUSE_NO_ANSWER},
	{CAUSE_PLATFORM_DOWN, CAUSE_OUTCOME_UNKNOWN},
	{CAUSE_NO_ANSWER, CAUSE_OUTCOME_UNKNOWN},
	{CAUSE_PAUSED, CAUSE_EXPIRED},
	{CAUSE_DISPATCHER_DOWN, CAUSE_EXPIRED},
	{CAUSE_THROTTLED, CAUSE_EXPIRED},
	{CAUSE_PLATFORM_DOWN, CAUSE_EXPIRED},
	{CAUSE_MILLISECONDS, CAUSE_REFUSED_ITEMS},
	{CAUSE_MISSPELT_EVENT, CAUSE_REFUSED_ITEMS},
	{CAUSE_MISSPELT_EVENT, CAUSE_UNMAPPED},
	{CAUSE_CLOCK_SKEW, CAUSE_CLOCK_AHEAD},
	{CAUSE_UNKNOWN_PROPERTY, CAUSE_BAD_EVENT},
	{CAUSE_WRONG_TYPE, CAUSE_BAD_EVENT},
	{CAUSE_BAD_MONEY, CAUSE_FAILED_RECEIPTS},
	{CAUSE_NO_MATCH_KEY, CAUSE_COVERAGE_DROP},
	{CAUSE_PHONE_FORM, CAUSE_COVERAGE_DROP},
	{CAUSE_PHONE_FORM, CAUSE_NO_MATCH_KEY},
	{CAUSE_HASH_EMPTY, CAUSE_NO_MATCH_KEY},
	{CAUSE_HASH_EMPTY, CAUSE_HASH_NOT_NORMALISED},
	{CAUSE_HASH_TWICE, CAUSE_HASH_NOT_NORMALISED},
	{CAUSE_TEST_ORDERS, CAUSE_SILENCE},
};

/* How bad: the weight by how much of everything is struck; even a little counts for a third, since
 * what strikes few of many has a cause all the same. */
static double weigh(const struct cause_row *row, const struct cause_found *f)
{
	double usual = row->usual / 100.0, beyond = (f->share - usual) / (1 - usual);
	if (row->unit == CAUSE_STATE)
		return row->weight;
	if (f->cause == CAUSE_WRONG_SECRET) /* anybody can send some */
		return row->weight * (0.1 + 0.9 * f->share);
	if (beyond <= 0 || (row->usual > 0 && f->lo <= usual && f->share < 2 * usual))
		return row->weight * 0.05 * f->share;
	double least =
		row->unit == CAUSE_RECEIPTS ? 0.15 : 0.3; /* of the shop, not this pixel's own */
	return row->weight * (least + (1 - least) * sqrt(beyond));
}

#define OVERCOME   0.3
#define OVER_US    (INT64_C(2) * 3600 * 1000000)
#define OVER_PART  0.4
#define MEANT_PART 0.2

/* What was last seen hours ago is probably over, what a later attempt overcame did less harm: they
 * are told behind what goes on. */
static double score(
	const struct cause_book *b, const struct cause_row *row, const struct cause_found *f)
{
	const struct cause_seen *seen = &b->seen[f->cause];
	bool over = b->now_us && f->last_us && b->now_us - f->last_us > OVER_US;
	double harm = 1 - OVERCOME * (double)seen->overcome / (double)f->k;
	return weigh(row, f) * harm * (over ? OVER_PART : 1) * (seen->meant ? MEANT_PART : 1);
}

static const char *const units[] = {
	[CAUSE_EVENTS] = "events",
	[CAUSE_RECEIPTS] = "receipts",
	[CAUSE_ITEMS] = "items",
	[CAUSE_STATE] = "",
};

static void tell(const struct cause_row *row, const struct cause_seen *s, struct cause_found *f)
{
	struct buf b = BUF_INIT(sizeof(f->evidence) - 1);
	if (row->unit == CAUSE_STATE)
		buf_adds(&b, *s->detail ? s->detail : row->meaning);
	else
		buf_addf(&b, "%lld of %lld %s (%.1f %%, %.1f to %.1f)%s%s", (long long)f->k,
			(long long)f->n, units[row->unit], 100 * f->share, 100 * f->lo, 100 * f->hi,
			*s->detail ? ": " : "", s->detail);
	memcpy(f->evidence, buf_str(&b), b.len + 1);
	buf_release(&b);
}

static void find(const struct cause_book *b, enum cause c, struct cause_found *f)
{
	const struct cause_seen *s = &b->seen[c];
	const struct cause_row *row = &rows[c];
	int64_t n = s->n ? s->n : b->total[row->unit];
	*f = (struct cause_found){.cause = c,
		.by = CAUSE_NONE,
		.k = s->k,
		.n = TA_MAX(n, s->k),
		.first_us = s->first_us,
		.last_us = s->last_us,
		.nevents = s->nevents,
		.meaning = row->meaning,
		.next = row->next};
	memcpy(f->events, s->events, sizeof(f->events));
	struct stat_interval i = stat_wilson(f->k, f->n, 0.05);
	f->share = (double)f->k / (double)f->n;
	f->lo = i.lo;
	f->hi = i.hi;
	f->score = score(b, row, f);
	tell(row, s, f);
}

static int by_score(const void *a, const void *b)
{
	const struct cause_found *x = a, *y = b;
	if (x->score < y->score || x->score > y->score)
		return x->score < y->score ? 1 : -1;
	return (int)x->cause - (int)y->cause;
}

/* A symptom keeps a tenth of its score: it is told, behind its root. */
static void suppress(struct cause_found *out, size_t n)
{
	for (size_t e = 0; e < TA_COUNT(explains); e++) {
		const struct cause_found *root = NULL;
		struct cause_found *symptom = NULL;
		for (size_t i = 0; i < n; i++) {
			root = out[i].cause == explains[e].root ? &out[i] : root;
			symptom = out[i].cause == explains[e].symptom ? &out[i] : symptom;
		}
		if (!root || !symptom || symptom->by != CAUSE_NONE || root->score < 5)
			continue;
		symptom->by = root->cause;
		symptom->score = TA_MIN(symptom->score, root->score) / 10;
	}
}

size_t cause_rank(const struct cause_book *b, struct cause_found out[CAUSES])
{
	size_t n = 0;
	for (int c = 0; c < (int)CAUSES; c++) {
		if (b->seen[c].k <= 0)
			continue;
		find(b, (enum cause)c, &out[n]);
		n += out[n].score >= 1; /* less is what every shop has */
	}
	suppress(out, n);
	qsort(out, n, sizeof(*out), by_score);
	for (size_t i = 0; i < n; i++)
		out[i].level = out[i].score >= 60   ? HEALTH_CRIT
			       : out[i].score >= 20 ? HEALTH_WARN
						    : HEALTH_OK;
	return n;
}
