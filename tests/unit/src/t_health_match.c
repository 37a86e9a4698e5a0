/* Match keys, pairs, token, ledger and refunds: unknown below evidence, well, and what makes each
 * of them warn; how soon a loss is told, and how seldom chance is. */
#include "src/clock.h"
#include "src/coverage.h"
#include "src/health.h"
#include "src/tally.h"
#include "src/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIXEL 7
#define STORE 3
#define DAY   1440
/* A Monday, noon. */
#define NOON_MIN ((INT64_C(4) + 7 * 2900) * 1440 + 720)
#define EM       (1 << COVERAGE_EM)
#define CLICK    (1 << COVERAGE_CLICK_ID)

static struct health_book *book;
static int64_t now_min;
static uint64_t seed;

static int begin(void **state)
{
	(void)state;
	book = health_book_new();
	now_min = NOON_MIN;
	seed = 20261123;
	return 0;
}

static int end(void **state)
{
	(void)state;
	health_book_free(book);
	return 0;
}

static double chance(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void count(int64_t minute, int item, int bin, int64_t n)
{
	health_feed(
		book, &(struct health_delta){PIXEL, (int16_t)item, (int16_t)bin, minute, n, STORE});
}

static void of_store(int64_t minute, int item, int bin, int64_t n)
{
	health_feed(book, &(struct health_delta){0, (int16_t)item, (int16_t)bin, minute, n, STORE});
}

static void purchases(int64_t minute, int keys, int64_t n)
{
	count(minute, TALLY_KEYS + (int)EV_PURCHASE, keys, n);
}

static struct health judged_with(int64_t token_us)
{
	struct health h;
	struct health_pixel p = {.id = PIXEL, .store_id = STORE, .token_us = token_us};
	health_judge(book, &p, (now_min * 60 + 30) * US_PER_S, &h);
	return h;
}

static struct health_judged part(enum health_part p)
{
	return judged_with(0).part[p];
}

static void is(const struct health_judged *h, enum health_status want, const char *words)
{
	if (h->status != want || !strstr(h->why, words))
		fail_msg("it is %s (%s), not %s (%s)", health_status_word(h->status), h->why,
			health_status_word(want), words);
}

static void seen(enum health_part p, enum health_status want, const char *words)
{
	struct health_judged h = part(p);
	is(&h, want, words);
}

static void keys_need_evidence(void **state)
{
	(void)state;
	count(now_min, TALLY_ROUTED, 0, 1);
	seen(HEALTH_MATCH_KEYS, HEALTH_UNKNOWN, "no event ended");
	purchases(now_min, EM, 5);
	seen(HEALTH_MATCH_KEYS, HEALTH_UNKNOWN, "5 purchase in the last day");
	purchases(now_min, 0, 95);
	seen(HEALTH_MATCH_KEYS, HEALTH_UNKNOWN, "e-mail in 5 % of 100; no week before");
	struct health_judged h = part(HEALTH_MATCH_KEYS);
	assert_int_equal(h.n, 100);
	assert_true(h.value > 0.049 && h.value < 0.051 && h.lo < 0.03 && h.hi > 0.1);
}

/* So many purchases an hour, nine of ten with e-mail, for eight days up to now. */
static void eight_days(int64_t an_hour)
{
	for (int64_t m = now_min - 8 * DAY; m < now_min; m += 60) {
		purchases(m, EM | CLICK, an_hour * 9 / 10);
		purchases(m, 0, an_hour - an_hour * 9 / 10);
	}
	count(now_min, TALLY_ROUTED, 0, 1);
}

static void a_loss_is_told(void **state)
{
	(void)state;
	eight_days(60);
	seen(HEALTH_MATCH_KEYS, HEALTH_OK, "purchase: e-mail in 90 %, phone 0 %, click id 90 %");
	/* e-mails are lost from now on, one purchase a minute */
	int64_t told = 0;
	for (; told < 60 && part(HEALTH_MATCH_KEYS).status != HEALTH_WARN; told++) {
		now_min++;
		purchases(now_min, CLICK, 1);
	}
	if (told < 10 || told > 30)
		fail_msg("told after %d minutes", (int)told);
	seen(HEALTH_MATCH_KEYS, HEALTH_WARN, "purchase: e-mail in ");
	seen(HEALTH_MATCH_KEYS, HEALTH_WARN, "in the last hour, 90 % the week before");
	assert_int_equal(judged_with(0).cause, HEALTH_MATCH_KEYS);
	/* and over when they are back */
	for (int i = 0; i < 2 * DAY; i++) {
		now_min++;
		purchases(now_min, EM | CLICK, 1);
	}
	seen(HEALTH_MATCH_KEYS, HEALTH_OK, "purchase: e-mail in 100 %");
}

static void a_thin_shop_takes_longer(void **state)
{
	(void)state;
	eight_days(2);
	int64_t hours = 0;
	for (; hours < 48 && part(HEALTH_MATCH_KEYS).status != HEALTH_WARN; hours++) {
		now_min += 60;
		purchases(now_min, 0, 2);
	}
	if (hours < 6 || hours > 24)
		fail_msg("told after %d hours", (int)hours);
}

static void a_rare_key_counts_by_half(void **state)
{
	(void)state;
	for (int64_t m = now_min - 8 * DAY; m < now_min; m += 10) {
		purchases(m, EM | CLICK, 8);
		purchases(m, EM, 92);
	}
	count(now_min, TALLY_ROUTED, 0, 1);
	seen(HEALTH_MATCH_KEYS, HEALTH_OK, "click id 8 %");
	for (int i = 0; i < 60; i++)
		purchases(++now_min, EM, 10);
	seen(HEALTH_MATCH_KEYS, HEALTH_WARN, "click id in 0 % of ");
}

static void every_name_is_looked_at(void **state)
{
	(void)state;
	eight_days(60);
	for (int64_t m = now_min - 8 * DAY; m < now_min; m += 60)
		count(m, TALLY_KEYS + (int)EV_ADD_TO_CART, 1 << COVERAGE_CONTENT_IDS, 30);
	for (int i = 0; i < 60; i++)
		count(++now_min, TALLY_KEYS + (int)EV_ADD_TO_CART, 0, 2);
	seen(HEALTH_MATCH_KEYS, HEALTH_WARN, "add_to_cart: content ids in 0 %");
}

/* Four names, each event with each key by chance, looked at every five minutes. */
static void chance_is_not_told(void **state)
{
	(void)state;
	static const double shares[COVERAGE_KEYS] = {
		0.9, 0.4, 0.6, 0.2, 0.97, 0.5, 1, 1, 1, 0.95, 0.99};
	int told = 0, before = 0;
	count(now_min, TALLY_ROUTED, 0, 1);
	for (int64_t m = 0; m < 38 * DAY; m++) {
		now_min++;
		for (int name = 5; name < 9; name++) {
			int keys = 0;
			for (int k = 0; k < COVERAGE_KEYS; k++)
				keys |= (chance() < shares[k]) << k;
			count(now_min, TALLY_KEYS + name, keys, 1);
		}
		if (m < 8 * DAY || m % 5)
			continue;
		int warns = part(HEALTH_MATCH_KEYS).status == HEALTH_WARN;
		told += warns && !before;
		before = warns;
	}
	if (told > 1)
		fail_msg("%d false alarms in 30 days", told);
}

static void the_ring_forgets(void **state)
{
	(void)state;
	struct coverage c = {0};
	coverage_feed(&c, 1, now_min, EM, 5);
	coverage_feed(&c, 1, now_min - 4 * 60, EM, 7);
	coverage_feed(&c, 1, now_min - 5 * DAY, 0, 11);
	coverage_feed(&c, 1, now_min - 30 * DAY, EM, 1000);
	coverage_feed(&c, 1, -5, EM, 1000);
	coverage_feed_sum(&c, &(struct coverage_sum){1, now_min - 5 * DAY, false,
				      {.n = 4, .has = {[COVERAGE_PH] = 3}}});
	assert_int_equal(c.n, 1);
	assert_int_equal(coverage_name(&c, 0), 1);
	assert_int_equal(coverage_of(&c, 0, COVERAGE_HOUR, now_min).n, 5);
	assert_int_equal(coverage_of(&c, 0, COVERAGE_SIX_HOURS, now_min).n, 12);
	assert_int_equal(coverage_of(&c, 0, COVERAGE_DAY, now_min).has[COVERAGE_EM], 12);
	struct coverage_count week = coverage_of(&c, 0, COVERAGE_WEEK, now_min);
	assert_int_equal(week.n, 15);
	assert_int_equal(week.has[COVERAGE_PH], 3);
	assert_int_equal(coverage_of(&c, 0, COVERAGE_WEEK, now_min + 2 * DAY).n, 27);
	assert_int_equal(coverage_of(&c, 0, COVERAGE_WEEK, now_min + 40 * DAY).n, 0);
	assert_int_equal(coverage_of(&c, 0, COVERAGE_SIX_HOURS, now_min + 400 * DAY).n, 0);
	coverage_release(&c);
}

static void told(int64_t minute, int name, int64_t browser, int64_t server, int64_t both)
{
	of_store(minute, TALLY_PAIR, name * 4 + PAIR_BROWSER, browser);
	of_store(minute, TALLY_PAIR, name * 4 + PAIR_SERVER, server);
	of_store(minute, TALLY_PAIR, name * 4 + PAIR_BOTH, both);
}

static void pairs(void **state)
{
	(void)state;
	count(now_min, TALLY_ROUTED, 0, 1);
	seen(HEALTH_PAIRS, HEALTH_UNKNOWN, "tell of no event both");
	told(now_min, (int)EV_PAGE_VIEW, 500, 0, 0);
	seen(HEALTH_PAIRS, HEALTH_UNKNOWN, "tell of no event both");
	told(now_min, (int)EV_PURCHASE, 10, 12, 9);
	seen(HEALTH_PAIRS, HEALTH_UNKNOWN, "purchase: 10 by the browser, 12 by the server");
	told(now_min, (int)EV_PURCHASE, 30, 28, 27);
	of_store(now_min, TALLY_PAIR_LAG, latency_bin(1500), 27);
	seen(HEALTH_PAIRS, HEALTH_OK,
		"36 pairs, 4 only browser, 4 only server, lag 1.5 s; dedup 45 %");
	struct health_judged h = part(HEALTH_PAIRS);
	assert_int_equal(h.n, 44);
	assert_true(h.value > 0.81 && h.value < 0.82 && h.lo < 0.75 && h.hi > 0.88);
}

static void ids_that_differ(void **state)
{
	(void)state;
	count(now_min, TALLY_ROUTED, 0, 1);
	told(now_min, (int)EV_PURCHASE, 40, 38, 0);
	seen(HEALTH_PAIRS, HEALTH_WARN, "40 by the browser and 38 by the server 0 share an id");
}

static void the_page_falls_silent(void **state)
{
	(void)state;
	count(now_min, TALLY_ROUTED, 0, 1);
	for (int64_t m = now_min - 8 * DAY; m < now_min; m += 60)
		told(m, (int)EV_PURCHASE, 20, 20, 19);
	seen(HEALTH_PAIRS, HEALTH_OK, "pairs");
	for (int i = 0; i < 3; i++, now_min += 60)
		told(now_min, (int)EV_PURCHASE, 3, 20, 3);
	seen(HEALTH_PAIRS, HEALTH_WARN, "purchase: both sides told ");
}

static void token(void **state)
{
	(void)state;
	int64_t now_us = now_min * 60 * US_PER_S;
	count(now_min, TALLY_ROUTED, 0, 1);
	struct health_judged h = judged_with(0).part[HEALTH_TOKEN];
	is(&h, HEALTH_UNKNOWN, "nobody noted");
	h = judged_with(now_us - 12 * US_PER_DAY).part[HEALTH_TOKEN];
	is(&h, HEALTH_UNKNOWN, "set 12 days ago, not taken by the platform yet");
	count(now_min - 190, TALLY_ACCEPTED, 0, 1);
	h = judged_with(now_us - 12 * US_PER_DAY).part[HEALTH_TOKEN];
	is(&h, HEALTH_OK, "set 12 days ago, last taken by the platform 3 h ago");
	assert_int_equal(h.n, 12);
	h = judged_with(now_us - 40 * 60 * US_PER_S).part[HEALTH_TOKEN];
	is(&h, HEALTH_UNKNOWN, "set 40 min ago, not taken by the platform yet");
	health_feed_accepted(book, PIXEL, now_min - 2);
	h = judged_with(now_us - 40 * 60 * US_PER_S).part[HEALTH_TOKEN];
	is(&h, HEALTH_OK, "taken by the platform just now");
}

static void refunds(void **state)
{
	(void)state;
	count(now_min, TALLY_ROUTED, 0, 1);
	seen(HEALTH_REFUNDS, HEALTH_UNKNOWN, "0 refunds");
	of_store(now_min - 2 * DAY, TALLY_REFUND, REFUND_MATCHED, 30);
	of_store(now_min, TALLY_REFUND, REFUND_UNMATCHED, 1);
	seen(HEALTH_REFUNDS, HEALTH_OK, "1 of 31 refunds");
	of_store(now_min, TALLY_REFUND, REFUND_UNMATCHED, 9);
	seen(HEALTH_REFUNDS, HEALTH_WARN, "10 of 40 refunds");
	/* another store's are its own */
	struct health h;
	struct health_pixel p = {.id = PIXEL, .store_id = STORE + 1};
	health_judge(book, &p, now_min * 60 * US_PER_S, &h);
	is(&h.part[HEALTH_REFUNDS], HEALTH_UNKNOWN, "0 refunds");
}

static void every_part_has_words(void **state)
{
	(void)state;
	for (int p = 0; p < HEALTH_PARTS; p++) {
		assert_true(*health_word((enum health_part)p) != 0);
		assert_true(strlen(health_meaning((enum health_part)p)) > 10);
		assert_true(strlen(health_step((enum health_part)p)) > 10);
	}
	for (int k = 0; k < COVERAGE_KEYS; k++)
		assert_true(*coverage_word(k) && *coverage_shown(k));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(keys_need_evidence),
		T(a_loss_is_told),
		T(a_thin_shop_takes_longer),
		T(a_rare_key_counts_by_half),
		T(every_name_is_looked_at),
		T(chance_is_not_told),
		T(the_ring_forgets),
		T(pairs),
		T(ids_that_differ),
		T(the_page_falls_silent),
		T(token),
		T(refunds),
		T(every_part_has_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
