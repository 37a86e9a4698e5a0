/* A body of /event/track from a browser and from a server: what is accepted becomes an event. */
#include "net/in.h"
#include "net/in_track.h"
#include "src/arena.h"
#include "src/buf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_item(struct arena *a, enum source source, const struct track_item *it)
{
	struct in_result out;
	struct in_store store = {0};
	struct buf doc = BUF_INIT(16u << 20);
	struct event back;
	struct in_receipt r = {.source = source,
		.body = it->bytes,
		.len = it->len,
		.received_us = INT64_C(1795344000000000)};
	enum failure why = in_normalise(a, &r, &store, &out);
	TA_ASSERT(why == FAILURE_NONE || why == FAILURE_BAD_MONEY);
	if (why)
		return;
	event_write(&doc, &out.events[0].ev);
	TA_ASSERT(event_read(a, buf_str(&doc), doc.len, &back, NULL) == TA_OK);
	TA_ASSERT(strcmp(back.event_id, it->event_id) == 0);
	buf_release(&doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	for (int s = SOURCE_SERVER; s <= SOURCE_BROWSER; s++) {
		struct track_batch b;
		struct track_request r = {.source = (enum source)s,
			.body = (const char *)data,
			.len = size,
			.now_us = INT64_C(1795344000000000),
			.ip = "203.0.113.9"};
		if (track_parse(&a, &r, &b, NULL))
			continue;
		for (size_t i = 0; i < b.n; i++)
			if (!b.items[i].error)
				check_item(&a, r.source, &b.items[i]);
		arena_clear(&a);
	}
	arena_release(&a);
	return 0;
}
