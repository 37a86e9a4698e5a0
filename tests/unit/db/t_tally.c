/* Log ids and the book's deltas: what needs no database. */
#include "db/log_id.h"
#include "db/tally.h"
#include "src/clock.h"
#include "src/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void ids_never_go_back(void **state)
{
	(void)state;
	int64_t last = 0, now = INT64_C(1795343000000000);
	int64_t first = log_id_take(&last, now, 10);
	assert_int_equal(first, log_id_at(now));
	assert_int_equal(last, first + 9);
	assert_int_equal(log_id_take(&last, now - 60 * US_PER_S, 2), first + 10);
	assert_int_equal(last, first + 11);
	int64_t later = log_id_take(&last, now + US_PER_S, 1);
	assert_true(later > first + 11);
	assert_int_equal(log_id_us(later), now + US_PER_S);
}

static void days_are_ranges_of_ids(void **state)
{
	(void)state;
	int64_t midnight = INT64_C(20000) * US_PER_DAY;
	assert_int_equal(partition_end(log_id_at(midnight)), log_id_at(midnight + US_PER_DAY));
	assert_int_equal(partition_end(log_id_at(midnight) - 1), log_id_at(midnight));
	assert_string_equal(partition_table(0), "inbox");
	assert_null(partition_table(100));
}

static int64_t sum(const struct tally *t, int item)
{
	int64_t n = 0;
	for (size_t i = 0; i < t->n; i++)
		n += t->rows[i].item == item ? t->rows[i].n : 0;
	return n;
}

static void moves_add_up(void **state)
{
	(void)state;
	struct tally t = {.stage = TALLY_DISPATCHER};
	for (int i = 0; i < 5000; i++) {
		int64_t at = (i % 700) * 60 * US_PER_S;
		struct tally_place place = {at, 1 + i % 3, 1 + i % 50};
		tally_move(&t, place, DISP_QUEUED, DISP_DELIVERED);
	}
	assert_int_equal(sum(&t, DISP_QUEUED), -5000);
	assert_int_equal(sum(&t, DISP_DELIVERED), 5000);
	assert_true(t.n < 10000);
	tally_clear(&t);
	assert_int_equal(t.n, 0);
	tally_move(&t, (struct tally_place){0, 1, 1}, -1, DISP_QUEUED);
	tally_move(&t, (struct tally_place){0, 1, 1}, -1, DISP_QUEUED);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.rows[0].n, 2);
	struct tally_row eur = {.store_id = 1, .item = TALLY_ORDERS, .currency = "EUR", .n = 1};
	struct tally_row usd = eur;
	memcpy(usd.currency, "USD", 4);
	eur.amount = 500;
	usd.amount = 700;
	tally_add(&t, &eur);
	tally_add(&t, &usd);
	tally_add(&t, &eur);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.rows[1].amount, 1000);
	tally_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_never_go_back),
		cmocka_unit_test(days_are_ranges_of_ids),
		cmocka_unit_test(moves_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
