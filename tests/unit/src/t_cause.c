/* Causes: what answers mean, which hashes are wrong, names that are near, roots before symptoms. */
#include "src/cause.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/cause_hash.h"
#include "src/cause_look.h"
#include "src/crypto.h"
#include "src/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena mem;

static enum cause judged(enum platform_id p, int disposition, const char *code, const char *message)
{
	const struct cause_delivery d = {p, disposition, REASON_PLATFORM, code, message};
	return cause_of_delivery(&d);
}

/* Each row of replies.def has a cause of its own kind, never "other". */
static void every_reply_has_a_cause(void **state)
{
	static const struct {
		enum platform_id platform;
		long from, to, subcode;
		enum reply_class class;
	} replies[] = {
#define REPLY(platform, from, to, subcode, class, word, cause, remedy)                             \
	{PLATFORM_##platform, from, to, subcode, REPLY_##class},
#include "src/replies.def"
#undef REPLY
	};
	(void)state;
	for (size_t i = 0; i < TA_COUNT(replies); i++) {
		char code[60];
		snprintf(code, sizeof(code), replies[i].subcode ? "%ld/%ld" : "%ld",
			replies[i].from, replies[i].subcode);
		enum cause c = judged(replies[i].platform, DISP_REJECTED, code, "");
		assert_int_not_equal(c, CAUSE_OTHER);
		assert_int_not_equal(c, CAUSE_NONE);
		bool pauses = replies[i].class == REPLY_AUTH || replies[i].class == REPLY_CONFIG;
		assert_int_equal(pauses, c <= CAUSE_WRONG_ACCOUNT || c == CAUSE_SETTINGS);
		snprintf(code, sizeof(code), replies[i].subcode ? "%ld/%ld: words" : "%ld: words",
			replies[i].from, replies[i].subcode);
		if (pauses)
			assert_int_equal(cause_of_pause(replies[i].platform, "auth", code), c);
	}
}

static void answers(void **state)
{
	(void)state;
	assert_int_equal(judged(PLATFORM_PINTEREST, DISP_REJECTED, "4196",
				 "Invalid request: Additional properties are not allowed ('x' was "
				 "unexpected)"),
		CAUSE_UNKNOWN_PROPERTY);
	assert_int_equal(judged(PLATFORM_TIKTOK, DISP_REJECTED, "40002",
				 "Batch.0.properties.contents.0.content_id: Not a valid string"),
		CAUSE_WRONG_TYPE);
	assert_int_equal(
		judged(PLATFORM_PINTEREST, DISP_REJECTED, "failed",
			"Invalid event_timestamp parameter. Given timestamp is in the past."),
		CAUSE_TOO_OLD);
	assert_int_equal(judged(PLATFORM_META, DISP_RETRYING, "http 502", ""), CAUSE_PLATFORM_DOWN);
	assert_int_equal(judged(PLATFORM_META, DISP_RETRYING, "http 429", ""), CAUSE_THROTTLED);
	assert_int_equal(
		judged(PLATFORM_META, DISP_RETRYING, "not_sent", "Could not resolve host: x"),
		CAUSE_DNS);
	assert_int_equal(
		judged(PLATFORM_META, DISP_RETRYING, "not_sent", "SSL routines::wrong version"),
		CAUSE_TLS);
	assert_int_equal(judged(PLATFORM_META, DISP_DEAD, "not_sent", "Failed to connect to x"),
		CAUSE_NO_CONNECTION);
	assert_int_equal(
		judged(PLATFORM_META, DISP_RETRYING, "no_answer", "Recv failure"), CAUSE_NO_ANSWER);
	assert_int_equal(judged(PLATFORM_META, DISP_DELIVERED, "ok", ""), CAUSE_NONE);
	assert_int_equal(cause_of_pause(PLATFORM_META, "operator", ""), CAUSE_PAUSED);
	assert_int_equal(cause_of_pause(PLATFORM_META, "config", "the pixel has no token; give …"),
		CAUSE_TOKEN_MISSING);
	assert_int_equal(cause_of_pause(PLATFORM_META, "config", "its token cannot be opened"),
		CAUSE_SETTINGS);
	assert_int_equal(cause_of_pause(PLATFORM_META, "auth", "http 401: ?"), CAUSE_TOKEN_INVALID);
	assert_int_equal(
		cause_of_refusal("the signature does not match the body"), CAUSE_WRONG_SECRET);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(cause_nearest_event("purchse"), "purchase");
	assert_string_equal(cause_nearest_event("Add To Cart"), "add_to_cart");
	assert_string_equal(cause_nearest_event("InitateCheckout"), "initiate_checkout");
	assert_string_equal(cause_nearest_event("PURCHASE"), "purchase");
	assert_null(cause_nearest_event("Purchase"));
	assert_null(cause_nearest_event("vip_night"));
	assert_null(cause_nearest_event(""));
}

static const char *sha(const char *text)
{
	char *hex = arena_alloc(&mem, 65);
	crypto_sha256_hex(text, strlen(text), hex);
	return hex;
}

static const char *upper(const char *text)
{
	char *t = arena_strdup(&mem, text);
	for (char *p = t; *p; p++)
		*p = *p >= 'a' && *p <= 'f' ? (char)(*p - 32) : *p;
	return t;
}

static void hashes(void **state)
{
	const struct event_user u = {.email = "jane.doe@example.com", .phone = "15551234567"};
	const char *how;
	(void)state;
	struct hash_book *meta = hash_book_new(&mem, PLATFORM_META),
			 *tiktok = hash_book_new(&mem, PLATFORM_TIKTOK);
	hash_book_learn(meta, &u);
	hash_book_learn(tiktok, &u);
	const struct {
		const char *hash;
		enum cause meta, tiktok;
	} cases[] = {
		{sha("jane.doe@example.com"), CAUSE_NONE, CAUSE_NONE},
		{sha("stranger@example.com"), CAUSE_NONE, CAUSE_NONE},
		{upper(sha("stranger@example.com")), CAUSE_HASH_UPPER, CAUSE_HASH_UPPER},
		{sha("Jane.Doe@example.com"), CAUSE_HASH_NOT_NORMALISED, CAUSE_HASH_NOT_NORMALISED},
		{sha("JANE.DOE@EXAMPLE.COM"), CAUSE_HASH_NOT_NORMALISED, CAUSE_HASH_NOT_NORMALISED},
		{sha("jane.doe@example.com "), CAUSE_HASH_NOT_NORMALISED,
			CAUSE_HASH_NOT_NORMALISED},
		{sha(sha("jane.doe@example.com")), CAUSE_HASH_TWICE, CAUSE_HASH_TWICE},
		{sha(""), CAUSE_HASH_EMPTY, CAUSE_HASH_EMPTY},
		{upper(sha("")), CAUSE_HASH_EMPTY, CAUSE_HASH_EMPTY},
		{sha("undefined"), CAUSE_HASH_EMPTY, CAUSE_HASH_EMPTY},
		{sha("+15551234567"), CAUSE_PHONE_FORM, CAUSE_NONE},
		{sha("15551234567"), CAUSE_NONE, CAUSE_PHONE_FORM},
		{sha("5551234567"), CAUSE_PHONE_FORM, CAUSE_PHONE_FORM},
		{sha("555-123-4567"), CAUSE_PHONE_FORM, CAUSE_PHONE_FORM},
		{sha("us"), CAUSE_NONE, CAUSE_NONE},
		{sha("US"), CAUSE_HASH_NOT_NORMALISED, CAUSE_HASH_NOT_NORMALISED},
		{sha("Female"), CAUSE_HASH_NOT_NORMALISED, CAUSE_HASH_NOT_NORMALISED},
		{sha(sha("f")), CAUSE_HASH_TWICE, CAUSE_HASH_TWICE},
		{sha("Anna"), CAUSE_HASH_NOT_NORMALISED, CAUSE_HASH_NOT_NORMALISED},
	};
	for (size_t i = 0; i < TA_COUNT(cases); i++) {
		assert_int_equal(hash_book_judge(meta, cases[i].hash, &how), cases[i].meta);
		assert_int_equal(hash_book_judge(tiktok, cases[i].hash, &how), cases[i].tiktok);
	}
	const struct event_user hashed = {.email = sha("nobody@example.com")};
	assert_int_equal(hash_book_judge(meta, sha(hashed.email), &how), CAUSE_NONE);
	hash_book_learn(meta, &hashed);
	assert_int_equal(hash_book_judge(meta, sha(hashed.email), &how), CAUSE_HASH_TWICE);
}

/* A rank of two causes, each struck k of 100: which comes first, and which explains the other. */
static void order(void **state)
{
	static const struct {
		enum cause a, b;
		int ka, kb;
		enum cause first;
		bool explained;
	} cases[] = {
		{CAUSE_TOKEN_EXPIRED, CAUSE_WARNINGS, 3, 60, CAUSE_TOKEN_EXPIRED, false},
		{CAUSE_NO_CONNECTION, CAUSE_NO_ANSWER, 5, 90, CAUSE_NO_CONNECTION, true},
		{CAUSE_MILLISECONDS, CAUSE_REFUSED_ITEMS, 3, 50, CAUSE_MILLISECONDS, true},
		{CAUSE_NO_VALUE, CAUSE_CONSENT, 2, 20, CAUSE_NO_VALUE, false},
		{CAUSE_HASH_EMPTY, CAUSE_RULE_DROPS, 2, 6, CAUSE_HASH_EMPTY, false},
		{CAUSE_PLATFORM_DOWN, CAUSE_OUTCOME_UNKNOWN, 1, 50, CAUSE_PLATFORM_DOWN, true},
	};
	(void)state;
	for (size_t i = 0; i < TA_COUNT(cases); i++) {
		struct cause_book *b = arena_alloc(&mem, sizeof(*b));
		struct cause_found *f = arena_alloc(&mem, CAUSES * sizeof(*f));
		cause_count(b, cases[i].a, cases[i].ka, 100);
		cause_count(b, cases[i].b, cases[i].kb, 100);
		size_t n = cause_rank(b, f);
		assert_true(n >= 1);
		assert_int_equal(f[0].cause, cases[i].first);
		assert_int_equal(f[0].by, CAUSE_NONE);
		if (cases[i].explained) {
			assert_int_equal(n, 2);
			assert_int_equal(f[1].by, cases[i].a);
		}
	}
}

/* The share, its interval and the words of it; what is usual is not told. */
static void evidence(void **state)
{
	struct cause_book *b = arena_alloc(&mem, sizeof(*b));
	struct cause_found *f = arena_alloc(&mem, CAUSES * sizeof(*f));
	(void)state;
	assert_int_equal(cause_rank(b, f), 0);
	b->total[CAUSE_EVENTS] = 200;
	for (int i = 1; i <= 10; i++) {
		char text[40];
		snprintf(text, sizeof(text), "seen %d\x1b[2J", i);
		cause_add(b, CAUSE_NO_VALUE, i, 1000 * i, text);
		cause_add(b, CAUSE_CONSENT, i, 1000 * i, NULL);
	}
	assert_int_equal(cause_rank(b, f), 1);
	assert_int_equal(f->cause, CAUSE_NO_VALUE);
	assert_true(f->k == 10 && f->n == 200 && f->nevents == CAUSE_EXAMPLES);
	assert_true(f->lo > 0.027 && f->lo < 0.028 && f->hi > 0.089 && f->hi < 0.090);
	assert_true(f->first_us == 1000 && f->last_us == 10000 && f->events[2] == 10);
	assert_string_equal(f->evidence, "10 of 200 events (5.0 %, 2.7 to 9.0): seen 10 [2J");
	for (int c = 0; c < (int)CAUSES; c++) {
		const struct cause_row *row = cause_row((enum cause)c);
		assert_int_equal(cause_of(row->word), c);
		assert_true(row->weight >= 1 && row->weight <= 100 && *row->meaning && *row->next);
	}
	struct buf next = BUF_INIT(1000);
	cause_next(CAUSE_PAUSED, "acme", "meta", &next);
	assert_non_null(strstr(buf_str(&next), "trackai pixel release acme/meta"));
	assert_null(strstr(buf_str(&next), "PIXEL"));
	buf_release(&next);
	assert_true((int)CAUSES <= 64); /* struct cause_doc counts them in bits */
}

/* Documents ------------------------------------------------------------------------------------ */

#define DOCS 90

struct world {
	struct cause_book book;
	struct cause_doc docs[DOCS];
	struct event events[DOCS];
	struct cause_sample sample;
	struct cause_found found[CAUSES];
};

/* DOCS healthy purchases, newest first. */
static struct world *world_new(enum platform_id platform)
{
	struct world *w = arena_alloc(&mem, sizeof(*w));
	for (int i = 0; i < DOCS; i++) {
		w->events[i] = (struct event){.name = EV_PURCHASE,
			.source = SOURCE_SERVER,
			.event_id = arena_fmt(&mem, "id-%d", i),
			.user = {.email = arena_fmt(&mem, "p%d@example.com", i),
				.ip = "198.51.100.7",
				.user_agent = "x"}};
		w->events[i].order.id = arena_fmt(&mem, "%d", i);
		w->docs[i] = (struct cause_doc){.event_id = 1000 - i,
			.at_us = 1000000 - i,
			.disposition = DISP_DELIVERED,
			.name = EV_PURCHASE,
			.wire_id = w->events[i].event_id,
			.ev = &w->events[i]};
	}
	w->book.total[CAUSE_EVENTS] = DOCS;
	w->sample = (struct cause_sample){.platform = platform, .docs = w->docs, .n = DOCS};
	return w;
}

/* The first of the causes told, CAUSE_NONE when nothing is. */
static enum cause first(struct world *w)
{
	cause_look(&w->book, &w->sample, &mem);
	return cause_rank(&w->book, w->found) ? w->found[0].cause : CAUSE_NONE;
}

static void documents(void **state)
{
	static const char *warnings[] = {"fbc left out: not of the form fb.1.<ms>.<fbclid>"};
	(void)state;
	assert_int_equal(first(world_new(PLATFORM_META)), CAUSE_NONE);
	struct world *w = world_new(PLATFORM_META);
	w->events[3].warnings = warnings;
	w->events[3].nwarnings = 1;
	assert_int_equal(first(w), CAUSE_BAD_CLICK_ID);
	w = world_new(PLATFORM_META);
	w->events[5].click.fbc = "fb.1.1795344000000.iwar2f4fv9xz3kjqk8mlr6ttypw1n";
	assert_int_equal(first(w), CAUSE_BAD_CLICK_ID);
	w = world_new(PLATFORM_META);
	w->events[5].click.fbc = "fb.1.1795344000000.IwAR2F4Fv9xZ3KjQk8mLr6TtYpW1n";
	assert_int_equal(first(w), CAUSE_NONE);
	w = world_new(PLATFORM_TIKTOK);
	w->events[5].click.fbc = "fb.1.1795344000000.iwar2f4fv9xz3kjqk8mlr6ttypw1n";
	assert_int_equal(first(w), CAUSE_NONE); /* not its business */
	w = world_new(PLATFORM_META);
	w->docs[7].name = w->events[7].name = EV_CUSTOM;
	w->events[7].custom_name = "Purchse";
	assert_int_equal(first(w), CAUSE_MISSPELT_EVENT);
	w = world_new(PLATFORM_META);
	w->events[9].order.source_name = "pos";
	w->sample.send_pos = true;
	assert_int_equal(first(w), CAUSE_REAL_TEST);
}

/* Order 4 told by the browser too, under the same id and under another. */
static void pairs(void **state)
{
	(void)state;
	for (int same = 0; same < 2; same++) {
		struct world *w = world_new(PLATFORM_META);
		w->events[5].source = SOURCE_BROWSER;
		w->events[5].order.id = w->events[4].order.id;
		w->events[5].event_id = same ? w->events[4].event_id : "page-1";
		assert_int_equal(first(w), same ? CAUSE_NONE : CAUSE_NO_PAIR);
	}
}

static void coverage(void **state)
{
	(void)state;
	for (int without = 0; without < 30; without += 3) {
		struct world *w = world_new(PLATFORM_META);
		for (int i = 0; i < without; i++)
			w->events[i].user.email = NULL;
		assert_int_equal(first(w), without >= 9 ? CAUSE_COVERAGE_DROP : CAUSE_NONE);
	}
	struct world *w = world_new(PLATFORM_META); /* always so: no drop */
	for (int i = 0; i < DOCS; i += 2)
		w->events[i].user.email = NULL;
	assert_int_equal(first(w), CAUSE_NONE);
}

/* A rule that drops a few of a name is not told; one that leaves nothing of leads is worth knowing,
 * of purchases it is bad. */
static void rules(void **state)
{
	static const struct {
		enum event_name name;
		int n;
		enum cause first;
		enum health_status level;
	} cases[] = {{EV_PURCHASE, 8, CAUSE_NONE, HEALTH_OK},
		{EV_LEAD, 8, CAUSE_RULE_DROPS, HEALTH_OK},
		{EV_PURCHASE, DOCS, CAUSE_RULE_DROPS, HEALTH_CRIT}};
	(void)state;
	for (size_t k = 0; k < TA_COUNT(cases); k++) {
		struct world *w = world_new(PLATFORM_META);
		for (int i = 0; i < cases[k].n; i++) {
			w->docs[i].name = w->events[i].name = cases[k].name;
			w->docs[i].disposition = DISP_FILTERED;
			cause_hit(&w->book, &w->docs[i], CAUSE_RULE_DROPS, "rule 1");
		}
		assert_int_equal(first(w), cases[k].first);
		if (cases[k].first != CAUSE_NONE)
			assert_int_equal(w->found[0].level, cases[k].level);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reply_has_a_cause),
		cmocka_unit_test(answers),
		cmocka_unit_test(names),
		cmocka_unit_test(hashes),
		cmocka_unit_test(order),
		cmocka_unit_test(evidence),
		cmocka_unit_test(documents),
		cmocka_unit_test(pairs),
		cmocka_unit_test(coverage),
		cmocka_unit_test(rules),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&mem);
	return failed;
}
