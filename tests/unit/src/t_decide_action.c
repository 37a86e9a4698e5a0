/* What rules make of an event at the pixels of its store: every action, conditions that cannot
 * answer, shadows, circles; the same told by the explanation, the counters and a backtest. */
#include "src/arena.h"
#include "src/backtest.h"
#include "src/explain.h"
#include "src/rule_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECEIVED (INT64_C(1795344000) * 1000000)

static const struct route_store store = {
	.id = 1, .names = {.name = "Shop", .currency = "EUR"}, .basis = "total"};

static struct event purchase(void)
{
	return (struct event){.name = EV_PURCHASE,
		.source = SOURCE_SHOPIFY,
		.time_s = 1795343000,
		.has_value = true,
		.value = {7239, "EUR"},
		.currency = "EUR",
		.user = {.country = "DE"},
		.order = {.id = "42", .name = "#1001"}};
}

/* A store with pixels a, b, c (Meta, Pinterest, TikTok) and rules. */
struct shop {
	struct arena mem;
	struct route_pixel pixels[3];
	struct route_rule rules[12];
	size_t n;
};

static const char *const pixel_names[] = {"a", "b", "c"};

static void shop_open(struct shop *s)
{
	static const enum platform_id platforms[] = {
		PLATFORM_META, PLATFORM_PINTEREST, PLATFORM_TIKTOK};
	*s = (struct shop){.n = 0};
	for (int i = 0; i < 3; i++)
		s->pixels[i] = (struct route_pixel){.id = i + 1,
			.store_id = 1,
			.platform = platforms[i],
			.names = {.name = pixel_names[i],
				.platform = platform_word((int)platforms[i])}};
}

/* A rule of one pixel (1, 2, 3; 0: all); asked in the order in which they are added. */
static struct route_rule *rule(
	struct shop *s, int pixel, const char *expr, const char *action, const char *with)
{
	struct ta_err err = {0};
	struct rule_prog *prog = NULL;
	struct route_rule *r = &s->rules[s->n++];
	if (rule_compile_event(&s->mem, expr, &prog, NULL, &err))
		fail_msg("%s: %s", expr, err.msg);
	*r = (struct route_rule){.id = (int32_t)s->n,
		.version = 1,
		.priority = (int)s->n,
		.pixel_id = pixel,
		.platform = -1,
		.name = "r",
		.expr = expr,
		.prog = prog};
	if (rule_action_parse(&s->mem, action, with, &r->act, NULL, &err))
		fail_msg("%s %s: %s", action, with, err.msg);
	return r;
}

static void link_rules(struct shop *s)
{
	for (int i = 0; i < 3; i++)
		route_pixel_scope(&s->pixels[i], s->rules, s->n, &s->mem);
	route_pixels_link(s->pixels, 3);
}

static struct route_case case_of(const struct shop *s, const struct event *ev)
{
	return (struct route_case){ev, &store, s->pixels, RECEIVED, 1000};
}

/* "queued/2 rerouted/1 rule" per pixel: the reason, else the disposition, and the rule. */
static const char *decided(struct shop *s, const struct event *ev, struct route_notes *notes)
{
	static char text[200];
	struct route_decision out[3], one;
	struct route_case c = case_of(s, ev);
	size_t n = 0;
	link_rules(s);
	route_decide_all(&c, out, notes, &s->mem);
	for (int i = 0; i < 3; i++) {
		c.pixel = &s->pixels[i];
		one = route_decide(&c, &s->mem);
		assert_int_equal(one.to, out[i].to);
		assert_int_equal(one.reason, out[i].reason);
		assert_int_equal(one.rule_id, out[i].rule_id);
		assert_int_equal(one.other_pixel, out[i].other_pixel);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s/%d", i ? " " : "",
			out[i].reason ? reason_word((int)out[i].reason)
				      : disposition_word((int)out[i].to),
			out[i].rule_id);
	}
	return text;
}

