/* Actions of rules: every one in its canonical form, and what is refused, where. */
#include "src/rule_action.h"

#include "src/arena.h"
#include "src/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *word, *with, *canonical;
} good[] = {
	{"send", "", ""},
	{"send", "  ", ""},
	{"drop", NULL, ""},
	{"hold", "", ""},
	{"hold", "2h", "2h"},
	{"hold", "90m", "90m"},
	{"hold", "120m", "2h"},
	{"hold", "48h", "2d"},
	{"hold", "1s", "1s"},
	{"hold", "30d", "30d"},
	{"rename", " lead ", "lead"},
	{"rename", "\"lead\"", "lead"},
	{"rename", "Big Spender", "Big Spender"},
	{"rename", "\"\\\"quoted\\\"\"", "\"\\\"quoted\\\"\""},
	{"set", "value=12.50EUR", "value = 12.50 EUR"},
	{"set", "value = 12.50 EUR,custom.tier='gold'",
		"value = 12.50 EUR, custom.tier = \"gold\""},
	{"set", "event.value = 7", "value = 7"},
	{"set", "value = 1200 JPY", "value = 1200 JPY"},
	{"set", "country = us", "user.country = \"us\""},
	{"set", "custom.n = -1.5, custom.ok = true, custom.word = yes",
		"custom.n = -1.5, custom.ok = true, custom.word = \"yes\""},
	{"set", "user.phone = \"15551234567\"", "user.phone = \"15551234567\""},
	{"set", "user.zip = 10115", "user.zip = \"10115\""},
	{"set", "url = \"https://shop.example/?a=1,b\"",
		"event.url = \"https://shop.example/?a=1,b\""},
	{"remove", "user.phone,  country , utm, items", "user.phone, user.country, utm, items"},
	{"sample", "10%", "10%"},
	{"sample", "0%", "0%"},
	{"sample", "100 %", "100%"},
	{"sample", "0.5%", "0.5%"},
	{"sample", "12.3450%", "12.345%"},
	{"sample", "0.0001%", "0.0001%"},
	{"route", "backup", "backup"},
	{"route", "backup, second", "backup, second"},
};

static const struct {
	const char *word, *with, *field, *says;
	size_t at;
} bad[] = {
	{"", "", "action", "expected send, drop", 0},
	{"sent", "", "action", "not \"sent\"", 0},
	{NULL, "", "action", "expected send, drop", 0},
	{"send", "now", "with", "takes no argument", 0},
	{"drop", "10%", "with", "takes no argument", 0},
	{"rename", "", "with", "needs an argument", 0},
	{"rename", "  ", "with", "needs an argument", 0},
	{"rename", "\"lead\" x", "with", "nothing behind the name", 7},
	{"rename", "\"lead", "with", "closing", 0},
	{"rename", "\"\"", "with", "an event's name", 2},
	{"rename", "a\tb", "with", "control characters", 0},
	{"hold", "soon", "with", "a duration", 0},
	{"hold", "-2h", "with", "a duration", 0},
	{"hold", "0s", "with", "a duration", 0},
	{"hold", "1500ms", "with", "a duration", 0},
	{"hold", "31d", "with", "a duration", 0},
	{"hold", "2h 3m", "with", "nothing behind", 3},
	{"sample", "10", "with", "percentage", 0},
	{"sample", "101%", "with", "percentage", 0},
	{"sample", "-1%", "with", "percentage", 0},
	{"sample", "1.23456%", "with", "percentage", 0},
	{"sample", "1e1%", "with", "percentage", 0},
	{"sample", "10%%", "with", "percentage", 0},
	{"sample", ".5%", "with", "percentage", 0},
	{"set", "value", "with", "expected = and a value, here it ends", 5},
	{"set", "value == 3", "with", "", 6},
	{"set", "value = ", "with", "an amount", 7},
	{"set", "value = -3 EUR", "with", "an amount", 8},
	{"set", "value = 1e3 EUR", "with", "an amount", 8},
	{"set", "value = 3 EUX", "with", "ISO 4217", 10},
	{"set", "value = 3.001 EUR", "with", "3.001", 14},
	{"set", "value = \"3\"", "with", "an amount", 8},
	{"set", "  vlaue = 3", "with", "there is no field \"vlaue\"; did you mean value?", 2},
	{"set", "name = lead", "with", "cannot be changed", 0},
	{"set", "event.id = \"x\"", "with", "cannot be changed", 0},
	{"set", "store.name = \"x\"", "with", "cannot be changed", 0},
	{"set", "user = \"x\"", "with", "there is no field", 0},
	{"set", "user.email = \"\"", "with", "use the action remove", 13},
	{"set", "user.country = \"Germany\"", "with", "two letters", 15},
	{"set", "custom.a = 1, custom.a = 2", "with", "named twice", 14},
	{"set", "url = \"x\", event.url = \"y\"", "with", "named twice", 11},
	{"set", "custom.a = 1,", "with", "a field's name, here it ends", 13},
	{"set", "custom.a = 1 custom.b = 2", "with", "a comma", 13},
	{"set", "custom.a = [1]", "with", "a text in quotes", 11},
	{"remove", "user.phone = 3", "with", "a comma", 11},
	{"remove", "value value", "with", "a comma", 6},
	{"remove", "order.id", "with", "cannot be changed", 0},
	{"remove", "42", "with", "a field's name", 0},
	{"route", "", "with", "needs an argument", 0},
};

