/* Health from counts: each component in each of its states, the ring's edges, the worst one. */
#include "src/clock.h"
#include "src/health.h"
#include "src/tally.h"
#include "src/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIXEL 7
/* A Monday, noon. */
#define NOON_MIN ((INT64_C(4) + 7 * 2900) * 1440 + 720)

static struct health_book *book;
static int64_t now_min;

static int begin(void **state)
{
	(void)state;
	book = health_book_new();
	now_min = NOON_MIN;
	return 0;
}

static int end(void **state)
{
	(void)state;
	health_book_free(book);
	return 0;
}

static void feed(int64_t minute, int item, int bin, int64_t n)
{
	health_feed(book, &(struct health_delta){PIXEL, (int16_t)item, (int16_t)bin, minute, n, 0});
}

/* n events of a minute ago were delivered at the first attempt, in so many ms. */
static void delivered(int64_t minutes_ago, int64_t n, int64_t ms)
{
	int64_t m = now_min - minutes_ago;
	feed(m, TALLY_ROUTED, 0, n);
	feed(m, DISP_QUEUED, 0, n);
	feed(m, DISP_QUEUED, 0, -n);
	feed(m, DISP_DELIVERED, 0, n);
	feed(m, TALLY_FIRST_TRY, 0, n);
	feed(m, TALLY_LATENCY, latency_bin(ms), n);
}

static void failed(int64_t minutes_ago, int64_t n)
{
	feed(now_min - minutes_ago, TALLY_ROUTED, 0, n);
	feed(now_min - minutes_ago, DISP_REJECTED, 0, n);
}

static struct health judged(void)
{
	struct health h;
	struct health_pixel p = {.id = PIXEL};
	health_judge(book, &p, (now_min * 60 + 30) * US_PER_S, &h);
	return h;
}

static void status(const struct health *h, enum health_part p, enum health_status want)
{
	if (h->part[p].status != want)
		fail_msg("%s is %s (%s), not %s", health_word(p),
			health_status_word(h->part[p].status), h->part[p].why,
			health_status_word(want));
	assert_true(h->part[p].why[0] != 0);
}

static void nothing_is_known(void **state)
{
	(void)state;
	struct health h = judged();
	assert_int_equal(h.worst, HEALTH_UNKNOWN);
	status(&h, HEALTH_STATE, HEALTH_OK);
	for (int i = HEALTH_DELIVERY; i < HEALTH_PARTS; i++)
		status(&h, (enum health_part)i, HEALTH_UNKNOWN);
	delivered(3, 4, 100);
	h = judged();
	status(&h, HEALTH_DELIVERY, HEALTH_UNKNOWN);
	assert_int_equal(h.part[HEALTH_DELIVERY].n, 4);
	status(&h, HEALTH_LATENCY, HEALTH_UNKNOWN);
	status(&h, HEALTH_QUEUE, HEALTH_OK);
}

static void all_is_well(void **state)
{
	(void)state;
	for (int i = 1; i < 60; i++)
		delivered(i, 5, 200);
	struct health h = judged();
	assert_int_equal(h.worst, HEALTH_OK);
	status(&h, HEALTH_DELIVERY, HEALTH_OK);
	assert_true(h.part[HEALTH_DELIVERY].value > 0.999 && h.part[HEALTH_DELIVERY].lo > 0.98);
	status(&h, HEALTH_FIRST_TRY, HEALTH_OK);
	status(&h, HEALTH_LATENCY, HEALTH_OK);
	assert_in_range((int)h.part[HEALTH_LATENCY].value, 196, 204);
	status(&h, HEALTH_VOLUME, HEALTH_UNKNOWN);
}

static void failures_burn_the_budget(void **state)
{
	(void)state;
	for (int i = 1; i < 60; i++)
		delivered(i, 5, 200);
	for (int i = 0; i < 12; i++)
		failed(i, 10);
	struct health h = judged();
	status(&h, HEALTH_DELIVERY, HEALTH_CRIT);
	assert_int_equal(h.worst, HEALTH_CRIT);
	assert_int_equal(h.cause, HEALTH_DELIVERY);
	assert_non_null(strstr(h.part[HEALTH_DELIVERY].why, "120 of "));
}

static void a_slow_leak_warns(void **state)
{
	(void)state;
	for (int i = 1; i < 1440; i++)
		delivered(i, 1, 200);
	for (int i = 0; i < 1440; i += 20)
		failed(i, 1);
	struct health h = judged();
	status(&h, HEALTH_DELIVERY, HEALTH_WARN);
}

static void many_attempts_and_slow_answers(void **state)
{
	(void)state;
	for (int i = 1; i < 60; i++) {
		delivered(i, 1, 90000);
		feed(now_min - i, DISP_DELIVERED, 0, 1);
	}
	struct health h = judged();
	status(&h, HEALTH_FIRST_TRY, HEALTH_WARN);
	status(&h, HEALTH_LATENCY, HEALTH_WARN);
	for (int i = 1; i < 60; i++)
		delivered(i, 10, 700000);
	h = judged();
	status(&h, HEALTH_LATENCY, HEALTH_CRIT);
}

