/* What the sandbox received: the newest 200,000 events in short, the newest 2,000 in full, and
 * counters per platform and account. A repeat of (event name, event_id) within the platform's
 * dedup window is the same event; a repeat with other content is a conflict. */
#ifndef NET_SANDBOX_BOOK_H
#define NET_SANDBOX_BOOK_H

#include "src/words.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct book;

struct book_limits {
	size_t events, contents;
};

struct book *book_new(struct book_limits limits);
void book_free(struct book *b);
void book_reset(struct book *b);

enum book_seen { BOOK_NEW, BOOK_REPEAT, BOOK_CONFLICT };

struct book_event {
	enum platform_id platform;
	const char *account, *name, *id;
	bool test;
	json_t *content; /* borrowed; the book keeps a reference */
};

enum book_seen book_add(struct book *b, const struct book_event *ev, int64_t now_us);

/* One request of n events, of which `refused` were not taken and `warned` taken with a shrug. */
struct book_request {
	enum platform_id platform;
	const char *account;
	size_t n, refused, warned;
	int http; /* status of the answer, 0 none was sent */
};
void book_request(struct book *b, const struct book_request *r);

/* Hash of a JSON value that does not depend on the order of keys. */
uint64_t book_hash(const json_t *v);

struct book_filter {
	const char *platform, *account, *event_id, *event; /* NULL: any */
	bool conflicts;                                    /* only those */
	size_t limit;
};

/* Writes {"total":N,"events":[…newest first…]}. */
void book_write_received(const struct book *b, const struct book_filter *f, struct buf *out);
/* Writes {"meta":[[second, requests, events],…],…}: what came in each of the last 300 seconds of
 * the machine's clock, empty ones left out. */
void book_write_seconds(const struct book *b, struct buf *out);
/* Writes {"platforms":{…},"accounts":[…]}: requests, events, repeats, conflicts, refused. */
void book_write_summary(const struct book *b, struct buf *out);

#endif
