/* What may follow at the cursor of an expression under way. The property: whatever is offered
 * behind a text that is right so far, the parser takes. */
#include "src/arena.h"
#include "src/attr.h"
#include "src/buf.h"
#include "src/rule.h"
#include "src/rule_complete.h"
#include "src/rule_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIELD    RULE_WANT_FIELD
#define NOT      RULE_WANT_NOT
#define OPERATOR RULE_WANT_OPERATOR
#define VALUE    RULE_WANT_VALUE
#define LIST     RULE_WANT_LIST
#define COMMA    RULE_WANT_COMMA
#define JOIN     RULE_WANT_JOIN
#define WITH     RULE_WANT_WITH
#define CURRENCY RULE_WANT_CURRENCY

/* The text holds a | where the cursor is. */
static struct rule_place place(const char *marked, char text[200])
{
	struct rule_place p;
	const char *bar = strchr(marked, '|');
	assert_non_null(bar);
	size_t at = (size_t)(bar - marked);
	snprintf(text, 200, "%s", marked);
	memmove(text + at, text + at + 1, strlen(text + at));
	rule_complete(text, at, &p);
	assert_true(p.from <= at && p.to >= at && p.to <= strlen(text));
	return p;
}

static void what_may_follow(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned wants;
		const char *word, *field;
	} cases[] = {
		{"|", FIELD | NOT, "", NULL},
		{"pla|", FIELD | NOT, "pla", NULL},
		{"pla|tform = meta", FIELD | NOT, "platform", NULL},
		{"not |", FIELD | NOT, "", NULL},
		{"exists ut|", FIELD, "ut", NULL},
		{"exists country |", JOIN, "", NULL},
		{"platform |", OPERATOR, "", "platform"},
		{"test |", OPERATOR | JOIN, "", "test"},
		{"platform co|", OPERATOR, "co", "platform"},
		{"platform !|", OPERATOR, "!", "platform"},
		{"value >|", VALUE, "", "value"},
		{"value >=|", VALUE, "", "value"},
		{"platform=|", VALUE, "", "platform"},
		{"platform = m|", VALUE, "m", "platform"},
		{"platform = \"m|", VALUE, "\"m", "platform"},
		{"platform = \"m|e\" and test", VALUE, "\"me\"", "platform"},
		{"platform = \"m| and test", VALUE, "\"m", "platform"},
		{"platform = \"meta\"|", JOIN, "", "platform"},
		{"platform = meta |", JOIN, "", "platform"},
		{"platform = meta an|", JOIN | FIELD | NOT, "an", "platform"},
		{"platform = meta and sto|", FIELD | NOT, "sto", NULL},
		{"(platform = meta or (country |", OPERATOR, "", "country"},
		{"(platform = meta) |", JOIN, "", NULL},
		{"country in |", LIST, "", "country"},
		{"country in [|", VALUE, "", "country"},
		{"country not in [\"DE\"|", COMMA, "", "country"},
		{"country in [\"DE\", F|", VALUE, "F", "country"},
		{"country in [DE] |", JOIN, "", "country"},
		{"[DE, FR] contains |", VALUE, "", NULL},
		{"url starts |", WITH, "", "url"},
		{"url starts with |", VALUE, "", "url"},
		{"url not |", OPERATOR, "", "url"},
		{"value >= 50 |", JOIN | CURRENCY, "", "value"},
		{"value >= 50 E|", JOIN | CURRENCY | FIELD | NOT, "E", "value"},
		{"value >= 50 EUR |", JOIN, "", "value"},
		{"latency > 3|", VALUE, "3", "latency"},
		{"received > -|", VALUE, "-", "received"},
		{"value > @ord|", FIELD, "ord", NULL},
		{"cat(na|", FIELD | NOT, "na", NULL},
		{"cat(name, cou|", FIELD | NOT, "cou", NULL},
		{"substr(name, 0, 3) |", OPERATOR, "", NULL},
		{"a = b & |", 0, NULL, NULL},
		{"{\"==\": [1, |", 0, NULL, NULL},
	};
	for (size_t i = 0; i < TA_COUNT(cases); i++) {
		char text[200];
		struct rule_place p = place(cases[i].text, text);
		if (p.wants != cases[i].wants)
			print_error(
				"%s: wants %u, not %u\n", cases[i].text, p.wants, cases[i].wants);
		assert_int_equal(p.wants, cases[i].wants);
		if (!cases[i].word)
			continue;
		text[p.to] = '\0';
		assert_string_equal(text + p.from, cases[i].word);
		const struct rule_field *f = rule_field_get(p.field);
		if (cases[i].field)
			assert_string_equal(f ? f->name : "none", cases[i].field);
	}
}