static void every_action_is_canonical(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(good); i++) {
		struct arena a = ARENA_INIT;
		struct rule_act act, again;
		struct ta_err err = {0};
		assert_int_equal(
			rule_action_parse(&a, good[i].word, good[i].with, &act, NULL, &err), TA_OK);
		assert_string_equal(act.with, good[i].canonical);
		assert_int_equal(
			rule_action_parse(&a, good[i].word, act.with, &again, NULL, &err), TA_OK);
		assert_string_equal(again.with, good[i].canonical);
		arena_release(&a);
	}
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(bad); i++) {
		struct arena a = ARENA_INIT;
		struct rule_act act;
		struct ta_err err = {0};
		size_t at = 99;
		enum ta_rc rc = rule_action_parse(&a, bad[i].word, bad[i].with, &act, &at, &err);
		if (!*bad[i].says) { /* == is =, as in conditions */
			assert_int_equal(rc, TA_OK);
			arena_release(&a);
			continue;
		}
		assert_int_equal(rc, TA_INVALID);
		assert_string_equal(err.field, bad[i].field);
		assert_non_null(strstr(err.msg, bad[i].says));
		assert_int_equal(at, bad[i].at);
		arena_release(&a);
	}
}

static void arguments_are_read(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct rule_act act;
	struct ta_err err = {0};
	assert_int_equal(rule_action_parse(&a, "hold", "2h", &act, NULL, &err), TA_OK);
	assert_int_equal(act.hold_us, INT64_C(7200000000));
	assert_int_equal(rule_action_parse(&a, "hold", "", &act, NULL, &err), TA_OK);
	assert_int_equal(act.hold_us, 0);
	assert_int_equal(rule_action_parse(&a, "sample", "12.5%", &act, NULL, &err), TA_OK);
	assert_int_equal(act.ppm, 125000);
	assert_int_equal(rule_action_parse(&a, "rename", "\"lead\"", &act, NULL, &err), TA_OK);
	assert_string_equal(act.name, "lead");
	assert_int_equal(rule_action_parse(&a, "set",
				 "value = 12.50 EUR, custom.t = x, custom.n = 3", &act, NULL, &err),
		TA_OK);
	assert_int_equal(act.nterms, 3);
	assert_int_equal(act.terms[0].type, TERM_MONEY);
	assert_string_equal(act.terms[0].text, "12.50");
	assert_string_equal(act.terms[0].currency, "EUR");
	assert_int_equal(act.terms[1].type, TERM_TEXT);
	assert_string_equal(act.terms[1].field, "custom.t");
	assert_int_equal(act.terms[2].type, TERM_NUMBER);
	assert_string_equal(act.terms[2].text, "3");
	assert_int_equal(rule_action_parse(&a, "remove", "value, user", &act, NULL, &err), TA_OK);
	assert_int_equal(act.nterms, 2);
	assert_int_equal(act.terms[1].type, TERM_NONE);
	struct buf b = BUF_INIT(200);
	rule_action_print(&act, &b);
	assert_string_equal(buf_str(&b), "remove value, user");
	buf_release(&b);
	arena_release(&a);
}

static void arguments_are_bounded(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct rule_act act;
	struct ta_err err = {0};
	struct buf b = BUF_INIT(100000);
	for (int i = 0; i <= RULE_TERMS_MAX; i++)
		buf_addf(&b, "%scustom.f%d = %d", i ? ", " : "", i, i);
	assert_int_equal(rule_action_parse(&a, "set", buf_str(&b), &act, NULL, &err), TA_INVALID);
	assert_non_null(strstr(err.msg, "at most 32 fields"));
	buf_clear(&b);
	for (int i = 0; i <= RULE_WITH_MAX; i++)
		buf_addc(&b, 'x');
	assert_int_equal(
		rule_action_parse(&a, "rename", buf_str(&b), &act, NULL, &err), TA_INVALID);
	assert_non_null(strstr(err.msg, "at most 2000 bytes"));
	buf_release(&b);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_action_is_canonical),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(arguments_are_read),
		cmocka_unit_test(arguments_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
