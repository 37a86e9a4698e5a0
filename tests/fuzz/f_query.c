/* A landing page's address: whatever it holds, values are UTF-8, bounded and without controls. */
#include "src/arena.h"
#include "src/click.h"
#include "src/utf8.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_values(const void *fields, size_t size)
{
	for (size_t i = 0; i < size; i += sizeof(char *)) {
		const char *s;
		memcpy(&s, (const char *)fields + i, sizeof(s));
		if (!s)
			continue;
		TA_ASSERT(*s && utf8_valid(s, strlen(s)) && strlen(s) <= CLICK_MAX + 32);
		for (; *s; s++)
			TA_ASSERT((unsigned char)*s >= 0x20 && *s != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct event ev = {0};
	char *url = arena_strndup(&a, (const char *)data, size);
	click_from_url(&a, url, &ev.click, &ev.utm);
	click_set(&a, "_fbc", url, &ev.click, &ev.utm);
	click_set(&a, "_fbp", url, &ev.click, &ev.utm);
	click_finish(&a, &ev, INT64_C(1795344000000), size % 2);
	check_values(&ev.click, sizeof(ev.click));
	check_values(&ev.utm, sizeof(ev.utm));
	TA_ASSERT(!ev.click.fbp || click_is_fbp(ev.click.fbp));
	arena_release(&a);
	return 0;
}
