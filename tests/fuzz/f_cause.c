/* Lines are items of /event/track as servers post them: whatever becomes an event is looked at by
 * the local checks, for each platform; what is told stays within its bounds. */
#include "net/in.h"
#include "src/arena.h"
#include "src/cause_look.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES 60

struct world {
	struct cause_book book;
	struct cause_doc docs[LINES];
	struct in_result out[LINES];
	struct cause_found found[CAUSES];
	size_t n;
};

static void read_line(struct arena *a, struct world *w, const char *line, size_t len)
{
	struct cause_doc *d = &w->docs[w->n];
	struct in_result *out = &w->out[w->n];
	struct in_store store = {0};
	const struct jv *raw = NULL;
	const struct in_receipt r = {.source = w->n % 3 ? SOURCE_SERVER : SOURCE_BROWSER,
		.body = line,
		.len = len,
		.received_us = INT64_C(1795344000000000)};
	if (jv_parse(a, line, len, &raw, NULL) != JV_FINE || in_normalise(a, &r, &store, out) ||
		out->nevents == 0)
		return;
	*d = (struct cause_doc){.event_id = (int64_t)(LINES - w->n),
		.at_us = r.received_us - (int64_t)w->n,
		.disposition = w->n % 5 ? DISP_DELIVERED : DISP_REJECTED,
		.name = out->events[0].ev.name,
		.wire_id = out->events[0].ev.event_id,
		.ev = &out->events[0].ev,
		.raw = raw};
	w->n++;
}

static void look(struct arena *a, struct world *w, enum platform_id platform)
{
	const struct cause_sample s = {
		.platform = platform, .send_pos = true, .docs = w->docs, .n = w->n};
	memset(&w->book, 0, sizeof(w->book));
	w->book.total[CAUSE_EVENTS] = w->book.total[CAUSE_ITEMS] = (int64_t)w->n;
	for (size_t i = 0; i < w->n; i++)
		w->docs[i].hit = 0;
	cause_look(&w->book, &s, a);
	size_t n = cause_rank(&w->book, w->found);
	for (size_t i = 0; i < n; i++) {
		const struct cause_found *f = &w->found[i];
		TA_ASSERT(f->k > 0 && f->k <= f->n && f->score >= 1 && f->score <= 100);
		TA_ASSERT(f->lo <= f->share + 1e-9 && f->share <= f->hi + 1e-9 && *f->evidence);
		TA_ASSERT(i == 0 || f->score <= w->found[i - 1].score);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct world *w = arena_alloc(&a, sizeof(*w));
	const char *text = (const char *)data, *end = text + size;
	while (text < end && w->n < LINES) {
		const char *line = text, *stop = memchr(text, '\n', (size_t)(end - text));
		text = stop ? stop + 1 : end;
		read_line(&a, w, line, (size_t)((stop ? stop : end) - line));
	}
	for (int p = 0; p < PLATFORM_SHEETS && w->n; p++)
		look(&a, w, (enum platform_id)p);
	arena_release(&a);
	return 0;
}
