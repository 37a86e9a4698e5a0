/* Builders, stand-in and judges together, without a socket: what we build is taken by checks that
 * were written from the contracts and not from the builders, and what they answer is understood. */
#include "net/dest.h"
#include "net/sandbox_check.h"
#include "net/sandbox_fault.h"
#include "src/attr.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "golden.h"

#define MAX_EVENTS 200

/* Events of one platform's goldens that pass its check, built, all with the goldens' clock. */
struct batch {
	struct buf events[MAX_EVENTS];
	size_t n;
	int64_t now_s;
};

static void add_golden(struct batch *b, const struct dest *d, const char *file)
{
	struct arena a = ARENA_INIT;
	struct buf doc = BUF_INIT(1 << 20), why = BUF_INIT(4096);
	const struct jv *g = golden_read(&a, file);
	struct dest_config cfg = {.content_id = jv_str(g, "content_id")};
	char wire_id[32];
	struct event ev;

	jv_write(&doc, jv_get(g, "document"));
	assert_true(jv_int(g, "now", &b->now_s));
	assert_int_equal(event_read(&a, buf_str(&doc), doc.len, &ev, NULL), TA_OK);
	if (d->check(&ev, &cfg, b->now_s, &why) == REASON_NONE) {
		assert_true(b->n < MAX_EVENTS);
		snprintf(wire_id, sizeof(wire_id), "golden-%04zu", b->n);
		buf_init(&b->events[b->n], 1 << 20);
		d->event(&b->events[b->n++], &ev, wire_id, &cfg);
	}
	buf_release(&doc);
	buf_release(&why);
	arena_release(&a);
}

static void read_batch(struct batch *b, const struct dest *d)
{
	char path[2048];
	struct dirent *entry;

	*b = (struct batch){0};
	snprintf(
		path, sizeof(path), "%s/golden/dest/%s", TA_TESTS, platform_word((int)d->platform));
	DIR *dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "dest/%s/%.200s", platform_word((int)d->platform),
			entry->d_name);
		if (entry->d_name[0] != '.')
			add_golden(b, d, path);
	}
	closedir(dir);
	assert_true(b->n > 20);
}

static void free_batch(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		buf_release(&b->events[i]);
}

/* The body as it goes over the wire, Meta's token put in behind the first brace. */
static void wire_body(const struct dest_request *req, struct buf *body)
{
	buf_init(body, 64 << 20);
	buf_addc(body, '{');
	if (req->secret_body)
		buf_adds(body, req->secret_body);
	buf_adds(body, buf_str(&req->body) + 1);
}

static const char *header_value(const struct dest_request *req, const char *name)
{
	const char *h = req->secret_header;
	size_t n = strlen(name);
	return h && strncmp(h, name, n) == 0 && h[n] == ':' ? h + n + 2 : NULL;
}

/* Sends the batch to the stand-in and judges its answer. */
static void exchange(struct arena *a, const struct dest *d, const struct batch *b,
	const struct fault_set *faults, struct dest_outcome *out)
{
	struct dest_config cfg = {.base_url = "", .account = "549755885175", .token = "token"};
	struct dest_request req;
	struct sb_answer answer;
	struct buf body;

	d->request(a, &cfg, b->events, b->n, &req);
	wire_body(&req, &body);
	struct sb_call call = {
		.method = req.method,
		.path = req.url,
		.content_type = "application/json",
		.authorization = header_value(&req, "Authorization"),
		.access_token = header_value(&req, "Access-Token"),
		.body = buf_str(&body),
		.len = body.len,
		.now_s = b->now_s,
		.faults = faults,
	};
	sb_answer_init(&answer);
	for (size_t i = 0; i < SANDBOX_ROWS; i++)
		if (sandbox_platforms[i].id == d->platform)
			sandbox_platforms[i].handle(&call, &answer);
	struct dest_reply reply = {
		.http = answer.http, .body = buf_str(&answer.body), .len = answer.body.len};
	d->judge(a, &reply, b->n, out);
	sb_answer_release(&answer);
	buf_release(&body);
	buf_release(&req.body);
}