static int noted(const struct route_notes *t, enum route_note_kind kind, int rule_id, int pixel_id)
{
	int n = 0;
	for (size_t i = 0; i < t->n; i++)
		n += t->v[i].kind == kind && t->v[i].rule->id == rule_id &&
		     (!pixel_id || t->v[i].pixel->id == pixel_id);
	return n;
}

static void test_hold_and_changes(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	shop_open(&s);
	rule(&s, 1, "value > 50", "hold", "2h");
	rule(&s, 2, "value > 50", "rename", "lead");
	rule(&s, 3, "value > 50", "set", "value = 1 EUR");
	rule(&s, 0, "value > 10", "drop", "");
	assert_string_equal(decided(&s, &ev, NULL), "rule_hold/1 queued/2 queued/3");
	ev.value.minor = 2000;
	assert_string_equal(decided(&s, &ev, NULL), "rule/4 rule/4 rule/4");
	ev.consent = CONSENT_DENIED;
	assert_string_equal(decided(&s, &ev, NULL), "denied/0 denied/0 denied/0");
	arena_release(&s.mem);
}

/* TikTok has no custom events: a rule may give one a name, and only such rules are asked. */
static void test_rename_gives_a_name(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	struct route_notes notes = {0};
	ev.name = EV_CUSTOM;
	ev.custom_name = "vip";
	shop_open(&s);
	rule(&s, 3, "value > 5 and order.name > 5", "drop", "");
	assert_string_equal(decided(&s, &ev, &notes), "queued/0 queued/0 unmapped/0");
	assert_int_equal(notes.n, 0);
	rule(&s, 3, "event.custom_name == vip", "rename", "Lead");
	assert_string_equal(decided(&s, &ev, &notes), "queued/0 queued/0 queued/2");
	ev.custom_name = "other";
	assert_string_equal(decided(&s, &ev, &notes), "queued/0 queued/0 unmapped/0");
	ev.name = EV_REFUND;
	assert_string_equal(decided(&s, &ev, &notes), "internal/0 internal/0 internal/0");
	arena_release(&s.mem);
}

static void test_own_event_names(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	struct ta_err err = {0};
	ev.name = EV_CUSTOM;
	ev.custom_name = "vip";
	shop_open(&s);
	assert_int_equal(event_map_parse(&s.mem, "custom:vip = Lead", PLATFORM_TIKTOK,
				 &s.pixels[2].event_names, &err),
		TA_OK);
	assert_string_equal(decided(&s, &ev, NULL), "queued/0 queued/0 queued/0");
	assert_int_equal(event_map_parse(&s.mem, "purchase = never", PLATFORM_META,
				 &s.pixels[0].event_names, &err),
		TA_OK);
	ev.name = EV_PURCHASE;
	assert_string_equal(decided(&s, &ev, NULL), "unmapped/0 queued/0 queued/0");
	arena_release(&s.mem);
}

/* The same events are always taken, and about as many as were asked for. */
static void test_samples(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	int taken = 0, both = 0;
	shop_open(&s);
	rule(&s, 1, "name == purchase", "sample", "10%");
	rule(&s, 2, "name == purchase", "sample", "10%");
	rule(&s, 3, "name == purchase", "sample", "0%");
	link_rules(&s);
	struct route_case c = case_of(&s, &ev);
	for (int i = 1; i <= 20000; i++) {
		struct route_decision a[3], b[3];
		c.event_id = INT64_C(3765102346240000000) + i;
		route_decide_all(&c, a, NULL, &s.mem);
		route_decide_all(&c, b, NULL, &s.mem);
		assert_memory_equal(a, b, sizeof(a));
		assert_int_equal(a[0].rule_id, 1);
		assert_int_equal(a[2].reason, REASON_SAMPLED);
		taken += a[0].to == DISP_QUEUED;
		both += a[0].to == DISP_QUEUED && a[1].to == DISP_QUEUED;
	}
	/* 2,000 expected, 4.7 deviations of a binomial allowed; two rules draw apart: 200. */
	assert_in_range(taken, 1800, 2200);
	assert_in_range(both, 130, 270);
	/* What the manual says, by hand: event 1000, rule 1. */
	c.event_id = 1000;
	uint64_t h = UINT64_C(1000) + UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	h ^= h >> 31;
	assert_int_equal(route_decide(&c, &s.mem).to == DISP_QUEUED, h % 1000000 < 100000);
	arena_release(&s.mem);
}

