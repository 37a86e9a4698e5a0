/* Any answer to a question about quality: the first byte chooses the question, the next two the
 * HTTP status, the rest is the body. What comes out is JSON of ours or a reason. The same bytes as
 * arguments of a question to the stand-in. */
#include "net/quality.h"
#include "net/sandbox_check.h"
#include "src/arena.h"
#include "src/err.h"
#include "src/json.h"
#include "src/utf8.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const char *query)
{
	struct sb_answer answer;
	const struct sb_call c = {.method = "GET",
		.path = "/ad_accounts/1/conversion_eqs",
		.authorization = "Bearer t",
		.query = query,
		.body = "",
		.now_s = INT64_C(1795344000)};
	sb_answer_init(&answer);
	sandbox_platforms[0].handle(&c, &answer);
	TA_ASSERT(answer.http == 200 || answer.http == 400);
	TA_ASSERT(answer.asks && !answer.nok);
	sb_answer_release(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct quality_reply out;
	const struct jv *v = NULL;
	if (size < 3)
		return 0;
	const struct dest_reply r = {data[1] * 256 + data[2], (const char *)data + 3, size - 3, 0};
	quality_read(&a, (enum quality_ask)(data[0] % QUALITY_ASKS), &r, &out);
	TA_ASSERT((out.json != NULL) != (*out.why != '\0'));
	TA_ASSERT(utf8_valid(out.why, strlen(out.why)));
	if (out.json) {
		TA_ASSERT(jv_parse(&a, out.json, strlen(out.json), &v, NULL) == JV_FINE);
		TA_ASSERT(v->type == JV_ARRAY);
	}
	ask(arena_strndup(&a, r.body, r.len));
	arena_release(&a);
	return 0;
}
