/* Any complaint of a platform about any event: the first byte chooses the platform, then lines: the
 * code, the words (also taken as the whole answer), and the event as it was sent. */
#include "src/arena.h"
#include "src/err.h"
#include "src/payload_diff.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts the first line off. */
static const char *line(struct arena *a, const char **p, size_t *n)
{
	const char *end = memchr(*p, '\n', *n);
	size_t len = end ? (size_t)(end - *p) : *n;
	const char *s = arena_strndup(a, *p, len);
	*p += len + (end != NULL);
	*n -= len + (end != NULL);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct payload_diff out;
	if (size < 1 || size > 65536)
		return 0;
	struct payload_case c = {.platform = (enum platform_id)(data[0] % PLATFORM_COUNT)};
	const char *rest = (const char *)data + 1;
	size_t n = size - 1;
	c.code = line(&a, &rest, &n);
	c.message = line(&a, &rest, &n);
	c.response = c.message;
	c.nresponse = strlen(c.message);
	c.now = rest;
	c.nnow = n;
	for (int good = 0; good < 2; good++) {
		payload_diff(&c, &a, &out);
		TA_ASSERT(out.n <= PAYLOAD_LINES && out.nblamed <= COMPLAINTS_MAX);
		TA_ASSERT(out.readable || !out.n);
		for (size_t i = 0; i < out.n; i++) {
			TA_ASSERT(*payload_word(out.lines[i].change));
			/* What is complained of comes first. */
			TA_ASSERT(!i || out.lines[i - 1].blamed || !out.lines[i].blamed);
		}
		c.good = "{\"a\":{\"b\":[1,\"x\"]},\"user_data\":{\"em\":[\"x\"]}}";
		c.ngood = strlen(c.good);
	}
	arena_release(&a);
	return 0;
}
