/* A file of paths, CSV or JSON: whatever it holds, it is refused in words or all its credit is
 * given away exactly. */
#include "src/paths.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void whole(const struct path_set *s, enum attrib_model m, int order)
{
	struct attribution at;
	struct ta_err err;
	int64_t minor = 0, want = 0;
	if (paths_attribute(s, m, order, &at, &err))
		return;
	for (size_t i = 0; i < s->n; i++)
		want += s->paths[i].minor;
	for (size_t i = 0; i < s->nchannels; i++) {
		minor += at.credits[i].minor;
		TA_ASSERT(isfinite(at.credits[i].conversions));
	}
	TA_ASSERT(minor + at.unattributed.minor == want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct path_set s;
	struct ta_err err = {0};
	if (size > 4096)
		return 0;
	char *text = arena_strndup(&a, (const char *)data, size);
	paths_init(&s, &a);
	if (paths_read(&s, text, size, &err))
		TA_ASSERT(err.msg[0]);
	else
		for (int m = 0; m < ATTRIB_COUNT; m++)
			whole(&s, (enum attrib_model)m, 1 + (int)(size % PATHS_MAX_ORDER));
	arena_release(&a);
	return 0;
}
