/* The helper thread: order, handing over, the end while something runs. */
#include "ui/worker.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct runner {
	int n;
	bool stopped;
	sem_t *gate; /* NULL: goes at once */
};

static void run(void *ctx, struct work *w)
{
	struct runner *r = ctx;
	if (r->gate)
		sem_wait(r->gate);
	w->edit.id = ++r->n;
	w->answer = arena_fmt(&w->mem, "did %s", w->edit.v[0] ? w->edit.v[0] : "nothing");
}

static void stop(void *ctx)
{
	struct runner *r = ctx;
	r->stopped = true;
}

static struct work *await(struct worker *k)
{
	struct pollfd p = {.fd = worker_fd(k), .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
	struct work *w = worker_take(k);
	assert_non_null(w);
	return w;
}

static void works_come_back_in_order(void **state)
{
	(void)state;
	struct runner r = {0};
	struct worker *k = worker_new(run, stop, &r);
	assert_null(worker_take(k));
	for (int i = 0; i < 200; i++) {
		struct work *w = work_new(WORK_SET, &table_store);
		w->edit.v[0] = arena_fmt(&w->mem, "n%d", i);
		worker_post(k, w);
	}
	for (int i = 0; i < 200; i++) {
		char want[16];
		struct work *w = await(k);
		snprintf(want, sizeof(want), "did n%d", i);
		assert_string_equal(w->answer, want);
		assert_int_equal(w->edit.id, i + 1);
		work_free(w);
	}
	struct pollfd p = {.fd = worker_fd(k), .events = POLLIN};
	assert_int_equal(poll(&p, 1, 0), 0); /* quiet again: the loop does not spin */
	worker_free(k);
	assert_true(r.stopped);
}

static void the_end_finishes_what_runs_and_drops_what_waits(void **state)
{
	(void)state;
	sem_t gate;
	struct runner r = {.gate = &gate};
	sem_init(&gate, 0, 0);
	struct worker *k = worker_new(run, stop, &r);
	worker_post(k, work_new(WORK_LIST, &table_rule));
	worker_post(k, work_new(WORK_LIST, &table_rule));
	sem_post(&gate);
	work_free(await(k)); /* the first is done, the second runs or waits */
	sem_post(&gate);
	worker_free(k);
	assert_true(r.stopped);
	assert_in_range(r.n, 1, 2);
	sem_destroy(&gate);
}

static void one_that_was_never_used(void **state)
{
	(void)state;
	struct runner r = {0};
	worker_free(worker_new(run, stop, &r));
	assert_true(r.stopped);
	worker_free(NULL);
}

/* Without a database a work comes back with a sentence. */
static void no_database_is_an_answer(void **state)
{
	(void)state;
	struct worker *k = worker_open("host=/nonexistent dbname=none");
	worker_post(k, work_new(WORK_LIST, &table_store));
	struct work *w = await(k);
	assert_int_equal(w->err.rc, TA_DB);
	assert_true(*w->err.msg != '\0');
	work_free(w);
	worker_free(k);
}

static void a_row_is_copied_whole(void **state)
{
	(void)state;
	struct work *w = work_new(WORK_SET, &table_key);
	const char *v[64] = {"a", NULL, "c"};
	char text[] = "changed later";
	v[1] = text;
	struct table_row row = {.id = 7, .version = 3, .v = v};
	struct table_row *copy = work_row(&w->mem, &table_key, &row);
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(copy->id, 7);
	assert_int_equal(copy->version, 3);
	assert_string_equal(copy->v[1], "changed later");
	assert_string_equal(copy->v[2], "c");
	work_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(works_come_back_in_order),
		cmocka_unit_test(the_end_finishes_what_runs_and_drops_what_waits),
		cmocka_unit_test(one_that_was_never_used),
		cmocka_unit_test(no_database_is_an_answer),
		cmocka_unit_test(a_row_is_copied_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