static void test_route(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	struct route_decision out[3];
	struct route_notes notes = {0};
	shop_open(&s);
	rule(&s, 1, "value > 50", "route", "b");
	assert_string_equal(decided(&s, &ev, &notes), "rerouted/1 queued/0 queued/0");
	assert_int_equal(noted(&notes, NOTE_MATCHED, 1, 0), 1);
	/* A rule of the target's own that would filter it gives way; a hold stays; its row is one.
	 */
	rule(&s, 2, "name == purchase", "drop", "");
	assert_string_equal(decided(&s, &ev, NULL), "rerouted/1 queued/1 queued/0");
	struct route_case c = case_of(&s, &ev);
	route_decide_all(&c, out, NULL, &s.mem);
	assert_int_equal(out[0].other_pixel, 2);
	assert_int_equal(out[1].other_pixel, 1);
	s.rules[1].act.kind = ACTION_HOLD;
	assert_string_equal(decided(&s, &ev, NULL), "rerouted/1 rule_hold/2 queued/0");
	/* At the target itself the rule sends. */
	s.rules[0].pixel_id = 0;
	assert_string_equal(decided(&s, &ev, NULL), "rerouted/1 queued/1 rerouted/1");
	arena_release(&s.mem);
}

static void test_route_fails(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	struct route_notes notes = {0};
	shop_open(&s);
	rule(&s, 1, "value > 50", "route", "nowhere");
	rule(&s, 1, "value > 60", "route", "c");
	assert_string_equal(decided(&s, &ev, &notes), "rerouted/2 queued/0 queued/0");
	assert_int_equal(noted(&notes, NOTE_FAILED, 1, 1), 1);
	assert_int_equal(notes.v[0].fault, RULE_FAULT_TARGET);
	s.pixels[2].since_id = 1000; /* it began behind this event */
	assert_string_equal(decided(&s, &ev, NULL), "queued/0 queued/0 queued/0");
	s.pixels[2].since_id = 0;
	ev.name = EV_CUSTOM; /* which TikTok does not take */
	assert_string_equal(decided(&s, &ev, NULL), "queued/0 queued/0 unmapped/0");
	/* A pixel that stands alone has nowhere to route to. */
	struct route_case c = case_of(&s, &ev);
	struct route_pixel alone = s.pixels[0];
	alone.siblings = NULL;
	c.pixel = &alone;
	assert_int_equal(route_decide(&c, &s.mem).to, DISP_QUEUED);
	arena_release(&s.mem);
}

/* Nothing is lost in a circle: its rules fail, all of them, and what follows decides. */
static void test_circles(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	struct route_notes notes = {0};
	shop_open(&s);
	rule(&s, 1, "value > 50", "route", "b");
	rule(&s, 2, "value > 50", "route", "c");
	assert_string_equal(decided(&s, &ev, &notes), "rerouted/1 rerouted/2 queued/0");
	rule(&s, 3, "value > 50", "route", "a");
	notes.n = 0;
	assert_string_equal(decided(&s, &ev, &notes), "queued/0 queued/0 queued/0");
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(noted(&notes, NOTE_FAILED, i, i), 1);
		assert_int_equal(notes.v[i - 1].fault, RULE_FAULT_LOOP);
	}
	/* Only the circle fails: c leads into it. */
	s.rules[1].act.name = "a";
	notes.n = 0;
	assert_string_equal(decided(&s, &ev, &notes), "queued/0 queued/0 rerouted/3");
	assert_int_equal(noted(&notes, NOTE_FAILED, 3, 0), 0);
	/* The next rule routes in a circle again, and fails too; then one drops. */
	rule(&s, 1, "value > 20", "route", "c");
	rule(&s, 1, "value > 10", "drop", "");
	notes.n = 0;
	assert_string_equal(decided(&s, &ev, &notes), "rule/5 queued/0 queued/0");
	assert_int_equal(noted(&notes, NOTE_FAILED, 4, 1) + noted(&notes, NOTE_FAILED, 3, 3), 2);
	arena_release(&s.mem);
}