static void all_goldens_are_taken(void **state)
{
	(void)state;
	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++) {
		const struct dest *d = dest_get((enum platform_id)p);
		struct arena a = ARENA_INIT;
		struct dest_outcome out;
		struct batch b;
		read_batch(&b, d);
		exchange(&a, d, &b, NULL, &out);
		assert_int_equal(out.class, DEST_OK);
		for (size_t i = 0; i < b.n; i++)
			if (out.verdicts[i].to != DISP_DELIVERED &&
				out.verdicts[i].to != DISP_DELIVERED_WARNING)
				fail_msg("%s: %s", out.verdicts[i].message, buf_str(&b.events[i]));
		free_batch(&b);
		arena_release(&a);
	}
}

/* One event in five is refused: Pinterest says which, Meta and TikTok refuse the batch, and
 * TikTok's partial success is taken apart as well. */
static void refusals_are_understood(void **state)
{
	(void)state;
	static const struct {
		enum platform_id p;
		const char *fault;
		enum dest_class class;
	} cases[] = {
		{PLATFORM_PINTEREST, "pinterest:event_fail=5", DEST_OK},
		{PLATFORM_META, "meta:event_fail=5", DEST_PERMANENT_BATCH},
		{PLATFORM_TIKTOK, "tiktok:event_fail=5", DEST_PERMANENT_BATCH},
		{PLATFORM_TIKTOK, "tiktok:partial=5", DEST_PERMANENT_BATCH},
	};
	for (size_t c = 0; c < TA_COUNT(cases); c++) {
		const struct dest *d = dest_get(cases[c].p);
		struct fault_set *faults = ta_alloc(sizeof(*faults));
		struct arena a = ARENA_INIT;
		struct dest_outcome out;
		size_t rejected = 0;
		struct batch b;
		read_batch(&b, d);
		assert_int_equal(fault_add(faults, cases[c].fault, NULL), TA_OK);
		exchange(&a, d, &b, faults, &out);
		assert_int_equal(out.class, cases[c].class);
		for (size_t i = 0; out.verdicts && i < b.n; i++)
			rejected += out.verdicts[i].to == DISP_REJECTED;
		if (out.class == DEST_OK)
			assert_in_range(rejected, 1, b.n - 1);
		if (strstr(cases[c].fault, "tiktok:event_fail"))
			assert_in_range(out.bad_index, 0, (long)b.n - 1);
		free(faults);
		free_batch(&b);
		arena_release(&a);
	}
}

static void whole_refusals_are_understood(void **state)
{
	(void)state;
	static const struct {
		enum sb_refusal refusal;
		enum dest_class class;
	} cases[] = {
		{SB_REFUSE_AUTH, DEST_AUTH},
		{SB_REFUSE_CONFIG, DEST_CONFIG},
		{SB_REFUSE_RATE, DEST_RETRY},
	};
	for (size_t i = 0; i < SANDBOX_ROWS; i++)
		for (size_t c = 0; c < TA_COUNT(cases); c++) {
			struct arena a = ARENA_INIT;
			struct sb_answer answer;
			struct dest_outcome out;
			sb_answer_init(&answer);
			sandbox_platforms[i].refuse(&answer, cases[c].refusal);
			struct dest_reply r = {.http = answer.http,
				.body = buf_str(&answer.body),
				.len = answer.body.len};
			dest_get(sandbox_platforms[i].id)->judge(&a, &r, 3, &out);
			assert_int_equal(out.class, cases[c].class);
			sb_answer_release(&answer);
			arena_release(&a);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_goldens_are_taken),
		cmocka_unit_test(refusals_are_understood),
		cmocka_unit_test(whole_refusals_are_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
