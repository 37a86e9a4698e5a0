/* The supervisor restarts what dies, forwards nothing twice and stops within its bound. */
#include "src/super.h"

#include "src/clock.h"
#include "src/log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct shared {
	volatile int starts, reloads;
	volatile pid_t supervisor;
};

static struct shared *share(void)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(s != MAP_FAILED);
	return s;
}

static void test_backoff(void **state)
{
	(void)state;
	assert_int_equal(super_backoff_ms(0), 100);
	assert_int_equal(super_backoff_ms(3), 800);
	assert_int_equal(super_backoff_ms(7), 10000);
	assert_int_equal(super_backoff_ms(1000), 10000);
}

/* Dies twice, then tells the supervisor to stop and waits to be stopped itself. */
static int dies_twice(void *arg)
{
	struct shared *s = arg;
	s->starts++;
	if (s->starts == 1)
		return 3;
	if (s->starts == 2)
		(void)raise(SIGKILL);
	(void)kill(s->supervisor, SIGTERM);
	for (;;)
		(void)pause();
	return 0;
}

static void test_restarts_and_stops(void **state)
{
	(void)state;
	struct ta_err err;
	struct shared *s = share();
	s->supervisor = getpid();
	struct super_child c = {.name = "child", .run = dies_twice, .arg = s};
	struct super super = {.children = &c, .n = 1};
	assert_int_equal(super_run(&super, &err), TA_OK);
	assert_int_equal(s->starts, 3);
	assert_int_equal(c.pid, 0);
	assert_int_equal(c.restarts, 2);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	munmap(s, sizeof(*s));
}

static int ignores_term(void *arg)
{
	struct shared *s = arg;
	(void)signal(SIGTERM, SIG_IGN);
	(void)kill(s->supervisor, SIGTERM);
	for (;;)
		(void)pause();
	return 0;
}

static void test_kills_what_does_not_stop(void **state)
{
	(void)state;
	struct ta_err err;
	struct shared *s = share();
	s->supervisor = getpid();
	struct super_child c = {.name = "deaf", .run = ignores_term, .arg = s, .stop_ms = 200};
	struct super super = {.children = &c, .n = 1};
	int64_t begun = clock_mono_us();
	assert_int_equal(super_run(&super, &err), TA_OK);
	assert_true(clock_mono_us() - begun < 9 * US_PER_S); /* its own bound, not the usual one */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	munmap(s, sizeof(*s));
}

static volatile sig_atomic_t hups;

static void on_hup(int sig)
{
	(void)sig;
	hups++;
}

/* Asks for a reload, waits until it arrives here too, then ends everything. */
static int reloads(void *arg)
{
	struct shared *s = arg;
	struct sigaction sa = {.sa_handler = on_hup};
	sigset_t hup, old;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGHUP, &sa, NULL);
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hup, &old);
	(void)kill(s->supervisor, SIGHUP);
	while (!hups)
		sigsuspend(&old);
	(void)kill(s->supervisor, SIGTERM);
	for (;;)
		(void)pause();
	return 0;
}

static void count_reload(void *arg)
{
	((struct shared *)arg)->reloads++;
}

static void test_reload(void **state)
{
	(void)state;
	struct ta_err err;
	struct shared *s = share();
	s->supervisor = getpid();
	struct super_child c = {.name = "child", .run = reloads, .arg = s, .reloads = true};
	struct super super = {.children = &c, .n = 1, .on_reload = count_reload, .arg = s};
	assert_int_equal(super_run(&super, &err), TA_OK);
	assert_int_equal(s->reloads, 1);
	munmap(s, sizeof(*s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_restarts_and_stops),
		cmocka_unit_test(test_kills_what_does_not_stop),
		cmocka_unit_test(test_reload),
	};
	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
