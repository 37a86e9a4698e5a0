/* Any answer of a platform: the first byte chooses the platform, the second the number of events,
 * the next two the HTTP status, the rest is the body. */
#include "net/dest.h"
#include "src/arena.h"
#include "src/err.h"
#include "src/utf8.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_is_sane(const char *text)
{
	TA_ASSERT(text && strlen(text) <= 500);
	TA_ASSERT(utf8_valid(text, strlen(text)));
}

static void outcome_is_sane(const struct dest_outcome *out, int http, size_t n)
{
	text_is_sane(out->code);
	text_is_sane(out->message);
	text_is_sane(out->trace_id);
	TA_ASSERT(out->class <= DEST_RETRY);
	TA_ASSERT(out->retry_after_s >= 0 && out->retry_after_s <= 3600);
	TA_ASSERT(out->bad_index >= -1 && out->bad_index < (long)n);
	TA_ASSERT(out->bad_index < 0 || out->class == DEST_PERMANENT_BATCH);
	TA_ASSERT((out->class == DEST_OK) == (out->verdicts != NULL));
	for (size_t i = 0; out->verdicts && i < n; i++) {
		const struct dest_verdict *v = &out->verdicts[i];
		text_is_sane(v->code);
		text_is_sane(v->message);
		TA_ASSERT(v->to == DISP_DELIVERED || v->to == DISP_DELIVERED_WARNING ||
			  v->to == DISP_REJECTED || v->to == DISP_RETRYING);
		/* Nothing is delivered by an answer that is no success at all. */
		TA_ASSERT(http < 500 && http >= 200);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct dest_outcome out;

	if (size < 4)
		return 0;
	enum platform_id p = (enum platform_id)(data[0] % (PLATFORM_TIKTOK + 1));
	size_t n = data[1] % 8;
	struct dest_reply r = {
		.http = data[2] * 256 + data[3],
		.body = (const char *)data + 4,
		.len = size - 4,
		.retry_after_s = (int64_t)data[1] << 6,
	};
	dest_get(p)->judge(&a, &r, n, &out);
	outcome_is_sane(&out, r.http, n);
	arena_release(&a);
	return 0;
}
