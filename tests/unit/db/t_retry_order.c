/* The texts of retries by hand, of circuits and of what is left, without a database. */
#include "db/circuit.h"
#include "db/dead.h"
#include "db/retry_order.h"
#include "db/sweep.h"
#include "db/waiting.h"
#include "src/buf.h"
#include "src/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW (INT64_C(1795344000) * US_PER_S) /* 2026-11-22T10:40:00Z */

static void says(struct buf *b, const char *text)
{
	assert_string_equal(buf_str(b), text);
	buf_clear(b);
}

static void the_order_names_each_delivery(void **state)
{
	(void)state;
	const struct retry_pick v[] = {{5, 1}, {INT64_C(3764942110720000001), 2}};
	struct buf b = BUF_INIT(1000);
	retry_order_args(v, 2, true, &b);
	says(&b, "{\"deliveries\":[[5,1],[3764942110720000001,2]],\"force\":true}");
	retry_order_args(v, 1, false, &b);
	says(&b, "{\"deliveries\":[[5,1]]}");
	buf_release(&b);
}

static void answers_add_up(void **state)
{
	(void)state;
	struct retry_answer sum = {0};
	struct buf b = BUF_INIT(1000);
	retry_answer_text(&sum, &b);
	says(&b, "nothing waits for another attempt");
	retry_answer_add(
		&sum, "{\"retried\":3,\"behind_circuit\":1,\"circuit_us\":1795344000000000}");
	retry_answer_add(&sum, "{\"retried\":2,\"under_way\":1,\"held\":4,\"not_waiting\":5}");
	retry_answer_add(&sum, "no JSON at all");
	retry_answer_json(&sum, &b);
	says(&b, "{\"retried\":5,\"behind_circuit\":1,\"under_way\":1,\"held\":4,\"not_waiting\":5,"
		 "\"circuit_us\":1795344000000000,\"by_hand\":false,\"probed\":false}");
	retry_answer_text(&sum, &b);
	says(&b, "4 are tried now; 1 wait for their circuit, open until 2026-11-22T10:40:00Z; "
		 "--force probes now; 1 are on the wire already; 4 are at a held pixel: release it "
		 "first (trackai pixel release); 5 do not wait for an attempt; what is final goes "
		 "again by trackai delivery replay");
	sum = (struct retry_answer){.retried = 1, .behind = 1, .probed = true};
	retry_answer_text(&sum, &b);
	says(&b, "1 go with the probe of their circuit, now");
	sum.by_hand = true; /* a retry never closes what a hand holds open */
	retry_answer_text(&sum, &b);
	says(&b, "1 wait for their circuit, held open by hand: trackai pixel circuit PIXEL close "
		 "lets it probe");
	buf_release(&b);
}

static void a_circuit_in_words(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(1000);
	struct circuit_row r = circuit_of(NULL, 0, 7);
	assert_int_equal(r.pixel_id, 7);
	circuit_text(&r, NOW, &b);
	says(&b, "closed");
	r.circuit.failures = 1;
	r.error = "HTTP 503";
	circuit_text(&r, NOW, &b);
	says(&b, "closed after 1 failure: HTTP 503");
	r.circuit.failures = 7;
	r.circuit.until_us = NOW + 65 * US_PER_S;
	circuit_text(&r, NOW, &b);
	says(&b, "open until 10:41:05Z after 7 failures: HTTP 503");
	circuit_text(&r, NOW + US_PER_DAY / 24, &b);
	says(&b, "half-open, the next exchange probes after 7 failures: HTTP 503");
	circuit_force(&r.circuit, NOW + US_PER_DAY);
	r.forced_by = "anna";
	circuit_text(&r, NOW, &b);
	says(&b, "held open by anna until 2026-11-23T10:40:00Z");
	circuit_force(&r.circuit, CIRCUIT_FOR_EVER);
	circuit_text(&r, NOW, &b);
	says(&b, "held open by anna");
	buf_release(&b);
}

static void what_keeps_the_next_attempt(void **state)
{
	(void)state;
	struct waiting_row w = {.due_us = NOW + 5};
	assert_true(waiting_next_us(&w, NOW) == NOW + 5);
	w.circuit.circuit.until_us = NOW + 60 * US_PER_S;
	assert_true(waiting_next_us(&w, NOW) == NOW + 60 * US_PER_S);
	circuit_force(&w.circuit.circuit, CIRCUIT_FOR_EVER);
	assert_true(waiting_next_us(&w, NOW) == 0);
	w = (struct waiting_row){.due_us = NOW, .held = true};
	assert_true(waiting_next_us(&w, NOW) == 0);
}

static void what_is_left(void **state)
{
	(void)state;
	static const struct {
		int64_t s;
		const char *text;
	} cases[] = {{0, "0s"}, {59, "59s"}, {61, "1m1s"}, {7500, "2h5m"},
		{86400 * 3 + 14400, "3d4h"}, {-1, "over"}};
	for (size_t i = 0; i < TA_COUNT(cases); i++) {
		char out[24];
		waiting_left(cases[i].s * US_PER_S, out);
		assert_string_equal(out, cases[i].text);
	}
}

static void every_kind_has_words(void **state)
{
	(void)state;
	for (int k = STUCK_RETRY; k < STUCK_KINDS; k++)
		assert_true(*stuck_word((enum stuck_kind)k) && *stuck_text((enum stuck_kind)k));
	for (int k = 0; k < DEAD_BYS; k++)
		assert_true(*dead_by_word((enum dead_by)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_names_each_delivery),
		cmocka_unit_test(answers_add_up),
		cmocka_unit_test(a_circuit_in_words),
		cmocka_unit_test(what_keeps_the_next_attempt),
		cmocka_unit_test(what_is_left),
		cmocka_unit_test(every_kind_has_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