static void what_waits_grows_old(void **state)
{
	(void)state;
	feed(now_min, DISP_QUEUED, 0, 3);
	struct health h = judged();
	status(&h, HEALTH_QUEUE, HEALTH_OK);
	assert_int_equal(h.part[HEALTH_QUEUE].n, 3);
	now_min += 20;
	h = judged();
	status(&h, HEALTH_QUEUE, HEALTH_WARN);
	now_min += 120;
	h = judged();
	status(&h, HEALTH_QUEUE, HEALTH_CRIT);
	/* it is still waiting when its slot is long gone, and gone when its verdict comes */
	now_min += 5 * 1440;
	h = judged();
	status(&h, HEALTH_QUEUE, HEALTH_CRIT);
	assert_int_equal(h.part[HEALTH_QUEUE].n, 3);
	feed(NOON_MIN, DISP_QUEUED, 0, -3);
	feed(NOON_MIN, DISP_DELIVERED, 0, 3);
	h = judged();
	status(&h, HEALTH_QUEUE, HEALTH_OK);
	now_min += INT64_C(400) * 1440;
	h = judged();
	status(&h, HEALTH_QUEUE, HEALTH_OK);
}

static void a_held_pixel(void **state)
{
	(void)state;
	struct health h;
	struct health_pixel p = {.id = PIXEL, .held = true, .held_reason = "auth"};
	feed(now_min - 300, DISP_QUEUED, 0, 3);
	health_judge(book, &p, now_min * 60 * US_PER_S, &h);
	status(&h, HEALTH_STATE, HEALTH_CRIT);
	status(&h, HEALTH_QUEUE, HEALTH_WARN); /* its state says why */
	assert_int_equal(h.cause, HEALTH_STATE);
	p.held_reason = "operator";
	health_judge(book, &p, now_min * 60 * US_PER_S, &h);
	status(&h, HEALTH_STATE, HEALTH_WARN);
}

/* Ten an hour, day and night, for so many weeks up to some hours ago. */
static void weeks(int n, int until_hours_ago)
{
	int64_t hour = now_min / 60;
	for (int64_t h = hour - (int64_t)n * 168; h < hour - until_hours_ago; h++)
		health_feed_hour(book, PIXEL, h, 10);
	health_feed_last(book, PIXEL, (hour - until_hours_ago) * 60 - 1);
}

static void silence_by_the_hour_of_the_week(void **state)
{
	(void)state;
	weeks(8, 0);
	struct health h = judged();
	status(&h, HEALTH_FRESHNESS, HEALTH_OK);
	now_min += 80;
	h = judged();
	status(&h, HEALTH_FRESHNESS, HEALTH_WARN);
	now_min += 90;
	h = judged();
	status(&h, HEALTH_FRESHNESS, HEALTH_CRIT);
	assert_true(h.part[HEALTH_FRESHNESS].value > 24);
	feed(now_min, TALLY_ROUTED, 0, 1);
	h = judged();
	status(&h, HEALTH_FRESHNESS, HEALTH_OK);
}

static void silence_of_a_young_pixel(void **state)
{
	(void)state;
	weeks(1, 5);
	struct health h = judged();
	status(&h, HEALTH_FRESHNESS, HEALTH_OK);
	status(&h, HEALTH_VOLUME, HEALTH_UNKNOWN);
	now_min += 90; /* six hours and a half: the silence itself is no usual gap */
	h = judged();
	status(&h, HEALTH_FRESHNESS, HEALTH_WARN);
}

static void half_of_the_events_are_missing(void **state)
{
	(void)state;
	weeks(8, 36);
	for (int64_t h = now_min / 60 - 36; h < now_min / 60; h++)
		health_feed_hour(book, PIXEL, h, 4);
	health_feed_last(book, PIXEL, now_min);
	struct health h = judged();
	status(&h, HEALTH_VOLUME, HEALTH_WARN);
	assert_int_equal(h.part[HEALTH_VOLUME].n, 96);
	assert_true(h.part[HEALTH_VOLUME].value < 0.5);
	status(&h, HEALTH_FRESHNESS, HEALTH_OK);
}

static void a_usual_day(void **state)
{
	(void)state;
	weeks(8, 0);
	struct health h = judged();
	status(&h, HEALTH_VOLUME, HEALTH_OK);
	assert_true(h.part[HEALTH_VOLUME].value > 0.98 && h.part[HEALTH_VOLUME].value < 1.02);
}

static void pixels_do_not_mix(void **state)
{
	(void)state;
	struct health h;
	for (int32_t id = 40; id > 0; id--)
		for (int i = 0; i < id; i++)
			health_feed(
				book, &(struct health_delta){id, DISP_QUEUED, 0, now_min, 1, 0});
	for (int32_t id = 1; id <= 40; id++) {
		struct health_pixel p = {.id = id};
		health_judge(book, &p, now_min * 60 * US_PER_S, &h);
		assert_int_equal(h.part[HEALTH_QUEUE].n, id);
	}
	/* counts of a store are no pixel's */
	health_feed(book, &(struct health_delta){0, TALLY_EVENT, 0, now_min, 1, 9});
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(nothing_is_known),
		T(all_is_well),
		T(failures_burn_the_budget),
		T(a_slow_leak_warns),
		T(many_attempts_and_slow_answers),
		T(what_waits_grows_old),
		T(a_held_pixel),
		T(silence_by_the_hour_of_the_week),
		T(silence_of_a_young_pixel),
		T(half_of_the_events_are_missing),
		T(a_usual_day),
		T(pixels_do_not_mix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
