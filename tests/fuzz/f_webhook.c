/* A webhook's body, under every topic: an event or a typed failure, and every event's document can
 * be read back to the same bytes. */
#include "net/in.h"
#include "src/arena.h"
#include "src/buf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_document(struct arena *a, const struct event *ev)
{
	struct buf doc = BUF_INIT(16u << 20), again = BUF_INIT(16u << 20);
	struct event back;
	event_write(&doc, ev);
	TA_ASSERT(event_read(a, buf_str(&doc), doc.len, &back, NULL) == TA_OK);
	event_write(&again, &back);
	TA_ASSERT(strcmp(buf_str(&doc), buf_str(&again)) == 0);
	buf_release(&doc);
	buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const topics[] = {"orders/create", "orders/updated", "orders/cancelled",
		"checkouts/create", "checkouts/update", "refunds/create", "app/uninstalled", "x"};
	struct arena a = ARENA_INIT;
	for (size_t i = 0; i < TA_COUNT(topics); i++) {
		struct in_result out;
		struct in_store store = {"x.example", (enum in_basis)(size % 3)};
		struct in_receipt r = {.source = SOURCE_SHOPIFY,
			.topic = topics[i],
			.body = (const char *)data,
			.len = size,
			.received_us = INT64_C(1795344000000000)};
		enum failure why = in_normalise(&a, &r, &store, &out);
		TA_ASSERT((why == FAILURE_NONE) == (out.detail == NULL));
		TA_ASSERT(why == FAILURE_NONE || out.nevents == 0);
		for (size_t e = 0; e < out.nevents; e++) {
			TA_ASSERT(out.events[e].natural_id != NULL);
			check_document(&a, &out.events[e].ev);
		}
		arena_clear(&a);
	}
	arena_release(&a);
	return 0;
}