static void test_shadows(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	struct route_notes notes = {0};
	shop_open(&s);
	rule(&s, 0, "value > 50", "drop", "")->shadow = true;
	rule(&s, 1, "value > 50", "drop", "");
	rule(&s, 0, "value > 50", "hold", "")->shadow = true;
	rule(&s, 2, "value > 50", "set", "value = 1 EUR")->shadow = true;
	rule(&s, 3, "order.name > 5", "drop", "")->shadow = true;
	rule(&s, 3, "value > 50", "route", "nowhere")->shadow = true;
	assert_string_equal(decided(&s, &ev, &notes), "rule/2 queued/0 queued/0");
	assert_int_equal(noted(&notes, NOTE_SHADOW, 1, 0), 3);
	assert_int_equal(noted(&notes, NOTE_SHADOW, 3, 1), 0); /* another decided before */
	assert_int_equal(noted(&notes, NOTE_SHADOW, 3, 0), 2);
	assert_int_equal(noted(&notes, NOTE_FAILED, 5, 3), 1);
	assert_int_equal(noted(&notes, NOTE_FAILED, 6, 3), 1);
	for (size_t i = 0; i < notes.n; i++)
		if (notes.v[i].kind == NOTE_SHADOW)
			assert_int_equal(notes.v[i].differs,
				notes.v[i].rule->id != 1 || notes.v[i].pixel->id != 1);
	arena_release(&s.mem);
}

static const struct rule_count *find(
	const struct rule_counts *t, int rule_id, int item, int bin, const char *currency)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i]->rule_id == rule_id && t->rows[i]->item == item &&
			t->rows[i]->bin == bin && strcmp(t->rows[i]->currency, currency) == 0)
			return t->rows[i];
	return NULL;
}

static void test_counters(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	struct route_notes notes = {0};
	shop_open(&s);
	struct rule_counts t = RULE_COUNTS_INIT(&s.mem);
	rule(&s, 0, "value > 50", "drop", "")->shadow = true;
	rule(&s, 1, "value > 50", "hold", "");
	rule(&s, 2, "order.cancelled > -1d", "drop", "");
	for (int i = 0; i < 4; i++) {
		notes.n = 0;
		decided(&s, &ev, &notes);
		rule_counts_add(&t, &notes, &ev, RECEIVED + (i == 3 ? INT64_C(3600000000) : 0));
		ev.source = i == 1 ? SOURCE_BROWSER : SOURCE_SHOPIFY; /* the third is no revenue */
	}
	const struct rule_count *c = find(&t, 1, RULE_COUNT_SHADOW, DISP_FILTERED, "");
	assert_int_equal(c->n, 9);
	assert_int_equal(c->hour, RECEIVED / INT64_C(3600000000));
	assert_int_equal(find(&t, 1, RULE_COUNT_DIFFERS, 0, "")->n, 9);
	c = find(&t, 1, RULE_COUNT_TOUCHED, 0, "EUR");
	assert_int_equal(c->n, 2); /* each event once, not per pixel */
	assert_int_equal(c->amount, 2 * 7239);
	assert_int_equal(find(&t, 2, RULE_COUNT_MATCHED, DISP_HELD, "")->n, 3);
	assert_int_equal(find(&t, 3, RULE_COUNT_FAILED, RULE_FAULT_MISSING, "")->n, 3);
	assert_null(find(&t, 1, RULE_COUNT_MATCHED, DISP_FILTERED, ""));
	assert_int_equal(t.n, 10); /* and the next hour's five */
	arena_release(&s.mem);
}

