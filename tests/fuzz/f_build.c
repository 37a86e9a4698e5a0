/* Any stored document: what its event becomes at each platform is one JSON object, twice the same,
 * and the check gives a reason exactly when it refuses. */
#include "net/dest.h"
#include "src/arena.h"
#include "src/err.h"
#include "src/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build(struct arena *a, const struct event *ev, enum platform_id p, bool own_names)
{
	struct dest_config cfg = {.content_id = "auto"};
	if (own_names) {
		TA_ASSERT(event_map_parse(a, "custom = never, lead =", (int)p, &cfg.event_names,
				  NULL) == TA_OK);
		TA_ASSERT(name_map_parse(a, "1 = one, 2 = never, SKU = \"\\\"\"", &cfg.content_ids,
				  NULL) == TA_OK);
	}
	struct buf one = BUF_INIT(8 << 20), two = BUF_INIT(8 << 20), why = BUF_INIT(4096);
	const struct jv *v = NULL;

	enum reason reason = dest_get(p)->check(ev, &cfg, 1795344000, &why);
	TA_ASSERT((reason == REASON_NONE) == (why.len == 0));
	dest_get(p)->event(&one, ev, "wire-id", &cfg);
	dest_get(p)->event(&two, ev, "wire-id", &cfg);
	TA_ASSERT(one.over || strcmp(buf_str(&one), buf_str(&two)) == 0);
	TA_ASSERT(one.over || (jv_parse(a, buf_str(&one), one.len, &v, NULL) == JV_FINE &&
				      v->type == JV_OBJECT));
	buf_release(&one);
	buf_release(&two);
	buf_release(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct event ev;

	if (size <= 65536 && event_read(&a, (const char *)data, size, &ev, NULL) == TA_OK)
		for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++)
			if (platform_event((enum platform_id)p, ev.name))
				for (int own = 0; own < 2; own++)
					build(&a, &ev, (enum platform_id)p, own);
	arena_release(&a);
	return 0;
}
