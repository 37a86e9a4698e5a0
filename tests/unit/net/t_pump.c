/* Queues, positions and whose turn it is, without a database; texts from outside; addresses. */
#include "net/circuits.h"
#include "net/dispatch.h"
#include "src/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dispatch d;
static struct pixel a, b;
static struct pixel *pixels[] = {&a, &b};

static int set_up(void **state)
{
	(void)state;
	d = (struct dispatch){.pixels = pixels, .npixels = 2, .head = 1000};
	a = (struct pixel){.row = {.id = 1}, .platform = platform_get(PLATFORM_META)};
	b = (struct pixel){.row = {.id = 2}, .platform = platform_get(PLATFORM_TIKTOK)};
	batches_init(&a.ready);
	batches_init(&b.ready);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < d.npixels; i++) {
		while (pixels[i]->nlanes)
			pixel_remove_lane(pixels[i], 0);
		free(pixels[i]->lanes);
		free(pixels[i]->retries);
		idq_release(&pixels[i]->q);
	}
	writes_release(&d);
	return 0;
}

static void push(struct pixel *p, int64_t from, int64_t to)
{
	for (int64_t id = from; id <= to; id++)
		assert_true(idq_push(&p->q, id));
}

static void queues_are_bounded_and_keep_order(void **state)
{
	(void)state;
	struct batches out;
	push(&a, 1, QUEUE_MAX);
	assert_false(idq_push(&a.q, QUEUE_MAX + 1));
	batches_init(&out);
	pump_choose(&d, &out);
	int64_t next = 1;
	int n = 0;
	for (struct batch *x = out.first; x; x = x->next, n++)
		for (size_t i = 0; i < x->n; i++)
			assert_int_equal(x->ev[i].id, next++);
	assert_int_equal(n, FLYING_MAX);
	assert_int_equal(a.q.len, QUEUE_MAX - FLYING_MAX * BATCH_MAX);
	batches_free(&out);
}

static void the_position_stops_before_the_oldest_that_waits(void **state)
{
	(void)state;
	assert_int_equal(pump_position(&d), 1000);
	push(&a, 700, 900);
	push(&b, 650, 660);
	assert_int_equal(pump_position(&d), 649);
}

static void a_pixel_that_falls_behind_frees_the_position(void **state)
{
	(void)state;
	push(&a, 700, 900);
	struct lane *l = pixel_fall_behind(&d, &a, false);
	assert_int_equal(pump_position(&d), 1000);
	assert_int_equal(l->r.start_id, 699);
	assert_int_equal(l->r.pos, 699);
	assert_int_equal(l->read, 900); /* what is queued already is not read twice */
	assert_int_equal(d.w.nranges, 1);
	pump_rejoin(&d); /* not yet: its queue is not empty */
	assert_int_equal(a.nlanes, 1);
	idq_clear(&l->q);
	l->read = 1000;
	pump_rejoin(&d);
	assert_int_equal(a.nlanes, 0);
	assert_int_equal(d.w.ranges[1].op, RANGE_OP_END);
}

static void an_idle_pixel_falls_behind_at_the_head(void **state)
{
	(void)state;
	assert_int_equal(pixel_fall_behind(&d, &a, false)->r.start_id, 1000);
}

static void freezing_keeps_what_waits(void **state)
{
	(void)state;
	push(&a, 700, 900);
	pixel_freeze(&d, &a);
	assert_true(a.held);
	struct lane *l = pixel_live_lane(&a);
	assert_non_null(l);
	assert_true(l->r.frozen);
	(void)pump_position(&d);
	assert_int_equal(l->r.pos, 699);
	assert_int_equal(l->q.len, 0);
	struct batches out;
	batches_init(&out);
	pump_choose(&d, &out);
	assert_null(out.first);
}

static void retries_of_one_past_go_together(void **state)
{
	(void)state;
	struct batches out;
	a.retries = ta_alloc(5 * sizeof(*a.retries));
	for (int i = 0; i < 5; i++)
		a.retries[i] = (struct delivery_retry){.event_id = i + 1,
			.pixel_id = 1,
			.tries = 2,
			.version = i % 2 ? 3 : 0,
			.first_sent_us = i % 2 ? 77 : 0};
	a.nretries = 5;
	batches_init(&out);
	pump_choose(&d, &out);
	struct batch *first = out.first, *second = first->next;
	assert_int_equal(first->n, 3);
	assert_false(first->pinned);
	assert_int_equal(second->n, 2);
	assert_true(second->pinned);
	assert_int_equal(second->version, 3);
	assert_int_equal(second->first_sent_us, 77);
	assert_int_equal(second->ev[1].id, 4);
	batches_free(&out);
}

static void an_open_circuit_sends_nothing_a_half_open_one_batch(void **state)
{
	(void)state;
	struct batches out;
	push(&a, 1, 4 * BATCH_MAX);
	circuit_failed(&a.circuit, clock_now_us(), 60, 0);
	batches_init(&out);
	pump_choose(&d, &out);
	assert_null(out.first);
	a.circuit.until_us = 1;
	pump_choose(&d, &out);
	assert_non_null(out.first);
	assert_null(out.first->next);
	batches_free(&out);
}

