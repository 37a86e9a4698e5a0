/* Any text as a pixel's own names: read or refused with a sentence; what is read can be looked up,
 * and no name is longer than allowed. */
#include "src/arena.h"
#include "src/err.h"
#include "src/name_map.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	const struct name_map *names = NULL;
	const struct event_map *events = NULL;
	struct ta_err err = {0};
	const char *text = arena_strndup(&a, (const char *)data, size);

	enum ta_rc rc = name_map_parse(&a, text, &names, &err);
	TA_ASSERT((rc != TA_OK) == (err.msg[0] != '\0'));
	const char *got = name_map_get(names, "a");
	TA_ASSERT(!got || strlen(got) <= NAME_MAP_NAME);
	for (int p = -1; p < PLATFORM_COUNT; p++) {
		rc = event_map_parse(&a, text, p, &events, NULL);
		TA_ASSERT(rc == TA_OK || !events);
		for (int e = 0; p >= 0 && e < EV_COUNT; e++)
			(void)event_map_name(events, (enum platform_id)p, (enum event_name)e, "x");
	}
	arena_release(&a);
	return 0;
}
