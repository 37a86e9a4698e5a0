/* Any request to the stand-ins: the first byte chooses the platform, the rest is the body. Whatever
 * comes, the answer is JSON and what is taken has a name and an id. */
#include "net/sandbox_check.h"
#include "src/err.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {"/ad_accounts/1/events", "/1/events", "/event/track/"};
	struct sb_answer a;

	if (size < 1)
		return 0;
	size_t row = data[0] % SANDBOX_ROWS;
	const struct sb_call call = {
		.method = "POST",
		.path = paths[row],
		.content_type = "application/json",
		.authorization = "Bearer t",
		.access_token = "t",
		.query_token = "t",
		.body = (const char *)data + 1,
		.len = size - 1,
		.now_s = INT64_C(1795344000),
	};
	sb_answer_init(&a);
	sandbox_platforms[row].handle(&call, &a);
	json_t *answer = json_loadb(a.body.p, a.body.len, 0, NULL);
	TA_ASSERT(json_is_object(answer));
	TA_ASSERT(a.http >= 200 && a.http < 500);
	TA_ASSERT(a.nok <= a.n && a.nok <= SB_BATCH_MAX);
	for (size_t i = 0; i < a.nok; i++)
		TA_ASSERT(*a.ok[i].name && *a.ok[i].id);
	json_decref(answer);
	sb_answer_release(&a);
	return 0;
}