static void foreign_text_is_cleaned(void **state)
{
	(void)state;
	struct arena m = ARENA_INIT;
	assert_string_equal(settle_text(&m, "na\xc3\xafve \xf0\x9f\x98\x80", 99),
		"na\xc3\xafve \xf0\x9f\x98\x80");
	assert_string_equal(
		settle_text(&m, "a\x1b[31m\xff\xc0\xaf\xed\xa0\x80z", 99), "a?[31m??????z");
	assert_string_equal(settle_text(&m, "abc\xc3\xaf", 4), "abc");
	assert_string_equal(settle_text(&m, "cut\xe2\x82", 99), "cut??");
	arena_release(&m);
}

static void plain_http_goes_to_the_loopback_only(void **state)
{
	(void)state;
	assert_true(http_url_allowed("https://api.pinterest.com/v5/x"));
	assert_true(http_url_allowed("http://127.0.0.1:9/x"));
	assert_true(http_url_allowed("http://127.8.8.8/x"));
	assert_true(http_url_allowed("http://localhost:80/x"));
	assert_true(http_url_allowed("http://[::1]:80/x"));
	assert_false(http_url_allowed("http://api.pinterest.com/v5"));
	assert_false(http_url_allowed("http://127.0.0.1.example.com/"));
	assert_false(http_url_allowed("http://127.0.0.1@example.com/"));
	assert_false(http_url_allowed("ftp://127.0.0.1/"));
	assert_false(http_url_allowed("file:///etc/passwd"));
	assert_false(http_url_allowed(""));
}

/* A backlog that a former process began where it was, further than the position it left. */
static void ranges_of_a_pixel_do_not_overlap(void **state)
{
	(void)state;
	const struct range_row r = {.id = 5,
		.pixel_id = 1,
		.kind = RANGE_BACKLOG,
		.start_id = 500,
		.end_id = 2000,
		.pos = 700,
		.run = 1};
	(void)pixel_add_lane(&a, &r);
	struct lane *l = pixel_fall_behind(&d, &a, false);
	assert_int_equal(l->r.start_id, 2000);
	assert_int_equal(l->read, 2000);
	l->r.kind = RANGE_BACKLOG; /* as a release leaves it */
	l->r.end_id = 2000;
	d.head = 2500;
	push(&a, 2200, 2210);
	assert_int_equal(pixel_fall_behind(&d, &a, false)->r.start_id, 2199);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void behind_an_outage_what_waited_follows_slowly(void **state)
{
	(void)state;
	struct batches out;
	push(&a, 1, 2000);
	circuit_failed(&a.circuit, clock_now_us(), 60, 0);
	struct lane *l = pixel_fall_behind(&d, &a, false);
	circuit_probe(&a.circuit, clock_now_us());
	batches_init(&out);
	pump_choose(&d, &out);
	assert_int_equal(out.first->n, CIRCUIT_PROBE);
	batches_free(&out);
	circuit_worked(&d, &a);
	assert_int_equal(circuit_state(&a.circuit, clock_now_us()), CIRCUIT_CLOSED);
	assert_int_equal(l->r.kind, RANGE_BACKLOG);
	assert_int_equal(l->r.end_id, 1000); /* the head */
	push(&a, 1001, 1040);
	a.q.since_us = 0; /* it waited long enough for company */
	pump_choose(&d, &out);
	assert_int_equal(out.first->ev[0].id, 1001); /* live traffic first */
	assert_int_equal(out.first->range_id, 0);
	assert_in_range(out.first->n, 1, 50);
	assert_null(out.first->next); /* one at a time */
	assert_true(pixel_ramp_wait(&a) > 0);
	batches_free(&out);
	a.ramp_us = 0; /* its turn has come */
	pump_choose(&d, &out);
	assert_int_equal(out.first->range_id, l->r.id);
	batches_free(&out);
	a.recover_us -= 60 * US_PER_S; /* long ago: no limit */
	pump_choose(&d, &out);
	assert_int_equal(out.first->n, BATCH_MAX);
	batches_free(&out);
}

/* A refused claim goes again as two batches because it is too long for one request. Until their
 * transaction is through, the old claim stands for all of its events: when the connection is lost
 * before, none of the two may stay, or a part would be claimed twice. */
static void a_split_claim_is_lost_whole(void **state)
{
	(void)state;
	int64_t events[] = {11, 12, 13, 14};
	int16_t runs[] = {1, 1, 1, 1}, tries[] = {1, 1, 1, 1};
	const struct delivery_claim old = {.id = 77,
		.pixel_id = 1,
		.n = 4,
		.events = events,
		.runs = runs,
		.tries = tries,
		.refused = true};
	struct batch *x = batch_of_claim(&d, &a, &old);
	batch_split(&d, x, 2);
	*VEC_ADD(&d.w, claims) = x;
	assert_int_equal(d.w.nclaims, 2);
	writes_keep(&d, &old, 1);
	assert_int_equal(d.w.nclaims, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_split_claim_is_lost_whole),
		TEST(queues_are_bounded_and_keep_order),
		TEST(the_position_stops_before_the_oldest_that_waits),
		TEST(a_pixel_that_falls_behind_frees_the_position),
		TEST(an_idle_pixel_falls_behind_at_the_head),
		TEST(ranges_of_a_pixel_do_not_overlap),
		TEST(freezing_keeps_what_waits),
		TEST(retries_of_one_past_go_together),
		TEST(an_open_circuit_sends_nothing_a_half_open_one_batch),
		TEST(behind_an_outage_what_waited_follows_slowly),
		cmocka_unit_test(foreign_text_is_cleaned),
		cmocka_unit_test(plain_http_goes_to_the_loopback_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