static void test_explained(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	struct explain x;
	shop_open(&s);
	rule(&s, 1, "order.name > 5", "drop", "");
	rule(&s, 1, "value > 50", "drop", "")->shadow = true;
	rule(&s, 1, "country == US", "drop", "");
	rule(&s, 1, "value > 50", "route", "nowhere");
	rule(&s, 1, "value > 50", "drop", "")->prog = NULL;
	rule(&s, 1, "value > 50", "route", "b");
	rule(&s, 1, "value > 50", "drop", "");
	link_rules(&s);
	struct route_case c = case_of(&s, &ev);
	route_explain(&c, &s.mem, &x);
	static const enum explain_result want[] = {EXPLAIN_FAILED, EXPLAIN_SHADOW, EXPLAIN_NO_MATCH,
		EXPLAIN_FAILED, EXPLAIN_BROKEN, EXPLAIN_MATCH, EXPLAIN_NOT_REACHED};
	assert_int_equal(x.n, TA_COUNT(want));
	for (size_t i = 0; i < x.n; i++)
		assert_int_equal(x.rules[i].result, want[i]);
	assert_string_equal(explain_why(&x.rules[0]), "order.name is text, no number");
	assert_string_equal(explain_why(&x.rules[2]), "");
	assert_string_equal(explain_why(&x.rules[3]), rule_fault_text(RULE_FAULT_TARGET));
	assert_int_equal(x.decision.reason, REASON_REROUTED);
	assert_int_equal(x.decision.other_pixel, 2);
	ev.test = true;
	route_explain(&c, &s.mem, &x);
	for (size_t i = 0; i < x.n; i++)
		assert_int_equal(x.rules[i].result, EXPLAIN_NOT_REACHED);
	arena_release(&s.mem);
}

static void test_backtested(void **state)
{
	(void)state;
	struct shop s;
	struct event ev = purchase();
	struct arena scratch = ARENA_INIT;
	struct route_pixel now[3];
	shop_open(&s);
	link_rules(&s);
	memcpy(now, s.pixels, sizeof(now));
	route_pixels_link(now, 3);
	rule(&s, 1, "value > 50", "route", "b");
	rule(&s, 2, "value > 50", "rename", "lead");
	rule(&s, 3, "value > 50", "hold", "");
	link_rules(&s);
	struct backtest b = {.now = now, .draft = s.pixels, .max_changes = 5};
	const struct backtest_event e = {
		.id = 9, .received_us = RECEIVED, .store = &store, .n = 3, .ev = &ev};
	backtest_add(&b, &e, &scratch);
	assert_int_equal(b.changed_deliveries, 3);
	assert_int_equal(b.before[DISP_QUEUED], 3);
	assert_int_equal(b.after[DISP_QUEUED], 1);
	assert_int_equal(b.after[DISP_HELD], 1);
	assert_int_equal(b.changes[0].after.reason, REASON_REROUTED);
	assert_int_equal(b.changes[1].after.rule->act.kind, ACTION_RENAME);
	assert_int_equal(b.nmoves, 3);
	assert_int_equal(b.moves[1].before_action, ACTION_SEND);
	assert_int_equal(b.moves[1].after_action, ACTION_RENAME);
	assert_int_equal(b.moves[1].after, DISP_QUEUED);
	/* The same change by another rule is none. */
	struct backtest same = {.now = s.pixels, .draft = s.pixels, .max_changes = 5};
	backtest_add(&same, &e, &scratch);
	assert_int_equal(same.changed_deliveries, 0);
	backtest_release(&b);
	backtest_release(&same);
	arena_release(&scratch);
	arena_release(&s.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold_and_changes),
		cmocka_unit_test(test_rename_gives_a_name),
		cmocka_unit_test(test_own_event_names),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_route_fails),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_shadows),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_explained),
		cmocka_unit_test(test_backtested),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
