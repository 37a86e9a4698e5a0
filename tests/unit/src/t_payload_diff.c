/* What a platform complains of, and how what was sent differs from what it took: golden rows. */
#include "src/payload_diff.h"

#include "src/arena.h"
#include "src/attr.h"
#include "src/buf.h"
#include "src/err.h"
#include "src/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct jv *golden(struct arena *a)
{
	struct buf text = BUF_INIT(1 << 20);
	const struct jv *v = NULL;
	char chunk[4096];
	size_t n;
	FILE *f = fopen(TA_TESTS "/golden/complaint/complaints.json", "r");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&text, chunk, n);
	fclose(f);
	assert_int_equal(jv_parse(a, buf_str(&text), text.len, &v, NULL), JV_FINE);
	buf_release(&text);
	return v;
}

static const char *json_of(struct arena *a, const struct jv *v, size_t *n)
{
	struct buf b = BUF_INIT(1 << 16);
	if (v)
		jv_write(&b, v);
	const char *s = v ? arena_strdup(a, buf_str(&b)) : NULL;
	*n = b.len;
	buf_release(&b);
	return s;
}

static const char *text_of(const struct jv *row, const char *name)
{
	const char *s = jv_text(row, name);
	return s ? s : "";
}

static void compare(const char *name, const struct jv *want, size_t i, const char *seen)
{
	const struct jv *w = want->child;
	for (; w && i; i--)
		w = w->next;
	if (!w || strcmp(w->s, seen) != 0)
		print_error("%s: \"%s\" where \"%s\" was wanted\n", name, seen, w ? w->s : "none");
	assert_non_null(w);
	assert_string_equal(w->s, seen);
}

static void test_complaints(void **state)
{
	(void)state;
	struct arena mem = ARENA_INIT;
	size_t rows = 0;
	const struct jv *all = jv_array(golden(&mem), "complaints");
	for (const struct jv *r = all->child; r; r = r->next, rows++) {
		struct complaint out[COMPLAINTS_MAX];
		struct complaint_case c = {
			.platform = (enum platform_id)platform_of(jv_str(r, "platform")),
			.code = text_of(r, "code"),
			.message = text_of(r, "message"),
			.event = jv_get(r, "event")};
		c.response = json_of(&mem, jv_get(r, "response"), &c.nresponse);
		size_t n = complaint_of(&c, &mem, out);
		for (size_t i = 0; i < n; i++)
			compare(jv_str(r, "name"), jv_array(r, "want"), i,
				arena_fmt(&mem, "%s %s", out[i].path,
					complaint_word(out[i].problem)));
		assert_int_equal(n, jv_count(jv_array(r, "want")));
	}
	assert_true(rows > 20);
	arena_release(&mem);
}

/* "type custom_data.value complaint number <- number in a string". */
static const char *line_text(struct arena *a, const struct payload_line *l)
{
	bool looks = l->change == PAYLOAD_TYPE || l->change == PAYLOAD_SHAPE;
	return arena_fmt(a, "%s %s%s%s%s%s%s%s", payload_word(l->change), l->path,
		l->blamed ? " complaint" : "", l->varies ? " varies" : "", looks ? " " : "",
		looks ? l->now_look : "", looks ? " <- " : "", looks ? l->before_look : "");
}

static void test_diffs(void **state)
{
	(void)state;
	struct arena mem = ARENA_INIT;
	const struct jv *all = jv_array(golden(&mem), "diffs");
	for (const struct jv *r = all->child; r; r = r->next) {
		struct payload_diff d;
		struct payload_case c = {
			.platform = (enum platform_id)platform_of(jv_str(r, "platform")),
			.code = text_of(r, "code"),
			.message = text_of(r, "message")};
		c.now = json_of(&mem, jv_get(r, "now"), &c.nnow);
		c.good = json_of(&mem, jv_get(r, "good"), &c.ngood);
		payload_diff(&c, &mem, &d);
		assert_true(d.readable);
		for (size_t i = 0; i < d.n; i++)
			compare(jv_str(r, "name"), jv_array(r, "want"), i,
				line_text(&mem, &d.lines[i]));
		assert_int_equal(d.n, jv_count(jv_array(r, "want")));
	}
	arena_release(&mem);
}

/* What is no object says so; a huge one is cut, and what is complained of stays. */
static void test_edges(void **state)
{
	(void)state;
	struct arena mem = ARENA_INIT;
	struct buf now = BUF_INIT(1 << 20);
	struct payload_diff d;
	struct payload_case c = {
		.platform = PLATFORM_PINTEREST, .now = "[1]", .nnow = 3, .good = "{}", .ngood = 2};
	payload_diff(&c, &mem, &d);
	assert_false(d.readable);
	buf_adds(&now, "{\"z\":1");
	for (int i = 0; i < PAYLOAD_LINES + 50; i++)
		buf_addf(&now, ",\"k%d\":%d", i, i);
	buf_addc(&now, '}');
	c = (struct payload_case){.platform = PLATFORM_PINTEREST,
		.now = buf_str(&now),
		.nnow = now.len,
		.good = "{\"z\":1}",
		.ngood = 7,
		.code = "4196",
		.message = "Additional properties are not allowed ('k540' was unexpected)"};
	payload_diff(&c, &mem, &d);
	assert_true(d.cut);
	assert_int_equal(d.n, PAYLOAD_LINES);
	assert_string_equal(d.lines[0].path, "k540");
	assert_true(d.lines[0].blamed);
	assert_string_equal(d.lines[0].now, "540");
	buf_release(&now);
	arena_release(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_diffs), cmocka_unit_test(test_edges)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
