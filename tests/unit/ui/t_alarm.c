/* The bell rings once for each alert that is new, and the top line names the worst that nobody took
 * on. */
#include "ui/alarm.h"

#include "src/alert.h"
#include "ui/app.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct view_alert alerts[3];

static bool rings(struct app *app, size_t n)
{
	app->data.alerts = alerts;
	app->data.nalerts = n;
	app->todo = 0;
	alarm_look(app);
	return (app->todo & TODO_BELL) != 0;
}

static void rings_once(void **state)
{
	static struct app app;
	(void)state;
	app_init(&app);
	app.bell = true;
	for (int i = 0; i < 3; i++)
		alerts[i] = (struct view_alert){
			.id = 5 + i, .scope = ALERT_NETWORK, .level = HEALTH_WARN, .raised_us = i};
	assert_false(rings(&app, 1)); /* it was open when the console came */
	assert_true(rings(&app, 2));
	assert_false(rings(&app, 2));
	alerts[2].muted_us = 1;
	assert_false(rings(&app, 3));
	alerts[2].muted_us = 0;
	app.data.at_us = 1; /* of the past */
	assert_false(rings(&app, 3));
	app.data.at_us = 0;
	app.bell = false;
	assert_false(rings(&app, 3));
	app.bell = true;
	assert_false(rings(&app, 3));
	app.data.alerts = NULL;
	app.data.nalerts = 0;
	app_release(&app);
}

static void the_worst(void **state)
{
	struct data d = {.alerts = alerts, .nalerts = 3};
	size_t n;
	(void)state;
	for (int i = 0; i < 3; i++)
		alerts[i] = (struct view_alert){
			.id = i, .scope = ALERT_NETWORK, .level = HEALTH_WARN, .raised_us = i};
	assert_ptr_equal(alarm_worst(&d, &n), &alerts[2]);
	alerts[0].level = HEALTH_CRIT;
	assert_ptr_equal(alarm_worst(&d, &n), &alerts[0]);
	assert_int_equal(n, 3);
	alerts[0].acked_us = 1;
	alerts[2].cleared_us = 1;
	assert_ptr_equal(alarm_worst(&d, &n), &alerts[1]);
	assert_int_equal(n, 1);
	alerts[1].muted_us = 1;
	assert_null(alarm_worst(&d, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_once),
		cmocka_unit_test(the_worst),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
