/* What rename, set and remove make of an event: the named fields and nothing else. */
#include "src/rule_action_apply.h"

#include "src/arena.h"
#include "src/attr.h"
#include "src/buf.h"
#include "src/rule_event.h"
#include "src/rule_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char doc[] =
	"{\"v\":1,\"event\":\"purchase\",\"source\":\"shopify\",\"topic\":\"orders/create\","
	"\"event_id\":\"wire-1\",\"event_time\":1795343000,\"url\":\"https://shop.example/a\","
	"\"referrer\":\"https://shop.example/b\",\"value\":\"72.39\",\"currency\":\"USD\","
	"\"order_id\":\"1001\",\"order\":{\"name\":\"#1001\"},\"items\":[{\"id\":\"788\","
	"\"name\":\"Aviator\",\"price\":\"9.50\",\"quantity\":2}],\"user\":{\"email\":"
	"\"jane@example.com\",\"phone\":\"15551234567\",\"external_id\":\"c1\",\"first_name\":"
	"\"Jane\",\"last_name\":\"Doe\",\"city\":\"New York\",\"state\":\"NY\",\"zip\":\"10001\","
	"\"country\":\"US\",\"birthdate\":\"19900131\",\"gender\":\"f\",\"ip\":\"198.51.100.7\","
	"\"user_agent\":\"Mozilla/5.0\"},\"click\":{\"epik\":\"e\",\"ttclid\":\"t\"},\"utm\":"
	"{\"source\":\"pinterest\"},\"language\":\"en\",\"search\":\"shoes\",\"custom\":{\"tier\":"
	"\"gold\",\"deep\":{\"a\":1,\"b\":2}}}";

static struct arena mem;

static struct event read_event(void)
{
	struct event ev;
	struct ta_err err = {0};
	if (event_read(&mem, doc, strlen(doc), &ev, &err))
		fail_msg("%s", err.msg);
	return ev;
}

static struct rule_act act_of(const char *word, const char *with)
{
	struct rule_act act;
	struct ta_err err = {0};
	if (rule_action_parse(&mem, word, with, &act, NULL, &err))
		fail_msg("%s %s: %s", word, with, err.msg);
	return act;
}

/* The event after the action; the event before stays what it was. */
static struct event apply(const char *word, const char *with)
{
	struct event in = read_event(), out;
	const struct rule_act act = act_of(word, with);
	struct ta_err err = {0};
	struct buf before = BUF_INIT(1 << 20), after = BUF_INIT(1 << 20);
	event_write(&before, &in);
	if (rule_action_apply(&mem, &act, PLATFORM_META, &in, &out, &err))
		fail_msg("%s %s: %s", word, with, err.msg);
	event_write(&after, &in);
	assert_string_equal(buf_str(&before), buf_str(&after));
	buf_release(&before);
	buf_release(&after);
	assert_string_equal(out.event_id, "wire-1");
	assert_int_equal(out.time_s, 1795343000);
	return out;
}

static const char *text_of(const struct event *ev, const char *field)
{
	const struct rule_event seen = {.ev = ev, .disposition = -1, .latency_us = -1};
	struct rule_source src = rule_source_event(&seen);
	struct rule_value v;
	if (!src.get(src.data, field, &mem, &v))
		return "(none)";
	if (v.type == RULE_NUMBER)
		return arena_fmt(&mem, "%g", v.n);
	return v.type == RULE_STRING ? v.s : v.b ? "true" : "false";
}

static void renaming(void **state)
{
	(void)state;
	struct event ev = apply("rename", "lead");
	assert_int_equal(ev.name, EV_LEAD);
	assert_null(ev.sent_as);
	ev = apply("rename", "CompleteRegistration");
	assert_int_equal(ev.name, EV_PURCHASE);
	assert_string_equal(ev.sent_as, "CompleteRegistration");
	ev = apply("rename", "My own");
	assert_string_equal(ev.sent_as, "My own");
}

static void money(void **state)
{
	(void)state;
	struct event ev = apply("set", "value = 12.5");
	assert_int_equal(ev.value.minor, 1250);
	assert_string_equal(ev.value.currency, "USD");
	assert_true(ev.items[0].has_price);
	ev = apply("set", "value = 12 EUR");
	assert_string_equal(ev.value.currency, "EUR");
	assert_string_equal(ev.currency, "EUR");
	assert_false(ev.items[0].has_price); /* its dollars would read as euros */
	ev = apply("remove", "value");
	assert_false(ev.has_value);
	assert_string_equal(ev.currency, "USD");
}

static void custom(void **state)
{
	(void)state;
	struct event ev =
		apply("set", "custom.tier = \"silver\", custom.new.way = true, custom.n = 1.5");
	assert_string_equal(ev.custom,
		"{\"tier\":\"silver\",\"deep\":{\"a\":1,\"b\":2},\"new\":{\"way\":true},\"n\":1.5}");
	ev = apply("remove", "custom.deep.a, custom.none.way");
	assert_string_equal(ev.custom, "{\"tier\":\"gold\",\"deep\":{\"b\":2}}");
	assert_null(apply("remove", "custom").custom);
	ev = apply("remove", "custom.tier, custom.deep");
	assert_null(ev.custom);
}