static void values_read_back(void **state)
{
	(void)state;
	static const char *const values[] = {"meta", "acme-de", "px 181", "50", "EUR", "true", "IN",
		"or", "say \"hi\"", "new\nline", "日本", "-2h", "2026-11-22", "", "a/b.c#d", "x]",
		"{x}", "50EUR", "back\\slash", "@name"};
	for (size_t i = 0; i < TA_COUNT(values); i++) {
		struct arena a = ARENA_INIT;
		struct buf b = BUF_INIT(1000), printed = BUF_INIT(1000), want = BUF_INIT(1000);
		struct rule_prog *p = NULL, *q = NULL;
		struct ta_err err = {0};
		buf_adds(&b, "custom.x == ");
		rule_complete_value(&b, values[i]);
		assert_int_equal(rule_compile_event(&a, buf_str(&b), &p, NULL, &err), TA_OK);
		rule_print_logic(p, &printed);
		/* The same value, always in quotes. */
		buf_adds(&want, "custom.x == \"");
		for (const char *s = values[i]; *s; s++) {
			if (*s == '"' || *s == '\\')
				buf_addc(&want, '\\');
			if (*s == '\n')
				buf_adds(&want, "\\n");
			else
				buf_addc(&want, *s);
		}
		buf_addc(&want, '"');
		assert_int_equal(rule_compile_event(&a, buf_str(&want), &q, NULL, &err), TA_OK);
		buf_clear(&b);
		rule_print_logic(q, &b);
		assert_string_equal(buf_str(&printed), buf_str(&b));
		buf_release(&b);
		buf_release(&printed);
		buf_release(&want);
		arena_release(&a);
	}
}

/* Properties --------------------------------------------------------------------------------------
 */

static uint32_t seed = 11;

static int dice(int n)
{
	seed = seed * 1664525u + 1013904223u;
	return (int)((seed >> 8) % (uint32_t)n);
}

static const char *const pieces[] = {"platform", "value", "country", "test", "latency", "items.sku",
	"=", "!=", ">=", "in", "not", "contains", "starts", "ends", "with", "matches", "exists",
	"and", "or", "&&", "||", "(", ")", "[", "]", ",", "meta", "\"DE\"", "50", "EUR", "3s",
	"-2h", "!", "!!", "@value", "'x'", "===", "50EUR", "true"};

/* The parser has nothing against the text but that it ends. */
static bool right_so_far(const char *text)
{
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	size_t at = 0;
	enum ta_rc rc = rule_compile(&a, text, &p, &at, &err);
	bool right = !rc || (at == strlen(text) && strstr(err.msg, "found the end"));
	arena_release(&a);
	return right;
}

static void what_is_offered_is_taken(void **state)
{
	(void)state;
	static const struct {
		unsigned want;
		const char *word;
	} words[] = {{FIELD, "platform"}, {NOT, "not"}, {OPERATOR, "=="}, {VALUE, "x"}, {LIST, "["},
		{COMMA, ","}, {JOIN, "and"}, {WITH, "with"}, {CURRENCY, "EUR"}};
	int checked = 0;
	for (int i = 0; i < 60000; i++) {
		char text[200] = "", more[400];
		struct rule_place p;
		size_t len = 0;
		for (int n = 1 + dice(7); n > 0; n--) {
			const char *piece = pieces[dice((int)TA_COUNT(pieces))];
			memcpy(text + len, piece, strlen(piece));
			len += strlen(piece) + 1;
			memcpy(text + len - 1, " ", 2);
		}
		if (!right_so_far(text))
			continue;
		rule_complete(text, strlen(text), &p);
		assert_int_equal(p.from, strlen(text));
		if (!p.wants)
			print_error("nothing is offered behind: %s\n", text);
		assert_true(p.wants);
		for (size_t k = 0; k < TA_COUNT(words); k++) {
			if (!(p.wants & words[k].want))
				continue;
			const char *word = words[k].word;
			if (words[k].want == OPERATOR && p.negated)
				word = "in";
			snprintf(more, sizeof(more), "%.199s%.20s ", text, word);
			if (!right_so_far(more))
				print_error("not taken: %s\n", more);
			assert_true(right_so_far(more));
			checked++;
		}
	}
	assert_true(checked > 1000);
}

static void any_text_and_any_cursor(void **state)
{
	(void)state;
	static const char bytes[] = "ab.@\"'\\ ()[],=<>!&|-+1e:\xc3\xa9{}\t\n%";
	for (int i = 0; i < 60000; i++) {
		char text[40];
		struct rule_place p;
		size_t n = (size_t)dice(39);
		for (size_t k = 0; k < n; k++)
			text[k] = bytes[dice((int)sizeof(bytes) - 1)];
		text[n] = '\0';
		for (size_t at = 0; at <= n; at += 1 + (size_t)dice(4)) {
			rule_complete(text, at, &p);
			assert_true(p.from <= at && at <= p.to && p.to <= n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_follow),
		cmocka_unit_test(values_read_back),
		cmocka_unit_test(what_is_offered_is_taken),
		cmocka_unit_test(any_text_and_any_cursor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
