/* What each platform's answers mean: every known reply and the ways in which they go wrong. */
#include "net/dest.h"
#include "src/attr.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "golden.h"

static const char *const classes[] = {
	[DEST_OK] = "ok",
	[DEST_PERMANENT_BATCH] = "permanent_batch",
	[DEST_AUTH] = "auth",
	[DEST_CONFIG] = "config",
	[DEST_RETRY] = "retry",
};

static int64_t number(const struct jv *row, const char *name, int64_t otherwise)
{
	int64_t v;
	return jv_int(row, name, &v) ? v : otherwise;
}

static void judge_bytes(
	struct arena *a, enum platform_id p, int http, struct buf body, struct dest_outcome *out)
{
	struct dest_reply r = {.http = http, .body = body.p, .len = body.len};
	dest_get(p)->judge(a, &r, 2, out);
}

static struct buf bytes_of(const void *p, size_t n)
{
	return (struct buf){.p = (char *)(uintptr_t)p, .len = n};
}

static bool same_text(const struct jv *row, const char *name, const char *got)
{
	const char *want = jv_get(row, name) ? jv_text(row, name) : NULL;
	if (!want || strcmp(want, got) == 0)
		return true;
	fprintf(stderr, "%s: %s is %s, wanted %s\n", jv_str(row, "name"), name, got, want);
	return false;
}

static bool verdicts_fit(const struct jv *row, const struct dest_outcome *out, size_t n)
{
	const struct jv *want = jv_array(row, "verdicts");

	if (out->class != DEST_OK)
		return !want && !out->verdicts;
	if (!want || jv_count(want) != n)
		return false;
	want = want->child;
	for (size_t i = 0; i < n; i++, want = want->next)
		if (strcmp(want->s, disposition_word((int)out->verdicts[i].to)) != 0 ||
			!*out->verdicts[i].code || !out->verdicts[i].message)
			return false;
	return true;
}

static bool reply_fits(struct arena *a, const struct jv *row)
{
	struct buf body = BUF_INIT(1 << 20);
	const struct jv *given = jv_get(row, "body");
	struct dest_outcome out;
	size_t n = (size_t)number(row, "n", 1);

	if (given && given->type == JV_STRING)
		buf_adds(&body, given->s);
	else if (given)
		jv_write(&body, given);
	struct dest_reply r = {
		.http = (int)number(row, "http", -1),
		.body = buf_str(&body),
		.len = body.len,
		.retry_after_s = number(row, "retry_after", 0),
	};
	dest_get((enum platform_id)platform_of(jv_str(row, "platform")))->judge(a, &r, n, &out);
	/* What the outcome says must not point into the answer. */
	memset(body.p ? body.p : (char[1]){0}, 'x', body.len);
	buf_release(&body);
	bool fits = same_text(row, "class", classes[out.class]) &&
		    same_text(row, "code", out.code) && same_text(row, "trace", out.trace_id) &&
		    verdicts_fit(row, &out, n) && out.bad_index == number(row, "bad_index", -1) &&
		    out.retry_after_s == number(row, "retry_after_s", 0) &&
		    (out.class == DEST_OK || *out.message);
	if (!fits)
		fprintf(stderr, "%s: class %s code %s bad_index %ld message %s\n",
			jv_str(row, "name"), classes[out.class], out.code, out.bad_index,
			out.message);
	return fits;
}

static void known_replies(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	const struct jv *rows = jv_array(golden_read(&a, "replies.json"), "replies");
	size_t bad = 0, n = 0;

	for (const struct jv *row = rows->child; row; row = row->next, n++)
		bad += !reply_fits(&a, row);
	assert_int_equal(bad, 0);
	assert_true(n >= 100);
	arena_release(&a);
}

/* Every prefix of an answer, and every answer with one byte changed, has an outcome of its own
 * kind: no verdict is missing, nothing says "delivered" that a whole answer did not say. */
static void cut_and_bent(void **state)
{
	(void)state;
	static const struct {
		enum platform_id p;
		const char *body;
	} whole[] = {
		{PLATFORM_PINTEREST,
			"{\"num_events_received\":2,\"num_events_processed\":1,\"events\":["
			"{\"status\":\"processed\",\"error_message\":null},"
			"{\"status\":\"failed\",\"error_message\":\"x\"}]}"},
		{PLATFORM_META, "{\"events_received\":2,\"messages\":[],\"fbtrace_id\":\"T\"}"},
		{PLATFORM_TIKTOK,
			"{\"code\":0,\"message\":\"OK\",\"request_id\":\"r\",\"data\":{}}"},
	};
	for (size_t w = 0; w < TA_COUNT(whole); w++) {
		size_t len = strlen(whole[w].body);
		for (size_t i = 0; i < len; i++) {
			struct arena a = ARENA_INIT;
			struct dest_outcome out;
			judge_bytes(&a, whole[w].p, 200, bytes_of(whole[w].body, i), &out);
			assert_int_equal(out.class, DEST_RETRY);
			for (int c = 1; c < 256; c += 7) {
				char *bent = arena_strndup(&a, whole[w].body, len);
				bent[i] = (char)c;
				judge_bytes(&a, whole[w].p, 200, bytes_of(bent, len), &out);
				assert_non_null(out.code);
				assert_non_null(out.message);
				assert_true((out.class == DEST_OK) == (out.verdicts != NULL));
			}
			arena_release(&a);
		}
	}
}

static void long_messages_are_cut(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct buf body = BUF_INIT(65536);
	struct dest_outcome out;

	buf_adds(&body, "{\"code\":4196,\"message\":\"");
	for (int i = 0; i < 499; i++)
		buf_addc(&body, 'a');
	for (int i = 0; i < 1000; i++)
		buf_adds(&body, "\xe2\x82\xac");
	buf_adds(&body, "\"}");
	judge_bytes(&a, PLATFORM_PINTEREST, 400, body, &out);
	assert_int_equal(out.class, DEST_PERMANENT_BATCH);
	assert_int_equal(strlen(out.message), 499);
	buf_clear(&body);
	buf_adds(&body, "{\"code\":4196,\"message\":\"\\u0007\\u0000");
	for (int i = 0; i < 300; i++)
		buf_adds(&body, "\xc3\xa9");
	buf_adds(&body, "\"}");
	judge_bytes(&a, PLATFORM_PINTEREST, 400, body, &out);
	assert_string_equal(out.code, "4196");
	assert_true(strlen(out.message) <= 500 && strlen(out.message) > 490);
	buf_release(&body);
	arena_release(&a);
}

static void bodies_that_are_no_text(void **state)
{
	(void)state;
	static const char bytes[] = "\x1f\x8b\x08\x00\xff\xfe\x1b[2J\"";
	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++) {
		struct arena a = ARENA_INIT;
		struct dest_outcome out;
		judge_bytes(&a, (enum platform_id)p, 200, bytes_of(bytes, sizeof(bytes)), &out);
		assert_int_equal(out.class, DEST_RETRY);
		for (const char *c = out.message; *c; c++)
			assert_true(*c >= 0x20 && *c < 0x7f);
		judge_bytes(&a, (enum platform_id)p, 200, bytes_of(NULL, 0), &out);
		assert_int_equal(out.class, DEST_RETRY);
		judge_bytes(&a, (enum platform_id)p, -7, bytes_of("{}", 2), &out);
		assert_int_equal(out.class, DEST_RETRY);
		arena_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_replies),
		cmocka_unit_test(cut_and_bent),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(bodies_that_are_no_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