static void groups(void **state)
{
	(void)state;
	assert_int_equal(apply("remove", "items").nitems, 0);
	assert_null(apply("remove", "user").user.email);
	assert_null(apply("remove", "utm").utm.source);
	assert_null(apply("remove", "click").click.ttclid);
	const struct event ev = apply("remove", "user.phone");
	assert_null(ev.user.phone);
	assert_string_equal(ev.user.email, "jane@example.com");
}

static const char *sample_of(const char *field)
{
	static const char *const samples[][2] = {{"user.email", "new@example.com"},
		{"user.phone", "4930123456"}, {"user.country", "DE"}, {"user.gender", "m"},
		{"user.birthdate", "20000101"}, {"user.ip", "192.0.2.9"},
		{"event.url", "https://new.example/"}, {"event.referrer", "https://new.example/"},
		{"event.language", "de"}, {"url", "https://new.example/"},
		{"referrer", "https://new.example/"}, {"country", "DE"}};
	for (size_t i = 0; i < TA_COUNT(samples); i++)
		if (strcmp(samples[i][0], field) == 0)
			return samples[i][1];
	return "new";
}

/* Every documented field that the parser lets through is really set, and really removed, and no
 * other field of the documented ones changes. */
static void every_field(void **state)
{
	(void)state;
	size_t n = 0;
	const struct rule_field *f;
	for (int i = 0; (f = rule_field_get(i)); i++) {
		struct rule_act set, gone;
		const char *with = arena_fmt(&mem, "%s = \"%s\"", f->name, sample_of(f->name));
		struct event in = read_event(), out;
		if (f->kind != KIND_TEXT || strchr(f->name, '*') ||
			rule_action_parse(&mem, "set", with, &set, NULL, NULL))
			continue;
		struct ta_err err = {0};
		n++;
		if (rule_action_check(&set, -1, &err) ||
			rule_action_apply(&mem, &set, PLATFORM_META, &in, &out, &err))
			fail_msg("%s: %s", with, err.msg);
		assert_string_equal(text_of(&out, f->name), sample_of(f->name));
		assert_int_equal(
			rule_action_parse(&mem, "remove", f->name, &gone, NULL, NULL), TA_OK);
		const struct rule_field *other;
		for (int k = 0; (other = rule_field_get(k)); k++) {
			bool alias = strcmp(text_of(&out, other->name), sample_of(f->name)) == 0;
			if (other->kind == KIND_TEXT && !alias)
				assert_string_equal(
					text_of(&out, other->name), text_of(&in, other->name));
		}
		assert_int_equal(
			rule_action_apply(&mem, &gone, PLATFORM_META, &in, &out, &err), TA_OK);
		assert_string_equal(text_of(&out, f->name), "(none)");
	}
	assert_true(n >= 35);
}

static void fails(const char *with, const char *words)
{
	struct event in = read_event(), out;
	const struct rule_act act = act_of("set", with);
	struct ta_err err = {0};
	in.currency = NULL;
	in.has_value = false;
	assert_int_equal(rule_action_apply(&mem, &act, PLATFORM_META, &in, &out, &err), TA_INVALID);
	if (!strstr(err.msg, words))
		fail_msg("%s: \"%s\" does not say \"%s\"", with, err.msg, words);
}

static void failures(void **state)
{
	(void)state;
	fails("value = 5", "neither the rule nor the event says a currency");
	fails("user.email = nobody", "expected an e-mail address");
	fails("user.phone = \"call me\"", "expected a phone number");
	fails("user.ip = home", "expected an IPv4 or IPv6 address");
	fails("event.url = \"ftp://x\"", "expected an http or https address");
	fails("user.city = \" \"", "not blank");
}

static void refused(const char *word, const char *with, int platform, const char *words)
{
	const struct rule_act act = act_of(word, with);
	struct ta_err err = {0};
	assert_int_equal(rule_action_check(&act, platform, &err), TA_INVALID);
	assert_string_equal(err.field, "with");
	if (!strstr(err.msg, words))
		fail_msg("%s %s: \"%s\" does not say \"%s\"", word, with, err.msg, words);
}

static void checks(void **state)
{
	(void)state;
	refused("rename", "Leed", PLATFORM_TIKTOK, "TikTok has no event");
	refused("rename", "Refund", PLATFORM_PINTEREST, "Pinterest has no event");
	refused("rename", "refund", -1, "our own books");
	refused("set", "user.email = nobody", -1, "expected an e-mail address");
	const struct rule_act fine[] = {act_of("rename", "lead"), act_of("rename", "Anything goes"),
		act_of("set", "value = 5"), act_of("set", "value = 5 JPY, user.city = Ulm"),
		act_of("remove", "user"), act_of("drop", NULL)};
	for (size_t i = 0; i < TA_COUNT(fine); i++)
		assert_int_equal(rule_action_check(&fine[i], -1, NULL), TA_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renaming),
		cmocka_unit_test(money),
		cmocka_unit_test(custom),
		cmocka_unit_test(groups),
		cmocka_unit_test(every_field),
		cmocka_unit_test(failures),
		cmocka_unit_test(checks),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&mem);
	return failed;
}
