/* What Pinterest itself says of a pixel's events and of the shop's tags (API v5): its event quality
 * score (GET /ad_accounts/{id}/conversion_eqs) and its tags (GET
 * /ad_accounts/{id}/conversion_tags). Pure: bytes in, bytes out. */
#ifndef NET_QUALITY_H
#define NET_QUALITY_H

#include "net/dest.h"

enum quality_ask { QUALITY_SCORES, QUALITY_TAGS, QUALITY_ASKS };

/* The request; strings live in the arena, the body is empty. */
void quality_request(struct arena *a, const struct dest_config *cfg, enum quality_ask what,
	struct dest_request *req);

/* What an answer holds, as compact JSON of our own (db/quality.h says its form), NULL when the
 * answer is none; then `why` is half a sentence for an operator. Unknown words are kept, what is
 * too long is cut, what has the wrong type is left out. */
struct quality_reply {
	const char *json;
	char why[200];
};
void quality_read(struct arena *a, enum quality_ask what, const struct dest_reply *r,
	struct quality_reply *out);

#endif
